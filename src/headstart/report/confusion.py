"""Which classes are taken for which: the whole matrix while it can be read, else the worst pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Classes up to which the matrix fits a page.
READABLE = 20
#: Pairs shown beyond that.
PAIRS = 8


@dataclass(frozen=True)
class Cell:
    """A count, its share of the row (0 … 1, for the shading), and whether it is on the diagonal."""

    count: int
    share: float
    right: bool


@dataclass(frozen=True)
class Pair:
    """One class taken for another, ``count`` times or ``share`` of the true class's rows."""

    truth: str
    predicted: str
    count: int
    share: float


def matrix(counts: np.ndarray) -> list[list[Cell]]:
    """The cells of ``counts`` [k, k], rows true."""
    shares = _shares(counts)
    return [
        [Cell(int(counts[i, j]), float(shares[i, j]), i == j) for j in range(len(counts))] for i in range(len(counts))
    ]


def pairs(counts: np.ndarray, labels: tuple[str, ...]) -> list[Pair]:
    """The most frequent confusions, by count and then by share; at most `PAIRS`."""
    shares = _shares(counts)
    wrong = [(int(i), int(j)) for i, j in np.argwhere(counts > 0) if i != j]
    wrong.sort(key=lambda at: (-counts[at], -shares[at], at))
    return [Pair(labels[i], labels[j], int(counts[i, j]), float(shares[i, j])) for i, j in wrong[:PAIRS]]


def _shares(counts: np.ndarray) -> np.ndarray:
    """``counts`` divided by their row's sum; 0 in empty rows."""
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(total, 1)
