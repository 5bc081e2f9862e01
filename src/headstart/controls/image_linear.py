"""The control for pictures: classical features and a linear model, chosen as the base's own head is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.heads.linear import LinearHead
from headstart.heads.solve import solve


class ImageLinear(Control):
    """Thumbnails, gradients and colours (`headstart.modalities.classical`) with a solved linear head."""

    name = "pixels + linear"

    def fit(self, inputs: Sequence[Any] | np.ndarray, y: np.ndarray, task: str, seed: int) -> None:
        """Solve the head on ``inputs`` [n, d]; features are standardised within the solving."""
        self._head = solve(np.asarray(inputs), y, task, seed=seed, outputs=self.outputs).head

    def probabilities(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Of ``inputs`` [n, d]."""
        return self._head.probabilities(np.asarray(inputs))

    def state(self) -> ControlState:
        """The head."""
        head = self._head
        values = {"task": head.task, "kind": head.kind, "settings": head.settings}
        return ControlState({"weight": head.weight, "bias": head.bias}, values)

    @classmethod
    def from_state(cls, outputs: int, state: ControlState) -> Self:
        """With that head."""
        control, tensors = cls(outputs), state.tensors
        control._head = LinearHead(tensors["weight"], tensors["bias"], **state.values)
        return control
