"""One label a row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks.task import Task, require_known, require_text, sorted_labels

_LARGEST_TO_SMALLEST = 3.0  # both ratios reached: accuracy would mostly tell about the large classes
_LARGEST_TO_MEAN = 1.5


@final
@dataclass(frozen=True)
class Classification(Task):
    """Exactly one of ``labels`` a row; targets are str."""

    name, noun, plural = "classification", "class", "classes"
    exclusive = graded = True
    least, balanced_by = 2, "class"
    head_metrics = ("accuracy", "balanced_accuracy", "log_loss")
    target_type = np.int64

    @classmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The classes among ``targets`` [n] str; `LabelError` if there are fewer than two."""
        targets = list(targets)
        for row, label in enumerate(targets):
            require_text(label, row)
        labels = sorted_labels(targets)
        if len(labels) < 2:
            found = f"only {labels[0]!r}" if labels else "no label at all"
            raise LabelError(f"the training targets hold {found}; classification needs at least two labels.")
        return cls(labels)

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """Class numbers [n] int64, indices into ``labels``."""
        index = {label: i for i, label in enumerate(self.labels)}
        targets = list(targets)
        for row, label in enumerate(targets):
            require_text(label, row)
        require_known(targets, index)
        return np.array([index[label] for label in targets], dtype=np.int64)

    @staticmethod
    def probabilities(scores: np.ndarray) -> np.ndarray:
        """Softmax over the columns, shifted by the row's maximum so that it cannot overflow."""
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p

    @staticmethod
    def row_losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Minus the log probability of the true class."""
        shifted = scores - scores.max(axis=1, keepdims=True)
        truth = shifted[np.arange(len(y)), y]
        return np.log(np.exp(shifted).sum(axis=1, dtype=np.float64)) - truth

    @staticmethod
    def chance(outputs: int) -> float:
        """Of equal probabilities."""
        return math.log(outputs)

    @staticmethod
    def labels_in(targets: Iterable[Any]) -> list[tuple[str, ...]]:
        """One a row."""
        return [(label,) for label in targets]

    @staticmethod
    def counts(y: np.ndarray, outputs: int = 0) -> np.ndarray:
        """Rows of each class."""
        return np.bincount(y, minlength=outputs)

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The most probable label [n] object of str; the first of equals."""
        return self.targets(np.argmax(probabilities, axis=1))

    def targets(self, y: np.ndarray) -> np.ndarray:
        """The names of the classes ``y`` [n]."""
        return objects(self.labels[i] for i in y)

    def mistakes(self, y: np.ndarray, p: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Another class than the true one; the probability of the class that was given."""
        said = given.argmax(axis=1)
        return said != y, p[np.arange(len(y)), said]

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """The most probable class."""
        best = int(p.argmax())
        return self.labels[best], f"probability {p[best]:.2f} against {p[truth]:.2f}"

    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """Accuracy, or balanced accuracy where the classes of ``y`` [n] differ much in size."""
        counts = np.bincount(np.asarray(y, dtype=np.int64))
        counts = counts[counts > 0]
        if counts.size == 0:
            return "accuracy", "there are no examples to weigh the classes by"
        large, small = int(counts.max()), int(counts.min())
        sizes = f"the largest class has {large:,} examples and the smallest {small:,}"
        if large < _LARGEST_TO_SMALLEST * small:
            return "accuracy", f"{sizes}: the classes are of like size"
        if large >= _LARGEST_TO_MEAN * counts.mean():
            return "balanced_accuracy", f"{sizes}, so every class counts the same"
        least = f"{small / counts.sum():.1%}".replace("%", " %")
        return "accuracy", (
            f"{sizes}: most classes are about as large as the largest, but the smallest is {least} of the examples and "
            "hardly counts; `--metric balanced_accuracy` counts every class the same"
        )
