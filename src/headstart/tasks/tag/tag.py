"""One label a word of a text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.modalities.text.words import Words, as_words
from headstart.ragged import Ragged, flat, offsets_of, shaped
from headstart.tasks.classification import Classification
from headstart.tasks.task import Task, require_known, require_text, sorted_labels

#: The label of a word that is part of nothing.
OUTSIDE = "O"


@dataclass(frozen=True, eq=False)
class Tags(Ragged):
    """The label of each word of n texts, as a number.

    Attributes:
        names: of the labels.
    """

    names: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Tag(Task):
    """Exactly one of ``labels`` a word; targets are tuples of str, one a word.

    Labels that mark entities are "O" (part of none), then for each type "B-TYPE" (its first word) and "I-TYPE" (those
    that follow); see `marks_entities`. Others, such as parts of speech, mark words alone.
    """

    name, noun, plural = "tag", "tag", "tags"
    item, items = "word", "words"
    each, readout = "classification", "words"
    least, balanced_by = 2, "the rarest tag of each text"
    head_metrics = ("log_loss",)
    target_type = np.int64

    @classmethod
    def from_targets(cls, targets: Iterable[Any]) -> Self:
        """The tags among ``targets`` [n] tuple of str; `LabelError` if there are fewer than two."""
        rows = _rows(targets)
        found = sorted_labels(tag for row in rows for tag in row)
        if len(found) < 2:
            told = f"only {found[0]!r}" if found else "no tag at all"
            raise LabelError(f"the training targets hold {told}; tagging needs at least two tags.")
        if marks_entities(found):
            types = sorted_labels(tag[2:] for tag in found if tag != OUTSIDE)
            return cls((OUTSIDE, *(mark + kind for kind in types for mark in ("B-", "I-"))))
        return cls(found)

    @property
    def entities(self) -> bool:
        """Whether tags mark entities."""
        return marks_entities(self.labels)

    def encode(self, targets: Iterable[Any]) -> Any:
        """Tag numbers of each text's words, `Tags` of int64."""
        rows, index = _rows(targets), {label: i for i, label in enumerate(self.labels)}
        require_known((tag for row in rows for tag in row), index)
        values = np.array([index[tag] for row in rows for tag in row], np.int64)
        return Tags(values, offsets_of([len(row) for row in rows]), self.labels)

    def taken(self, inputs: np.ndarray) -> np.ndarray:
        """Texts with their words: those of a list are told, those of a text found."""
        return objects(
            Words.of(value) if _is_words(value) else as_words(value) if isinstance(value, str) else value
            for value in inputs
        )

    def restored(self, y: Ragged) -> Tags:
        """With the names of the labels."""
        return Tags(y.values, y.offsets, self.labels)

    @staticmethod
    def probabilities(scores: Any) -> Any:
        """Softmax of each word's scores."""
        return shaped(Classification.probabilities(flat(scores)), scores)

    @staticmethod
    def row_losses(scores: Any, y: Any) -> np.ndarray:
        """Minus the log probability of the true tag, a value a word."""
        return Classification.row_losses(flat(scores), flat(y))

    @staticmethod
    def chance(outputs: int) -> float:
        """Of equal probabilities."""
        return math.log(outputs)

    @staticmethod
    def labels_in(targets: Iterable[Any]) -> list[tuple[str, ...]]:
        """The tags of each text, each once."""
        return [tuple(dict.fromkeys(tags)) for tags in targets]

    def decode(self, probabilities: Any) -> np.ndarray:
        """The most probable tag of each word, [n] object of tuples of str."""
        return self.targets(shaped(flat(probabilities).argmax(axis=1), probabilities))

    def targets(self, y: Any) -> np.ndarray:
        """The names of tags, [n] object of tuples of str."""
        return objects(tuple(self.labels[i] for i in y[row]) for row in range(len(y)))

    def mistakes(self, y: Any, p: Any, given: Any) -> tuple[np.ndarray, np.ndarray]:
        """Texts with a wrong tag; the probability of the wrong tag that was surest."""
        said = flat(given).argmax(axis=1)
        sure = np.where(said != flat(y), flat(p)[np.arange(len(said)), said], -1.0)
        most = np.full(len(y), -1.0)
        np.maximum.at(most, y.rows, sure)
        return most >= 0, most

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """Tags are not doubted one by one."""
        return "", ""

    def default_metric(self, y: Any) -> tuple[str, str]:
        """F1 of entities, or the share of words whose tag is right."""
        if self.entities:
            return "entity_f1", "the tags mark entities: one counts if its type, first and last word are right"
        return "token_accuracy", "every word has a tag, and each counts the same"


def marks_entities(labels: Iterable[str]) -> bool:
    """Whether ``labels`` are those of entities: O, and others that begin with B- or I-."""
    others = [label for label in labels if label != OUTSIDE]
    return bool(others) and all(label[:2] in ("B-", "I-") and len(label) > 2 for label in others)


def _is_words(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(word, str) and word for word in value)


def _rows(targets: Iterable[Any]) -> list[tuple[str, ...]]:
    """``targets`` checked to be tuples of tags."""
    rows = list(targets)
    for i, row in enumerate(rows):
        if not isinstance(row, tuple | list):
            raise LabelError(f"the target of row {i + 1} is {row!r}; that of a tag task is a tuple of tags.")
        for tag in row:
            require_text(tag, i)
    return [tuple(row) for row in rows]
