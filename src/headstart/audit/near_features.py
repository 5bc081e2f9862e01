"""Near neighbours by the features of a base: which pairs are worth a closer look."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from headstart.audit.cells import cells

_SAMPLE = 500  # rows whose similarities to others teach the floor
_OTHERS = 2**15  # rows drawn to stand for all, where a share of the pairs is to be told
_ROOM = 4  # times as many pairs pass the screen as are kept, for rows in crowded places not to drive out the others
_MOST = 4  # times the pairs that pass on average may one row have in a block of similarities
_LEAST = 0.5  # cosine below which nothing is a near duplicate, whatever the data
_ELEMENTS = 2**24  # of one block of similarities: 64 MiB
_ALIKE = 0.999  # cosine from which on a pair is looked at however crowded its place is
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
    the rows reach the floor below which no pair is kept. Up to 16,384 rows every pair is looked at, from there on those
    that share one of their cells (`headstart.audit.cells`). Products go block by block, so that memory stays bounded:
    n (d + 128) numbers, n * 16 ``neighbours`` pairs at most, and some blocks of 64 MiB.

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
    first, second, cosine = _exact(units, *_above(short, screen, _MOST * _ROOM * neighbours), floor)
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


def _sampled(units: np.ndarray) -> np.ndarray:
    """The rows in a random order."""
    return np.random.default_rng(_SEED).permutation(len(units))


def _met_across(units: np.ndarray, codes: np.ndarray) -> float:
    """The cosine that half the rows reach with a row of another class; -1 where there is one class."""
    rows = _sampled(units)[:_SAMPLE]
    best = np.full(len(rows), -1, np.float32)
    for start in range(0, len(units), _OTHERS):
        some = slice(start, start + _OTHERS)
        near = units[rows] @ units[some].T
        near[codes[rows][:, None] == codes[some]] = -1
        best = np.maximum(best, near.max(axis=1))
    return float(np.median(best))


def _crowded(units: np.ndarray, neighbours: int, floor: float) -> float:
    """The product that each row reaches with ``neighbours`` others on average; at least ``floor`` less an error."""
    share = 2 * neighbours / len(units)  # each pair is seen from both its rows
    low = floor - 0.25 if units.shape[1] == _SHORT else floor  # three standard deviations of a projected cosine of 0
    if share >= 1:
        return low
    order = _sampled(units)
    near = units[order[:_SAMPLE]] @ units[order[:_OTHERS]].T
    near[np.diag_indices(len(near))] = -1
    return max(low, min(_ALIKE, float(np.quantile(near, 1 - share))))


def _projected(units: np.ndarray) -> np.ndarray:
    """[n, 128]: a random projection that keeps cosines to about 0.1 (Johnson & Lindenstrauss 1984)."""
    n, width = units.shape
    if width <= 2 * _SHORT or n * n < _ELEMENTS:
        return units
    draw = np.random.default_rng(_SEED).standard_normal((width, _SHORT), np.float32)
    short = units @ draw
    return short / np.maximum(np.linalg.norm(short, axis=1, keepdims=True), 1e-12)


def _above(units: np.ndarray, floor: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs first < second whose product is at least ``floor``, of those that share a cell.

    Where rows have more than ``most`` of them in a block on average, each keeps so many, its nearest: of rows all alike
    every pair would pass.
    """
    n, found = len(units), [np.zeros(0, np.int64)]
    for rows, others in cells(units):
        step = max(1, _ELEMENTS // len(others))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            near = units[some] @ units[others].T
            near[some[:, None] == others] = -1
            own, place = _passing(near, floor, most)
            a, b = some[own], others[place]
            found.append(np.minimum(a, b) * n + np.maximum(a, b))
    pairs = np.unique(np.concatenate(found))
    return pairs // n, pairs % n


def _passing(near: np.ndarray, floor: float, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the values of ``near`` [r, m] that are at least ``floor``."""
    passed = near >= floor
    if most < near.shape[1] and np.count_nonzero(passed) > most * len(near):
        nearest = np.argpartition(near, -most, axis=1)[:, -most:]
        kept = np.zeros_like(passed)
        np.put_along_axis(kept, nearest, True, axis=1)
        passed &= kept
    rows, columns = np.nonzero(passed)
    return rows, columns


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
