"""Texts of which one word makes the difference, found by sorting: the work grows with the words there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

_LONG = 40  # words of a text that are left out in turn
_NEXT = 5  # texts that differ from a text in one word and are worth a look
_SEED = 0


def one_apart(texts: Sequence[tuple[str, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Candidate pairs (first < second) of texts, each its words, of which one word makes the difference.

    Texts are filed under their words in any order, and under all of these but one; in a file they are ordered by the
    word left out, so that its spellings lie beside one another, and each is paired with the next few. A file's name is
    the sum of random numbers, one a word (Zobrist 1970), so that leaving one out is a subtraction.
    """
    row, word, vocabulary = _coded(texts)
    number = np.random.default_rng(_SEED).integers(0, 2**64, vocabulary, np.uint64)[word]
    ends = np.cumsum(np.bincount(row, minlength=len(texts)))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(number)])  # past 2^64 they begin at 0 again, as is wanted
    starts = np.concatenate([np.zeros(1, int), ends[:-1]])
    whole = sums[ends] - sums[starts]
    some = np.arange(len(row)) - starts[row] < _LONG
    row, word, number = row[some], word[some], number[some]
    names = np.concatenate([whole, whole[row] - number])
    words = np.concatenate([np.full(len(texts), -1, np.int32), word])
    return _beside(names, words, np.concatenate([np.arange(len(texts), dtype=np.int32), row]), len(texts))


def _coded(texts: Sequence[tuple[str, ...]]) -> tuple[np.ndarray, np.ndarray, int]:
    """Row and word [m] int32 of every word of every text, each once, in order; words are numbered by the alphabet."""
    sets = [set(text) for text in texts]
    place = {word: i for i, word in enumerate(sorted(set().union(*sets)))}
    count = np.array([len(one) for one in sets], np.int64)
    word = np.fromiter(map(place.__getitem__, chain.from_iterable(sets)), np.int64, int(count.sum()))
    both = np.sort(np.repeat(np.arange(len(texts)), count) * max(1, len(place)) + word)
    row, word = np.divmod(both, max(1, len(place)))
    return row.astype(np.int32), word.astype(np.int32), len(place)


def _beside(names: np.ndarray, words: np.ndarray, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows that lie at most `_NEXT` places apart in one file."""
    order = np.argsort(names, kind="stable")
    again, shares = names[order][1:] == names[order][:-1], np.zeros(len(order), dtype=bool)
    shares[1:] |= again
    shares[:-1] |= again
    shared = order[shares]
    shared = shared[np.lexsort((rows[shared], words[shared], names[shared]))]
    names, rows = names[shared], rows[shared].astype(np.int64)
    found = [np.zeros(0, np.int64)]
    for apart in range(1, _NEXT + 1):
        a, b = rows[:-apart], rows[apart:]
        kept = (names[:-apart] == names[apart:]) & (a != b)
        found.append(np.minimum(a, b)[kept] * n + np.maximum(a, b)[kept])
    pairs = np.unique(np.concatenate(found))
    return pairs // max(1, n), pairs % max(1, n)
