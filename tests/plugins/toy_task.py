"""A task as another distribution would bring it: how many of something there are, told by a whole number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.errors import LabelError
from headstart.tasks import Task


@dataclass(frozen=True)
class Counts(Task):
    """A whole number from 0 on a row; answers are never below it."""

    name, noun, plural = "counts", "count", "counts"
    values = True
    balanced_by = "quantiles of the counts"
    head_metrics = ("r2",)

    @classmethod
    def from_targets(cls, targets: Iterable[Any]) -> Counts:
        if len(set(targets)) < 2:
            raise LabelError("the training targets hold one count; counts need two that differ.")
        return cls()

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        values = np.array(list(targets), dtype=float)
        if (values < 0).any() or (values % 1 != 0).any():
            raise LabelError(
                f"a count is {values[(values < 0) | (values % 1 != 0)][0]:g}; it is a whole number from 0."
            )
        return values[:, None]

    @staticmethod
    def probabilities(scores: np.ndarray) -> np.ndarray:
        return np.maximum(scores, 0)

    @staticmethod
    def row_losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        return ((scores - y) ** 2).mean(axis=1, dtype=np.float64)

    @staticmethod
    def chance(outputs: int) -> float:
        return 1.0

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        return np.round(np.reshape(probabilities, -1)).astype(object)

    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        return "r2", "counts are values"

    def mistakes(self, y: np.ndarray, p: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        off = np.abs(np.round(p[:, 0]) - y[:, 0])
        return off > 0, off

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        return f"{p[0]:.0f}", "far beyond the usual error"
