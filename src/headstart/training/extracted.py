"""What an extraction gave, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Effort:
    """What an extraction took, without what it gave; fields as in `Extracted`."""

    runtime: str
    dtype: str
    computed: int
    seconds: float
    loading: float
    choosing: float


@dataclass
class Extracted:
    """The features of n inputs.

    Attributes:
        vectors: [n, width] float32 of the base; zeros in rejected rows. `headstart.ragged.Ragged` where it gives a
            vector for each of an input's items, such as words; rejected rows then have none.
        classical: [n, d] float32 for the control, or None.
        rejected: row -> reason.
        keys: [n] content hashes (hex); "" where the input could not even be read.
        runtime: what ran the base and why that; "" where the cache had everything.
        dtype: the precision the vectors were computed in.
        computed: how many went through the base now.
        seconds: reading, decoding and the base's forward passes.
        loading: seconds spent importing libraries and loading weights; decoding goes on beside it.
        choosing: seconds spent measuring runtimes, the first time on a machine.
        read: [n, 2] float32 of texts: tokens, and those that are not read; 0 where there are few. None of pictures.
    """

    vectors: Any
    classical: np.ndarray | None
    rejected: dict[int, str]
    keys: np.ndarray
    runtime: str = ""
    dtype: str = "float32"
    computed: int = 0
    seconds: float = 0.0
    loading: float = 0.0
    choosing: float = 0.0
    read: np.ndarray | None = None

    @property
    def kept(self) -> np.ndarray:
        """[n] bool: the rows that were not rejected."""
        mask = np.ones(len(self.keys), dtype=bool)
        mask[list(self.rejected)] = False
        return mask

    def reject(self, row: int, reason: str) -> None:
        """Set aside a row, and those that repeat it."""
        self.rejected.update(dict.fromkeys(self._rows_of[self.keys[row]], reason))

    @cached_property
    def _rows_of(self) -> dict[str, list[int]]:
        """The rows of every content."""
        found: dict[str, list[int]] = {}
        for row, key in enumerate(self.keys.tolist()):
            found.setdefault(key, []).append(row)
        return found

    def effort(self) -> Effort:
        """What it took."""
        return Effort(self.runtime, self.dtype, self.computed, self.seconds, self.loading, self.choosing)
