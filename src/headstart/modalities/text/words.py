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


def as_words(value: str) -> Words:
    """``value`` with its words, found where they are not told."""
    return value if isinstance(value, Words) else Words(value)
