"""What a metric is taken of: the truth, and what a model said, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np


class Answers(Protocol):
    """Truth or predictions of n rows, which are the user's examples: a sentence, never its tokens."""

    def __len__(self) -> int: ...

    def take(self, rows: np.ndarray) -> Self:
        """Those of some rows (indices or a mask), in that order."""


@dataclass(frozen=True)
class Dense:
    """Numbers of one size a row.

    Attributes:
        values: truth [n] int (classes), [n, labels] of 0/1 or [n, 1]; predictions [n, outputs].
    """

    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> Dense:
        """As `Answers.take`."""
        return Dense(self.values[rows])


def answers(values: Any) -> Answers:
    """``values`` as they are, and arrays as `Dense`."""
    found: Answers = Dense(np.asarray(values)) if isinstance(values, np.ndarray | Sequence) else values
    return found
