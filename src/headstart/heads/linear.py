"""The one kind of head that solving gives: scores = x @ weight + bias."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.ragged import Ragged
from headstart.tasks import get, posed


@dataclass(frozen=True)
class LinearHead:
    """A linear map from features to scores, any standardisation folded in.

    Attributes:
        weight: [d, outputs] float32; of a regression in the target's unit, float64.
        bias: [outputs] of the same type.
        task: the name of one.
        kind: the solver it came from: "ridge", "lda" or "logistic".
        settings: what that solver was set to, as plain values.
    """

    weight: np.ndarray
    bias: np.ndarray
    task: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)

    def scores(self, x: Any) -> Any:
        """[n, d] features -> [n, outputs]: logits, float32, or the predicted values of a regression, float64.

        Of ragged rows, whose items have features each, ragged rows of scores.
        """
        if isinstance(x, Ragged):
            return x.like(self.scores(x.values))
        if x.ndim != 2 or x.shape[1] != len(self.weight):
            raise SettingError(f"features have shape {x.shape}; this head takes [n, {len(self.weight)}].")
        x = np.asarray(x, np.float32)
        if not get(self.task).values:
            return x @ self.weight + self.bias
        # The product in float32, as for the others, but neither the target's unit nor its zero: see `TargetScale`.
        size = np.abs(self.weight).max(axis=0).astype(np.float64)
        size[size == 0] = 1
        return (x @ (self.weight / size).astype(np.float32)).astype(np.float64) * size + self.bias

    def probabilities(self, x: Any) -> Any:
        """[n, outputs], ragged where features are: softmax of the scores, sigmoid of each, or these, by task."""
        return get(self.task).probabilities(self.scores(x))

    def scaled(self, temperature: float) -> LinearHead:
        """The head whose scores are these divided by ``temperature`` (Guo et al. 2017, arXiv:1706.04599)."""
        if not posed(self.task).graded:
            raise SettingError(f"a {self.task} head has no temperature: its scores are the predicted values.")
        if not (math.isfinite(temperature) and temperature > 0):
            raise SettingError(f"temperature is {temperature}; it must be a finite number above 0.")
        factor = np.float32(1 / temperature)
        return replace(self, weight=self.weight * factor, bias=self.bias * factor)
