"""Damage that texts meet after deployment, in five strengths of each kind."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from headstart.modalities.damage import Damage, amount_of

#: What each kind does at strengths 1 to 5.
AMOUNTS: dict[str, tuple[Any, ...]] = {
    "typos": (0.05, 0.1, 0.2, 0.35, 0.5),  # share of the words that get one typo
    # Without capitals; each word with one; each letter's case swapped with probability 1/4, 1/2; caps lock left on.
    "case": ("lower", "title", "quarter", "half", "inverted"),
    "truncation": (0.9, 0.75, 0.6, 0.45, 0.3),  # share of the characters that is kept, from the start
}
KINDS = tuple(AMOUNTS)

_SWAPPED = {"quarter": 0.25, "half": 0.5, "inverted": 1.0}
_WORD = re.compile(r"[^\W\d_]{2,}")  # letters alone: numbers and punctuation stay
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # QWERTY; neighbours are those to the left and right


def damaged_text(text: str, kind: str, strength: int, seed: int) -> str:
    """``text`` with damage of ``kind``, one of `KINDS`, and ``strength`` 1..5; blank only if ``text`` is.

    The same for the same ``seed``. With one seed, words with a typo and letters of swapped case are so at every
    greater strength, too; "lower" and "title" change less than the rest in ordinary sentences alone.

    Raises:
        SettingError: an unknown kind or strength.
    """
    amount = amount_of(AMOUNTS, kind, strength)
    return _DAMAGES[kind](text, amount, np.random.default_rng(seed))


def with_typos(text: str, share: float, rng: np.random.Generator) -> str:
    """``text`` with one typo in each word of two letters or more with probability ``share``.

    Each as often: two letters swapped, one left out, one doubled, one replaced by its neighbour on the keyboard.
    """

    def typed(word: re.Match[str]) -> str:
        happens, kind, place, side = rng.random(4).tolist()  # always all four: the same typos at every share
        return _mistyped(word[0], int(kind * len(_TYPOS)), place, side) if happens < share else word[0]

    return _WORD.sub(typed, text)


def _mistyped(word: str, kind: int, place: float, side: float) -> str:
    """``word`` with the typo number ``kind`` at ``place`` (0..1)."""
    pairs = [i for i in range(len(word) - 1) if word[i] != word[i + 1]]
    if _TYPOS[kind] == "swap" and pairs:
        i = pairs[int(place * len(pairs))]
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    i = int(place * len(word))
    if _TYPOS[kind] == "drop":
        return word[:i] + word[i + 1 :]
    near = _neighbours(word[i])
    if _TYPOS[kind] == "neighbour" and near:
        return word[:i] + near[int(side * len(near))] + word[i + 1 :]
    return word[:i] + word[i] + word[i:]


_TYPOS = ("swap", "drop", "double", "neighbour")  # those that a word does not allow become a doubled letter


def _neighbours(letter: str) -> str:
    """The keys left and right of ``letter``, in its case; "" where the keyboard does not have it."""
    row = next((keys for keys in _KEYS if letter.lower() in keys), "")
    i = row.find(letter.lower())
    near = row[max(i - 1, 0) : i] + row[i + 1 : i + 2] if row else ""
    return near.upper() if letter.isupper() else near


def _case(text: str, way: str, rng: np.random.Generator) -> str:
    if way == "lower":
        return text.lower()
    if way == "title":
        return re.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:].lower(), text)
    swapped = rng.random(len(text)) < _SWAPPED[way]
    return "".join(c.swapcase() if swap else c for c, swap in zip(text, swapped, strict=True))


def _truncated(text: str, share: float, rng: np.random.Generator) -> str:
    first = len(text) - len(text.lstrip())  # something must be left to read
    return text[: max(math.ceil(share * len(text)), first + 1)]


_DAMAGES: dict[str, Callable[[str, Any, np.random.Generator], str]] = {
    "typos": with_typos,
    "case": _case,
    "truncation": _truncated,
}


def text_damage() -> Damage:
    """Of texts."""
    return Damage(KINDS, str, damaged_text)
