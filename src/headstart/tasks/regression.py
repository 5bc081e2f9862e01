"""One number a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.evaluation.wording import figures
from headstart.tasks.task import Task

#: Targets lie within it, and those that differ do so by more than one over it: their squares are numbers still.
_LARGEST = 1e100


@final
@dataclass(frozen=True)
class Regression(Task):
    """A number a row, in the unit of the targets; what is solved or trained standardises it."""

    name, noun, plural = "regression", "value", "values"
    values = True
    balanced_by = "quantiles of the target"
    head_metrics = ("r2",)
    precision = np.float64  # float32 has 128 s between the Unix times of today

    @classmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The task of ``targets`` [n] float; `LabelError` if they are not finite numbers or do not vary."""
        y = _numbers(targets)
        if y.size == 0 or np.all(y == y[0]):
            found = f"only the value {y[0]:.15g}" if y.size else "no value at all"
            raise LabelError(f"the training targets hold {found}; regression needs values that differ.")
        if np.ptp(y) < 1 / _LARGEST:
            raise LabelError(f"the training targets differ by {np.ptp(y):g} at most; give them in a smaller unit.")
        return cls()

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """The values [n, 1] float64."""
        return _numbers(targets)[:, None]

    @staticmethod
    def probabilities(scores: np.ndarray) -> np.ndarray:
        """The ``scores`` [n, 1] themselves."""
        return scores

    @staticmethod
    def row_losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The squared error."""
        return ((scores - y) ** 2).mean(axis=1, dtype=np.float64)

    @staticmethod
    def chance(outputs: int) -> float:
        """Of the mean: the variance of standardised targets."""
        return 1.0

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The predicted values [n] object of float."""
        return objects(float(value) for value in np.reshape(probabilities, -1))

    def mistakes(self, y: np.ndarray, p: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Any error at all; its size."""
        off = np.abs(p[:, 0] - y[:, 0])
        return off > 0, off

    def difference(self, truth: Any, answer: Any, value: Any = None) -> dict[str, Any]:
        """The error, above 0 where the answer is too large."""
        return {"error": answer - truth}

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """The predicted value, in as many digits as the targets have."""
        return f"{p[0]:.{figures(np.asarray(among, dtype=float))}g}", "far beyond the usual error"

    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """The share of variance explained."""
        return "r2", "it reads the same in every unit: 1 is perfect, 0 is no better than the mean"


def _numbers(targets: Iterable[Any]) -> np.ndarray:
    """``targets`` as float64 [n], each checked to be a finite number."""
    values = list(targets)
    y = np.empty(len(values))
    for i, value in enumerate(values):
        try:
            y[i] = value
        except (TypeError, ValueError):
            y[i] = np.nan
        if isinstance(value, str) or not np.isfinite(y[i]):
            raise LabelError(f"the target of row {i + 1} is {value!r}; a regression target is a finite number.")
        if abs(y[i]) > _LARGEST:
            raise LabelError(f"the target of row {i + 1} is {value!r}, beyond {_LARGEST:g}; give it in a larger unit.")
    return y
