"""Near neighbours by the features of a base: which pairs are worth a closer look."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np

_SAMPLE = 500  # rows whose similarities to all others teach the floor
_ROOM = 4  # times as many pairs pass the screen as are kept, for rows in crowded places not to drive out the others
_LEAST = 0.5  # cosine below which nothing is a near duplicate, whatever the data
_ELEMENTS = 2**24  # of one block of similarities: 64 MiB
_SHORT = 128  # width of the random projection that is screened
_SEED = 0


@dataclass(frozen=True)
class Candidates:
    """Pairs of rows that are near in features.

    Attributes:
        first, second: [m] int row numbers, first < second.
        cosine: [m] float32 of the centred features.
    """

    first: np.ndarray
    second: np.ndarray
    cosine: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """``first`` and ``second``."""
        return self.first, self.second


def candidates(vectors: np.ndarray, labels: np.ndarray | None = None, neighbours: int = 20) -> Candidates:
    """The pairs of rows of ``vectors`` [n, d] near in direction, the nearest first.

    A pair is kept when it is among the ``neighbours`` nearest of one of its rows. Near duplicates are rare among rows
    of different classes, so the similarities of a row to its nearest of another class tell what is no duplicate: half
    the rows reach the floor below which no pair is kept. Products go block by block, so that memory stays bounded:
    n (d + 128) numbers and some blocks of 64 MiB.

    Args:
        vectors: features, any scale.
        labels: [n] classes (any hashable values), None where there are none.
        neighbours: pairs a row that are kept at most; four times as many are screened on average.
    """
    n = len(vectors)
    if n < 2:
        return _none()
    units = _units(vectors)
    floor = _LEAST if labels is None else max(_LEAST, _met_across(units, _codes(labels)))
    short = _projected(units)
    screen = _crowded(short, _ROOM * neighbours, floor)
    pieces = [_exact(units, first, second, floor) for first, second in _above(short, screen)]
    first, second, cosine = (np.concatenate(part) for part in zip(*pieces, strict=True))
    order = np.argsort(-cosine, kind="stable")
    kept = order[_among_nearest(first[order], second[order], neighbours)]
    return Candidates(first[kept], second[kept], cosine[kept])


def _none() -> Candidates:
    return Candidates(np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32))


def _units(vectors: np.ndarray) -> np.ndarray:
    """Centred rows of length 1, float32; rows without direction stay 0."""
    centred = vectors.astype(np.float32)
    centred -= centred.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return centred


def _codes(labels: np.ndarray) -> np.ndarray:
    """[n] int: equal for equal labels, whatever these are."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels.tolist()])


def _sampled(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some rows, and their products [sample, n] with all; -1 with themselves."""
    rows = np.random.default_rng(_SEED).permutation(len(units))[:_SAMPLE]
    near = units[rows] @ units.T
    near[np.arange(len(rows)), rows] = -1
    return rows, near


def _met_across(units: np.ndarray, codes: np.ndarray) -> float:
    """The cosine that half the rows reach with a row of another class; -1 where there is one class."""
    rows, near = _sampled(units)
    return float(np.median(np.where(codes[rows][:, None] != codes, near, -1).max(axis=1)))


def _crowded(units: np.ndarray, neighbours: int, floor: float) -> float:
    """The product that each row reaches with ``neighbours`` others on average; at least ``floor`` less an error."""
    share = 2 * neighbours / len(units)  # each pair is seen from both its rows
    low = floor - 0.25 if units.shape[1] == _SHORT else floor  # three standard deviations of a projected cosine of 0
    return low if share >= 1 else max(low, float(np.quantile(_sampled(units)[1], 1 - share)))


def _projected(units: np.ndarray) -> np.ndarray:
    """[n, 128]: a random projection that keeps cosines to about 0.1 (Johnson & Lindenstrauss 1984)."""
    n, width = units.shape
    if width <= 2 * _SHORT or n * n < _ELEMENTS:
        return units
    draw = np.random.default_rng(_SEED).standard_normal((width, _SHORT), np.float32)
    short = units @ draw
    return short / np.maximum(np.linalg.norm(short, axis=1, keepdims=True), 1e-12)


def _above(units: np.ndarray, floor: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs first < second whose product is at least ``floor``, a block of rows at a time."""
    n = len(units)
    step = max(1, _ELEMENTS // n)
    for start in range(0, n, step):
        near = units[start : start + step] @ units[start:].T
        rows, columns = np.nonzero(near >= floor)
        later = columns > rows
        yield rows[later] + start, columns[later] + start


def _exact(units: np.ndarray, first: np.ndarray, second: np.ndarray, floor: float) -> tuple[np.ndarray, ...]:
    """Those of the pairs whose cosine is at least ``floor``, with it."""
    step = max(1, _ELEMENTS // (4 * units.shape[1]))
    cosine = np.zeros(len(first), np.float32)
    for start in range(0, len(first), step):
        some = slice(start, start + step)
        cosine[some] = np.einsum("ij,ij->i", units[first[some]], units[second[some]])
    kept = cosine >= floor
    return first[kept], second[kept], cosine[kept]


def _among_nearest(first: np.ndarray, second: np.ndarray, neighbours: int) -> np.ndarray:
    """[m] bool of pairs in the order of their nearness: among the ``neighbours`` nearest of one of their rows."""
    rows = np.stack([first, second], axis=1).ravel()
    order = np.argsort(rows, kind="stable")
    ranked = rows[order]
    rank = np.empty(len(rows), int)
    rank[order] = np.arange(len(rows)) - np.searchsorted(ranked, ranked)
    return np.minimum(rank[::2], rank[1::2]) < neighbours
