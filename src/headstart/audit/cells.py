"""Which rows are worth comparing: those near the same pivots, so that the work does not grow with the square of them.

Every row belongs to the cell of its nearest pivot, and is compared with the rows of its 16 nearest ones, as in an
inverted file (Sivic & Zisserman 2003, "Video Google"; Jégou, Douze & Schmid 2011, "Product quantization for nearest
neighbor search", with exact distances). Pivots are rows drawn at random, about twice the square root of their number:
dense regions get more of them. Up to 16,384 rows all are compared with all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_WHOLE = 2**14  # rows up to which all are compared with all
_PIVOTS = 2.0  # times the square root of the rows
_PROBED = 16  # cells that a row is compared with; 999 of 1,000 near duplicates of banking77 share one
_MOST = 2_048  # rows of a cell that others are compared with; larger ones are parted again
_DEPTH = 3  # times that a cell is parted again
_STRIP = 1_024  # rows that are compared at a time where all are
_ELEMENTS = 2**24  # of one block of similarities: 64 MiB
_SEED = 0


def cells(units: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of row numbers (some rows, the rows to compare each of them with) of ``units`` [n, d], rows of length 1.

    A pair of rows comes at least once where it comes at all, the lesser or the greater first; a row comes with itself.
    However the rows lie, each is compared with at most some ten thousand others.
    """
    return _parted(units, np.arange(len(units)), _DEPTH)


def _parted(units: np.ndarray, rows: np.ndarray, depth: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if len(rows) <= _WHOLE:
        for start in range(0, len(rows), _STRIP):
            yield rows[start : start + _STRIP], rows[start:]
        return
    if not depth:  # nothing tells them apart
        for start in range(0, len(rows), _STRIP):
            yield rows[start : start + _STRIP], rows[start : start + 2 * _STRIP]
        return
    own, probed = _nearest(units, rows)
    for members, callers in zip(_by_number(own), _by_number(probed), strict=True):
        if len(members) <= _MOST:
            yield rows[callers // probed.shape[1]], rows[members]
        else:
            yield from _parted(units, rows[members], depth - 1)


def _nearest(units: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest pivot of each of ``rows`` [m], and the nearest ones [m, probed], in no order."""
    m = len(rows)
    middle = units[rows].mean(axis=0)
    pivots = units[rows[np.random.default_rng(_SEED).permutation(m)[: int(_PIVOTS * m**0.5)]]] - middle
    pivots /= np.maximum(np.linalg.norm(pivots, axis=1, keepdims=True), 1e-12)
    offset = pivots @ middle
    own, probed = np.empty(m, np.int32), np.empty((m, _PROBED), np.int32)
    step = max(1, _ELEMENTS // len(pivots))
    for start in range(0, m, step):
        some = slice(start, start + step)
        near = units[rows[some]] @ pivots.T - offset
        own[some] = near.argmax(axis=1)
        probed[some] = np.argpartition(near, -_PROBED, axis=1)[:, -_PROBED:]
    return own, probed


def _by_number(numbers: np.ndarray) -> list[np.ndarray]:
    """The places (in the flattened array) of each of the pivots' ``numbers``, none for those that do not occur."""
    flat = numbers.ravel()
    order = np.argsort(flat, kind="stable")
    return np.split(order, np.searchsorted(flat[order], np.arange(1, int(_PIVOTS * len(numbers) ** 0.5))))
