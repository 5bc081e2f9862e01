"""The rows that training sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TrainRows:
    """Some rows to train on or to be judged by.

    Attributes:
        inputs: n paths, PIL images, arrays or texts.
        keys: [n] content hashes (hex): they key caches and seed the augmentation.
        y: targets as the task encodes them; ragged where rows have several items.
        vectors: [n, width] float32, the base's own features, where they are at hand, ragged as ``y``; else [0, width].
        units: [n] int: rows of one unit (equal contents, near duplicates, groups) are never parted; None: each row is
            one of its own.
        weights: [n] float64, mean 1 over all training rows: how much each counts in the loss; None: all the same.
    """

    inputs: Sequence[Any] | np.ndarray
    keys: np.ndarray
    y: Any
    vectors: Any
    units: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, index: np.ndarray) -> TrainRows:
        """The rows at ``index`` [m] int."""
        inputs = [self.inputs[int(i)] for i in index]  # not as an array: pictures of one size would be torn apart
        vectors = self.vectors[index] if len(self.vectors) else self.vectors
        units = None if self.units is None else self.units[index]
        weights = None if self.weights is None else self.weights[index]
        return TrainRows(inputs, self.keys[index], self.y[index], vectors, units, weights)
