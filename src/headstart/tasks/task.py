"""The contract of a task: targets in, numbers out, and back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from headstart.errors import BundleError, LabelError

_SHOWN = 5  # labels or rows listed in a message before "and N more"


class Task(ABC):
    """What is to be predicted, fixed by the training targets.

    Attributes:
        name: the task's name in settings and records.
        labels: the names of the outputs, in the order of the columns of scores; () for regression.
        precision: that answers are given and kept in.
    """

    name: ClassVar[str]
    precision: ClassVar[type[np.floating]] = np.float32
    labels: tuple[str, ...]

    @classmethod
    @abstractmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The task that the training ``targets`` [n] define; `LabelError` if they cannot be learnt from."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """The number of columns of scores and probabilities."""

    @abstractmethod
    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """``targets`` [n] as numbers; `LabelError` for labels that training did not have."""

    @abstractmethod
    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Raw ``scores`` [n, outputs] as probabilities [n, outputs]; regression returns them as they are."""

    @abstractmethod
    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The answers [n] object in the form of the targets."""

    @abstractmethod
    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """The metric to choose by when the user names none, and the reason in words; ``y`` as encoded."""

    def to_dict(self) -> dict[str, Any]:
        """What a bundle keeps, of JSON types only."""
        return {"task": self.name, "labels": list(self.labels)}

    @classmethod
    @abstractmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; `BundleError` if the record is not one of this task."""


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct ``labels`` in order: numerically where all are integers, else by code point."""
    distinct = set(labels)
    if all(re.fullmatch(r"[+-]?[0-9]+", label) for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def labels_of(record: Mapping[str, Any], task: str, least: int) -> tuple[str, ...]:
    """The labels kept in a bundle's ``record``; `BundleError` if they cannot be ``task``'s."""
    labels: Any = record.get("labels")
    valid = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if record.get("task") != task or not valid or len(set(labels)) != len(labels) or len(labels) < least:
        raise BundleError(
            f"the record is not of a {task} task: 'task' must be {task!r} and 'labels' at least {least} "
            "distinct strings; save the bundle anew."
        )
    return tuple(labels)


def require_known(labels: Iterable[str], known: Mapping[str, int]) -> None:
    """`LabelError` listing those of ``labels`` that are not ``known``."""
    unseen = sorted_labels(label for label in labels if label not in known)
    if unseen:
        raise LabelError(
            f"{listed(unseen)} did not occur among the training targets, which have {listed(tuple(known))}; "
            "correct the labels or train with examples of them."
        )


def require_text(label: Any, row: int) -> None:
    """`LabelError` unless ``label``, of 0-based ``row``, is a non-blank string."""
    if not isinstance(label, str) or not label.strip():
        raise LabelError(f"the label of row {row + 1} is {label!r}; a label is a non-empty text.")


def listed(labels: tuple[str, ...]) -> str:
    """The first few ``labels`` quoted, and how many more there are."""
    shown = ", ".join(repr(label) for label in labels[:_SHOWN])
    more = len(labels) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
