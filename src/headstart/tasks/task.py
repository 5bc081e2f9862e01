"""The contract of a task: targets in, numbers out, and back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from headstart.errors import BundleError, LabelError
from headstart.evaluation.metric import Metric
from headstart.evaluation.metrics import for_task
from headstart.evaluation.per_class import ClassMetric

_SHOWN = 5  # labels or rows listed in a message before "and N more"


@dataclass(frozen=True)
class Noticed:
    """What targets show together, such as the same words labelled in several ways.

    Attributes:
        sentence, suggestion: what, with its numbers, and what to do.
        rows: the rows concerned, those to look at first.
        cases: each case in words, the worst first.
    """

    sentence: str
    suggestion: str
    rows: tuple[int, ...]
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Task(ABC):
    """What is to be predicted, fixed by the training targets.

    Others ask what a task can do, never what it is called. The class methods need no targets, so that they can be
    asked of the class that `headstart.tasks.get` gives for a name.

    Attributes:
        name: the task's name in settings and records.
        noun, plural: what an output is called.
        exclusive: a row has exactly one of the labels: their confusion can be counted, and classes weighed or left out.
        several: a row has any number of the labels: each is given or not by itself, from a threshold on.
        graded: answers are probabilities: they can be calibrated, made sets of labels, and withheld.
        values: answers are numbers in the targets' unit: targets are standardised to be learnt, errors have a size.
        item, items: what each row has several of, which are answered one by one; "" where a row has one answer. Encoded
            targets and probabilities are then `headstart.ragged.Ragged`.
        each: the task that each of these items poses, by its name: heads and losses are that task's; "" without items.
        readout: what is read off a base: "pooled", one vector a row, or "words", one a word.
        objective: what is trained on top of that, by its name in `headstart.training.objective`.
        least: labels that there must be.
        balanced_by: what the parts of a split are balanced by, in words.
        head_metrics: what heads can be compared by (see `headstart.heads.scoring`), the default first.
        target_type: of encoded targets in training.
        precision: that answers are given and kept in.
        controls: baselines of the task's own, by name (see `headstart.controls.panel`); (): those of the modality.
        labels: the names of the outputs, in the order of the columns of scores; () for regression.
    """

    name: ClassVar[str]
    noun: ClassVar[str]
    plural: ClassVar[str]
    exclusive: ClassVar[bool] = False
    several: ClassVar[bool] = False
    graded: ClassVar[bool] = False
    values: ClassVar[bool] = False
    item: ClassVar[str] = ""
    items: ClassVar[str] = ""
    each: ClassVar[str] = ""
    readout: ClassVar[str] = "pooled"
    objective: ClassVar[str] = "linear"
    least: ClassVar[int] = 0
    balanced_by: ClassVar[str]
    head_metrics: ClassVar[tuple[str, ...]]
    target_type: ClassVar[type[np.generic]] = np.float32
    precision: ClassVar[type[np.floating]] = np.float32
    controls: ClassVar[tuple[str, ...]] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The task that the training ``targets`` [n] define; `LabelError` if they cannot be learnt from."""

    @property
    def outputs(self) -> int:
        """The number of columns of scores and probabilities: one a label, one where there are none."""
        return len(self.labels) or 1

    @classmethod
    def judged_as(cls) -> str:
        """Which of headstart's own tasks has answers of the same form: `headstart.evaluation` knows no others."""
        if cls.each:
            return cls.name  # whose metrics are its own
        return "classification" if cls.exclusive else "multilabel" if cls.several else "regression"

    def metrics(self) -> tuple[Metric, ...]:
        """What its answers can be judged by."""
        return for_task(self.judged_as(), self.outputs)

    def restored(self, y: Any) -> Any:
        """Encoded targets as `encode` gives them, of the numbers alone that were kept of them."""
        return y

    def scores_by_label(self, y: Any, p: Any, units: np.ndarray | None) -> list[tuple[str, ClassMetric]]:
        """Precision and recall of what its answers name, where that is not its outputs one by one."""
        return []

    @classmethod
    def purpose(cls) -> str:
        """What inputs are taken for, as in "texts for classification"."""
        return cls.name

    @property
    def names(self) -> tuple[str, ...]:
        """What an answer names."""
        return self.labels

    @property
    def named(self) -> str:
        """How many there are of what an answer names, as "3 classes"."""
        return f"{len(self.labels):,} {self.noun if len(self.labels) == 1 else self.plural}"

    @property
    def scored(self) -> str:
        """What precision and recall are of, one of them."""
        return self.noun

    @property
    def counted(self) -> str:
        """What they are counted on."""
        return "rows"

    @property
    def answer(self) -> str:
        """The column of a table that `reported` goes into."""
        return "label" if self.labels else "value"

    def taken(self, inputs: np.ndarray) -> np.ndarray:
        """``inputs`` [n] of a caller in the form that sources give them in."""
        return inputs

    def reported(self, probabilities: Any, inputs: Any) -> np.ndarray:
        """What a model answers to ``inputs`` [n], [n] object: in the form of the targets, or what reads better.

        Args:
            probabilities: [n, outputs] or ragged, as thresholds decide them.
        """
        return self.decode(probabilities)

    @staticmethod
    def written(target: Any, value: Any) -> str:
        """A ``target``, or an answer, to the input ``value`` as people read it."""
        return "; ".join(map(str, target)) if isinstance(target, tuple | list) else str(target)

    def noticed(self, inputs: Sequence[Any], targets: Sequence[Any]) -> list[Noticed]:
        """What the ``targets`` of n training rows show together that may not be right."""
        return []

    @abstractmethod
    def encode(self, targets: Iterable[Any]) -> np.ndarray:
        """``targets`` [n] as numbers; `LabelError` for labels that training did not have."""

    @staticmethod
    @abstractmethod
    def probabilities(scores: np.ndarray) -> np.ndarray:
        """Raw ``scores`` [n, outputs] as probabilities [n, outputs]; regression returns them as they are."""

    @staticmethod
    @abstractmethod
    def row_losses(scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] minus the log probability of the truth (summed over labels), or the mean squared error."""

    @staticmethod
    @abstractmethod
    def chance(outputs: int) -> float:
        """The mean loss in training of an answer that knows nothing: a label, a row or a standardised value."""

    @staticmethod
    def labels_in(targets: Iterable[Any]) -> list[tuple[str, ...]]:
        """[n] the labels of each target: one, any number, or, of values, none."""
        return [() for _ in targets]

    @staticmethod
    def counts(y: np.ndarray, outputs: int = 0) -> np.ndarray | None:
        """[outputs] rows of each class or label among encoded ``y``; None: targets are values, not counted."""
        return None

    @abstractmethod
    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The answers [n] object in the form of the targets."""

    def targets(self, y: np.ndarray) -> np.ndarray:
        """The inverse of `encode`: [n] object in the form of the targets."""
        return self.decode(y)

    @abstractmethod
    def mistakes(self, y: np.ndarray, p: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows are wrong, [n] bool, and what orders them, [n]: how sure the model was, or how far off.

        Args:
            y: the truth, encoded.
            p: [n, outputs] probabilities, or values.
            given: [n, outputs] the same as thresholds decide them.
        """

    def difference(self, truth: Any, answer: Any, value: Any = None) -> dict[str, Any]:
        """What a table of mistakes says of a wrong ``answer`` to ``value`` besides the ``truth``: a column each."""
        return {}

    @abstractmethod
    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """What a row of the doubtful encoded target ``truth`` is by ``p`` [outputs], in words, and why.

        ``among`` [n] are all targets; the model that ``p`` is of did not learn from the row.
        """

    @abstractmethod
    def default_metric(self, y: np.ndarray) -> tuple[str, str]:
        """The metric to choose by when the user names none, and the reason in words; ``y`` as encoded."""

    def to_dict(self) -> dict[str, Any]:
        """What a bundle keeps, of JSON types only."""
        return {"task": self.name, "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; `BundleError` if the record is not one of this task."""
        labels: Any = record.get("labels")
        valid = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
        if record.get("task") != cls.name or not valid or len(set(labels)) != len(labels) or len(labels) < cls.least:
            raise BundleError(
                f"the record is not of a {cls.name} task: 'task' must be {cls.name!r} and 'labels' at least "
                f"{cls.least} distinct strings; save the bundle anew."
            )
        return cls(labels=tuple(labels))


def sorted_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct ``labels`` in order: numerically where all are integers, else by code point."""
    distinct = set(labels)
    if all(re.fullmatch(r"[+-]?[0-9]+", label) for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


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
