"""The contract of a control: a model that borrows nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np


class Control(ABC):
    """Fitted on the rows that the chosen candidate was fitted on, judged on the same test rows.

    Args:
        outputs: number of classes or labels; 1 for regression.
    """

    name: ClassVar[str]

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs

    @abstractmethod
    def fit(self, inputs: Sequence[Any] | np.ndarray, y: np.ndarray, task: str, seed: int) -> None:
        """Learn from n inputs and targets ``y``: [n] class indices, [n, outputs] 0/1 labels or [n, 1] values."""

    @abstractmethod
    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Probabilities [n, outputs] of n inputs; for regression, values [n, 1]."""
