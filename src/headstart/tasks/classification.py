"""One label a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks.task import Task, labels_of, require_known, require_text, sorted_labels

_LARGEST_TO_SMALLEST = 3.0  # both ratios reached: accuracy would mostly tell about the large classes
_LARGEST_TO_MEAN = 1.5


@final
@dataclass(frozen=True)
class Classification(Task):
    """Exactly one of ``labels`` a row; targets are str."""

    name: ClassVar[str] = "classification"
    labels: tuple[str, ...]

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

    @property
    def outputs(self) -> int:
        """The number of classes."""
        return len(self.labels)

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """Class numbers [n] int64, indices into ``labels``."""
        index = {label: i for i, label in enumerate(self.labels)}
        targets = list(targets)
        for row, label in enumerate(targets):
            require_text(label, row)
        require_known(targets, index)
        return np.array([index[label] for label in targets], dtype=np.int64)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Softmax over the columns, shifted by the row's maximum so that it cannot overflow."""
        shifted = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The most probable label [n] object of str; the first of equals."""
        return objects(self.labels[i] for i in np.argmax(probabilities, axis=1))

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

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(labels_of(record, cls.name, least=2))
