"""Texts whose words are told: what a label a word is given for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

#: A run of letters, digits and marks, or one other character that is no white space.
_WORD = re.compile(r"\w+|[^\w\s]")


class Words(str):
    """A text and where its words are: it is a text to whatever takes texts.

    Attributes:
        bounds: [words, 2] int32, the first character of each word and the one after its last, in order.
    """

    bounds: np.ndarray

    def __new__(cls, text: str, bounds: Iterable[Sequence[int]] | np.ndarray | None = None) -> Self:
        """``text`` with the words at ``bounds``; None: those that `split_words` finds."""
        own = super().__new__(cls, text)
        found = split_words(text) if bounds is None else bounds
        own.bounds = np.asarray(found if isinstance(found, np.ndarray) else list(found), np.int32).reshape(-1, 2)
        return own

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Self:
        """The text of ``tokens``, a blank between each two."""
        sizes = np.array([len(token) for token in tokens], np.int32)
        starts = np.cumsum(np.append(0, sizes[:-1] + 1))[: len(sizes)]
        return cls(" ".join(tokens), np.stack([starts, starts + sizes], axis=1))

    def __reduce__(self) -> tuple[type[Words], tuple[str, np.ndarray]]:
        return type(self), (str(self), self.bounds)

    @property
    def tokens(self) -> list[str]:
        """The words."""
        return [self[start:end] for start, end in self.bounds.tolist()]


def split_words(text: str) -> list[tuple[int, int]]:
    """Where the words of ``text`` are: runs of letters and digits, and each other character by itself."""
    return [found.span() for found in _WORD.finditer(text)]


def first_tokens(bounds: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """[words] int: the token that stands for each word, the one that holds its first character.

    Where no token holds that one, as of a mark that the tokenizer drops, it is the next one in the word. A word without
    any takes the token before it, or the first of all; -1: there are no tokens.

    Args:
        bounds: [words, 2], as `Words` has them.
        spans: [tokens, 2], the first character of each token and the one after its last, special tokens left out.
    """
    if not len(spans):
        return np.full(len(bounds), -1, np.int64)
    ends = np.maximum.accumulate(spans[:, 1])  # tokens of one character in several bytes have equal spans
    at = np.searchsorted(ends, bounds[:, 0], side="right")
    own = at < len(spans)
    own[own] = spans[at[own], 0] < bounds[own, 1]
    found = np.where(own, at, np.maximum(at - 1, 0))
    return np.asarray(np.maximum.accumulate(found)) if len(found) else found


def as_words(value: str) -> Words:
    """``value`` with its words, found where they are not told."""
    return value if isinstance(value, Words) else Words(value)
