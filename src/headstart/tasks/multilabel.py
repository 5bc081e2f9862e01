"""Any number of labels a row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.tasks.task import Task, require_known, require_text, sorted_labels

#: A label is given where its probability is at least this.
THRESHOLD = 0.5


@final
@dataclass(frozen=True)
class Multilabel(Task):
    """Any number of ``labels`` a row, also none; targets are tuples of str."""

    name, noun, plural = "multilabel", "label", "labels"
    several = graded = True
    least, balanced_by = 1, "the rarest label of each row"
    head_metrics = ("f1_micro", "log_loss")

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

    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """Indicators [n, labels] float32: 1 where the row has the label, else 0."""
        rows = _rows(targets)
        index = {label: i for i, label in enumerate(self.labels)}
        require_known((label for row in rows for label in row), index)
        y = np.zeros((len(rows), len(self.labels)), dtype=np.float32)
        for i, row in enumerate(rows):
            y[i, [index[label] for label in row]] = 1.0
        return y

    @staticmethod
    def probabilities(scores: np.ndarray) -> np.ndarray:
        """The logistic function of each score."""
        half = np.tanh(scores * 0.5)  # tanh cannot overflow where exp can
        return 0.5 * (1 + half)

    @staticmethod
    def row_losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Minus the log probabilities of what is true of each label, summed."""
        return np.logaddexp(0, np.where(y > 0, -scores, scores)).sum(axis=1, dtype=np.float64)

    @staticmethod
    def chance(outputs: int) -> float:
        """Of a probability of one half for each label."""
        return math.log(2)

    @staticmethod
    def labels_in(targets: Iterable[Any]) -> list[tuple[str, ...]]:
        """Any number a row."""
        return [tuple(labels) for labels in targets]

    @staticmethod
    def counts(y: np.ndarray, outputs: int = 0) -> np.ndarray:
        """Rows that have each label."""
        return (y > 0).sum(axis=0)

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The labels with a probability of at least `THRESHOLD`, [n] object of tuples of str."""
        chosen = np.asarray(probabilities) >= THRESHOLD
        return objects(tuple(self.labels[i] for i in np.flatnonzero(row)) for row in chosen)

    def mistakes(self, y: np.ndarray, p: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A label too many or too few; the confidence in the wrong one of which the model was surest."""
        said = given >= THRESHOLD
        other = said != (y > THRESHOLD)
        sure = np.where(other, np.where(said, p, 1 - p), -1.0).max(axis=1, initial=-1.0)
        return other.any(axis=1), sure

    def difference(self, truth: Any, answer: Any, value: Any = None) -> dict[str, Any]:
        """The labels that are missing, and those that are too many."""
        missing, more = set(truth) - set(answer), set(answer) - set(truth)
        parts = {"missing": missing, "too many": more}
        return {name: tuple(label for label in self.labels if label in some) for name, some in parts.items()}

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """The labels that are more probable than not."""
        return ", ".join(self.decode(p[None])[0]) or "no label", "by the probability of each label"

    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """Micro-averaged F1."""
        return (
            "f1_micro",
            "rows can have several labels, most of them absent, which plain accuracy would reward",
        )


def _rows(targets: Iterable[Any]) -> list[tuple[str, ...]]:
    """``targets`` checked to be tuples of labels: a bare str would be taken apart into letters."""
    rows = list(targets)
    for i, row in enumerate(rows):
        if not isinstance(row, tuple | list | set | frozenset):
            raise LabelError(f"the target of row {i + 1} is {row!r}; a multilabel target is a tuple of labels.")
        for label in row:
            require_text(label, i)
    return [tuple(row) for row in rows]
