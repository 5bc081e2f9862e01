"""The contract of a control: a model that borrows nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class ControlState:
    """A fitted control as plain data.

    Attributes:
        tensors: arrays of numbers by name.
        values: everything else, of JSON types.
    """

    tensors: dict[str, np.ndarray]
    values: dict[str, Any] = field(default_factory=dict)


class Control(ABC):
    """Fitted on the rows that the chosen candidate was fitted on, judged on the same test rows.

    Args:
        outputs: number of classes or labels; 1 for regression.
    """

    name: str

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be fitted here, in words; "" if it can."""
        return ""

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs
        self.left_out = ""  # what `fit` left out or cut short for want of time, to follow the name

    @abstractmethod
    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: Any,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Learn from n inputs and targets ``y``: [n] class indices, [n, outputs] 0/1 labels, [n, 1] values, or ragged.

        Args:
            seconds: that this may take, roughly; None: as many as it needs. ``left_out`` says what did not fit.
            weights: [n] how much each row counts; None: all the same.
        """

    def predicted(self, some: Sequence[Any] | np.ndarray, y: Any, rows: int, task: str, seed: int) -> float:
        """Seconds of `fit` on ``rows`` inputs, timed on ``some`` of them and their targets."""
        return 0.0

    @abstractmethod
    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> Any:
        """Probabilities [n, outputs] of n inputs; for regression, values [n, 1]; ragged where the targets were."""

    @abstractmethod
    def state(self) -> ControlState:
        """What was learnt, for `from_state`."""

    @classmethod
    @abstractmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """The fitted control again: its probabilities are exactly the same.

        Raises:
            KeyError, TypeError, ValueError: where ``state`` is no such control's.
        """
