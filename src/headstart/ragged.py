"""Rows that have unlike numbers of values each, such as a vector or a label for every word of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Self, overload

import numpy as np


@dataclass(frozen=True, eq=False)
class Ragged:
    """Values of n rows, the user's examples, one row after another.

    It is indexed by rows as an array is: by a number it gives that row's values, by numbers, a slice or a mask those
    rows. It is no array, and cannot be taken for one: what works on values of all rows asks for ``values``.

    Attributes:
        values: [items, ...].
        offsets: [n + 1] int64: where each row begins in ``values``, and the end of the last.
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Any], empty: np.ndarray | None = None) -> Self:
        """One row for each of ``rows``, arrays [items of the row, ...]; ``empty`` [0, ...] where there are none."""
        arrays = [np.asarray(row) for row in rows]
        values = np.concatenate(arrays) if arrays else np.zeros(0) if empty is None else empty
        return cls(values, offsets_of([len(row) for row in arrays]))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("rows of unlike length are no array; take their values.")

    @property
    def counts(self) -> np.ndarray:
        """[n] int64: values of each row."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> np.ndarray:
        """[items] int64: the row of each value."""
        return np.repeat(np.arange(len(self)), self.counts)

    @overload
    def __getitem__(self, rows: int | np.integer) -> np.ndarray: ...
    @overload
    def __getitem__(self, rows: slice | np.ndarray | Sequence[int]) -> Self: ...
    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            row = range(len(self))[int(rows)]
            return self.values[self.offsets[row] : self.offsets[row + 1]]
        return self.take(np.arange(len(self))[rows])

    def take(self, rows: np.ndarray) -> Self:
        """The rows at ``rows`` (numbers or a mask), in that order."""
        rows = np.arange(len(self))[rows]
        return replace(self, values=self.values[self._items(rows)], offsets=offsets_of(self.counts[rows]))

    def __setitem__(self, rows: np.ndarray, found: Ragged) -> None:
        """Lay the values of ``found``, rows of as many items, into those at ``rows`` (numbers or a mask)."""
        rows = np.arange(len(self))[rows]
        if not np.array_equal(self.counts[rows], found.counts):
            raise ValueError("rows of other numbers of items cannot take one another's place.")
        self.values[self._items(rows)] = found.values

    def copy(self) -> Self:
        """The same, with values of its own."""
        return replace(self, values=self.values.copy())

    def _items(self, rows: np.ndarray) -> np.ndarray:
        """Where the values of ``rows`` [m] int stand, row after row."""
        counts = self.counts[rows]
        offsets = offsets_of(counts)
        return np.arange(offsets[-1]) - np.repeat(offsets[:-1] - self.offsets[:-1][rows], counts)

    def like(self, values: np.ndarray) -> Ragged:
        """Other ``values`` [items, ...] of the same rows."""
        if len(values) != len(self.values):
            raise ValueError(f"{len(values)} values for {len(self.values)} items.")
        return Ragged(values, self.offsets)

    def means(self) -> np.ndarray:
        """[n, ...]: the mean of each row's values; zeros for a row without any."""
        out = np.zeros((len(self), *self.values.shape[1:]), np.result_type(self.values, np.float32))
        there = self.counts > 0
        if there.any():
            out[there] = np.add.reduceat(self.values, self.offsets[:-1][there], axis=0)
        return out / np.maximum(self.counts, 1).reshape(-1, *[1] * (out.ndim - 1)).astype(out.dtype)


def offsets_of(counts: np.ndarray | Sequence[int]) -> np.ndarray:
    """[n + 1] int64: where rows of so many values begin, and the end of the last."""
    return np.append(0, np.cumsum(counts, dtype=np.int64))


def joined(parts: Sequence[Any]) -> Any:
    """Arrays, or ragged rows, one part after another."""
    if isinstance(parts[0], Ragged):
        values = np.concatenate([part.values for part in parts])
        return replace(parts[0], values=values, offsets=offsets_of(np.concatenate([part.counts for part in parts])))
    return np.concatenate(parts)


def flat(rows: Any) -> np.ndarray:
    """All values [items, ...] of ragged rows; an array, whose items are its rows, as it is."""
    return rows.values if isinstance(rows, Ragged) else rows


def items_of(column: Any, like: Any) -> Any:
    """A ``column`` [n] of the rows, or None, as one of the items of ``like``: each item has what its row has."""
    return column if column is None or not isinstance(like, Ragged) else column[like.rows]


def shaped(values: np.ndarray, like: Any) -> Any:
    """``values`` [items, ...] as rows of the form of ``like``."""
    return like.like(values) if isinstance(like, Ragged) else values


def scattered(found: Ragged, kept: np.ndarray) -> Ragged:
    """The rows of ``found`` at the places where ``kept`` [n] is true; the other rows have no items."""
    counts = np.zeros(len(kept), np.int64)
    counts[kept] = found.counts
    return Ragged(found.values, offsets_of(counts))


def row_vectors(vectors: Any) -> np.ndarray:
    """[n, width]: one vector a row, of ragged rows the mean of theirs."""
    return vectors.means() if isinstance(vectors, Ragged) else vectors
