"""The baseline of classical features with a linear model, chosen as the base's own head is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.heads.linear import LinearHead
from headstart.heads.solve import solve
from headstart.tasks import get

_KINDS = 8.0  # times as long as ridge that all kinds of heads take together


class FeaturesLinear(Control):
    """The features that a modality has without a base (`headstart.modalities.types.Classical`) with a solved head.

    Args:
        name: says which features.
    """

    def __init__(self, outputs: int, name: str = "features + linear") -> None:
        super().__init__(outputs)
        self.name = name

    def fit(
        self,
        inputs: Sequence[Any] | np.ndarray,
        y: np.ndarray,
        task: str,
        seed: int,
        seconds: float | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """Solve the head on ``inputs`` [n, d]; features are standardised within the solving."""
        found = solve(np.asarray(inputs), y, task, seed=seed, outputs=self.outputs, seconds=seconds, weights=weights)
        self._head = found.head
        self.left_out = f"was fitted without trying {' and '.join(found.left_out)} to the end" if found.left_out else ""

    def predicted(self, some: Sequence[Any] | np.ndarray, y: np.ndarray, rows: int, task: str, seed: int) -> float:
        """Timed is ridge alone; with the others it is `_KINDS` times as long."""
        start = time.perf_counter()
        solve(np.asarray(some), y, task, seed=seed, outputs=self.outputs, seconds=0.0)
        return (time.perf_counter() - start) * (_KINDS if get(task).graded else 1.0) * max(1.0, rows / len(y))

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
