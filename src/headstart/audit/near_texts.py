"""Near-duplicate texts: the same words but for case, punctuation, courtesy, spelling or a word of little weight."""

from __future__ import annotations

import math
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from headstart.audit.alignment import align

#: Share of the words, by weight, that a pair must have in common.
LEAST = 0.97
_ROUGH = 0.6  # shared words, spelling not forgiven, below which the order is not looked at
_FEW = 3  # words apart up to which it is looked at all the same: a misspelt one, or two written as one
_TYPO = 0.8  # likeness of two spellings of a word
_LONG_WORD = 200  # letters, above which answers about a word are not remembered
_LIGHT = 0.2  # weight of a function word as a share of its own

_WORD = re.compile(r"\w+")
_CONTRACTIONS = (
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(it|that|what|where|who|how|there|here)'s\b"), r"\1 is"),
)
_COURTESY = frozenset(["please", "pls", "hi", "hello", "hey", "dear", "thanks", "thank", "kindly"])
_DECISIVE = frozenset(["no", "not", "never", "none", "without", "nor"])
_SPEAKER, _SPOKEN_TO = frozenset(["i", "me", "my", "we", "us", "our"]), frozenset(["you", "your"])
_AUXILIARIES = """
a an the i me my you your we us our it its this that is are am was were be been being do does did have has had will
would can could shall should may might must of so just also really already still now want need like
"""
_FUNCTION = frozenset(_AUXILIARIES.split())  # that say little by themselves


def words(text: str) -> tuple[str, ...]:
    """The words of ``text`` in order: lower case, accents off, English contractions spelt out, no courtesies.

    Texts in scripts without spaces come as few long words, and are then told apart letter by letter.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    if "'" in plain or "cannot" in plain:
        for pattern, spelt in _CONTRACTIONS:
            plain = pattern.sub(spelt, plain)
    found = _WORD.findall(plain)
    return tuple(word for word in found if word not in _COURTESY) or tuple(found) or (text,)


def verified(
    texts: Sequence[tuple[str, ...]], first: np.ndarray, second: np.ndarray, until: float | None = None
) -> tuple[np.ndarray, int]:
    """Similarity [m] in 0..1 of pairs of texts given as `words`, 0 where a pair is no near duplicate; how many it saw.

    Dice's coefficient of the words in the same order, each weighted by its inverse document frequency (Spärck Jones
    1972), English function words by a fifth of it; two spellings of a word count as one. Numbers and negations must be
    the same.

    Args:
        until: `time.perf_counter` at which to stop.
    """
    weight = _weights(texts)
    looked_at = np.unique(np.concatenate([first, second])).tolist()
    sets = {row: frozenset(texts[row]) for row in looked_at}
    totals = {row: sum(map(weight.__getitem__, words)) for row, words in sets.items()}
    similarity = np.zeros(len(first), np.float32)
    for i, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        if until is not None and i % 256 == 0 and time.perf_counter() > until:
            return similarity, i
        shared = sum(map(weight.__getitem__, sets[a] & sets[b]))
        only, other = sets[a] - sets[b], sets[b] - sets[a]
        few = len(only) + len(other) <= _FEW
        if _decisive(only, other) or not (few or 2 * shared >= _ROUGH * (totals[a] + totals[b])):
            continue
        found = 1.0 if texts[a] == texts[b] else _alike(texts[a], texts[b], weight)
        similarity[i] = found if found >= LEAST else 0
    return similarity, len(first)


def _weights(texts: Sequence[tuple[str, ...]]) -> dict[str, float]:
    """Inverse document frequency of every word, smoothed so that none weighs nothing."""
    counts = Counter(word for text in texts for word in set(text))
    weight = {word: math.log((1 + len(texts)) / count) + 0.1 for word, count in counts.items()}
    return weight | {word: _LIGHT * weight[word] for word in _FUNCTION & weight.keys()}


def _decisive(only: frozenset[str], other: frozenset[str]) -> bool:
    """Whether words that only one of two texts has, or only the other, make them say something else.

    A number or a negation does; so does "you" for "me".
    """
    turned = (only & _SPEAKER and other & _SPOKEN_TO) or (only & _SPOKEN_TO and other & _SPEAKER)
    return bool(turned) or any(word in _DECISIVE or any(map(str.isdigit, word)) for word in only | other)


def _alike(a: tuple[str, ...], b: tuple[str, ...], weight: dict[str, float]) -> float:
    """Dice's coefficient of the words that come in the same order."""
    found = align(a, b)
    shared = 2 * sum(_sum(a[i:j], weight) for i, j, _, _ in found.equal)
    shared += sum(_respelt(a[i:j], b[k:m], weight) for i, j, k, m in found.between)
    return shared / (_sum(a, weight) + _sum(b, weight))


def _sum(words: tuple[str, ...], weight: dict[str, float]) -> float:
    return sum(map(weight.__getitem__, words))


def _respelt(a: tuple[str, ...], b: tuple[str, ...], weight: dict[str, float]) -> float:
    """Weight of the words of ``a`` and ``b`` that are two spellings of one: joined up, or one by one."""
    if "".join(a) == "".join(b):
        return sum(weight[word] for word in (*a, *b))
    pairs = [(x, y) for x, y in zip(a, b, strict=False) if _same_word(x, y)]
    return sum(weight[x] + weight[y] for x, y in pairs)


def _same_word(a: str, b: str) -> bool:
    """Whether ``a`` and ``b`` are likely the same word, misspelt or inflected; a prefix makes another word."""
    return _same(a, b) if max(len(a), len(b)) <= _LONG_WORD else _same.__wrapped__(a, b)


@lru_cache(maxsize=2**16)
def _same(a: str, b: str) -> bool:
    if min(len(a), len(b)) < 3:
        return False
    swapped = len(a) == len(b) > 3 and Counter(a) == Counter(b)
    return swapped or (a[0] == b[0] and _ratio(a, b) >= _TYPO)


def _ratio(a: str, b: str) -> float:
    """Share of the letters that come in the same order, as difflib has it; below `_TYPO` no more than a bound of it."""
    letters = len(a) + len(b)
    bound = 2 * (Counter(a) & Counter(b)).total() / letters
    if bound < _TYPO:
        return bound
    found = align(a, b)
    return 2 * sum(j - i for i, j, _, _ in found.equal) / letters
