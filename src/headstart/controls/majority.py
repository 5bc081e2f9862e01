"""The plainest control: the same answer whatever the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.tasks import get


class Majority(Control):
    """Frequencies of the training classes or labels, or the mean of the training values."""

    name = "majority"

    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: np.ndarray,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Count; the inputs are not looked at."""
        if get(task).exclusive:
            counts = np.bincount(y, weights, minlength=self.outputs)
            self._answer = counts / counts.sum()
        else:
            self._answer = np.average(y, axis=0, weights=weights)

    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The same row n times."""
        return np.tile(self._answer.astype(np.float64), (len(inputs), 1))

    def state(self) -> ControlState:
        """The one answer, [outputs]."""
        return ControlState({"answer": self._answer.astype(np.float64)})

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """With that answer."""
        control = cls(outputs)
        control._answer = state.tensors["answer"]
        return control
