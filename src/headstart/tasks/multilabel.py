"""Any number of labels a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks.task import Task, labels_of, require_known, require_text, sorted_labels

#: A label is given where its probability is at least this.
THRESHOLD = 0.5


@final
@dataclass(frozen=True)
class Multilabel(Task):
    """Any number of ``labels`` a row, also none; targets are tuples of str."""

    name: ClassVar[str] = "multilabel"
    labels: tuple[str, ...]

    @classmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The labels among ``targets`` [n] tuple of str; `LabelError` if there is none or nothing varies."""
        rows = _rows(targets)
        labels = sorted_labels(label for row in rows for label in row)
        if not labels:
            raise LabelError("no row of the training targets has a label; give at least one row one.")
        if all(len(row) == len(labels) for row in map(set, rows)):
            raise LabelError(f"all {len(rows)} rows have the same labels; give rows that differ in them.")
        return cls(labels)

    @property
    def outputs(self) -> int:
        """The number of labels."""
        return len(self.labels)

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """Indicators [n, labels] float32: 1 where the row has the label, else 0."""
        rows = _rows(targets)
        index = {label: i for i, label in enumerate(self.labels)}
        require_known((label for row in rows for label in row), index)
        y = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for i, row in enumerate(rows):
            y[i, [index[label] for label in row]] = 1.0
        return y

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """The logistic function of each score, in a form that cannot overflow."""
        return np.exp(-np.logaddexp(np.zeros_like(scores), -scores))

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The labels with a probability of at least `THRESHOLD`, [n] object of tuples of str."""
        chosen = np.asarray(probabilities) >= THRESHOLD
        return objects(tuple(self.labels[i] for i in np.flatnonzero(row)) for row in chosen)

    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """Micro-averaged F1."""
        return (
            "f1_micro",
            "rows can have several labels, most of them absent, which plain accuracy would reward",
        )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(labels_of(record, cls.name, least=1))


def _rows(targets: Iterable[Any]) -> list[tuple[str, ...]]:
    """``targets`` checked to be tuples of labels: a bare str would be taken apart into letters."""
    rows = list(targets)
    for i, row in enumerate(rows):
        if not isinstance(row, tuple | list | set | frozenset):
            raise LabelError(f"the target of row {i + 1} is {row!r}; a multilabel target is a tuple of labels.")
        for label in row:
            require_text(label, i)
    return [tuple(row) for row in rows]
