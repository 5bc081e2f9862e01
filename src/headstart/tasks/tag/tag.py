"""One label a word of a text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np

from headstart.data.table import objects
from headstart.errors import LabelError
from headstart.evaluation.metric import Metric
from headstart.evaluation.per_class import ClassMetric
from headstart.modalities.text.words import Words, as_words
from headstart.ragged import Ragged, flat, offsets_of, shaped
from headstart.tasks.classification import Classification
from headstart.tasks.tag.consistency import Inconsistent, about, inconsistent
from headstart.tasks.tag.metrics import ACCURACY, ENTITY_METRICS, TOKEN_METRICS, by_label, said_tags
from headstart.tasks.tag.spans import OUTSIDE, Scheme, Span, Spans, marked, marks_entities, span_of
from headstart.tasks.task import Noticed, Task, require_known, require_text, sorted_labels

_WRONG = ("missed", "spurious", "wrong type", "wrong boundary")


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
    controls = ("most frequent tag", "CRF on words and shapes")
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

    @property
    def scheme(self) -> Scheme | None:
        """What the tags mean; None where they do not mark entities."""
        return Scheme.of(self.labels) if self.entities else None

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

    def metrics(self) -> tuple[Metric, ...]:
        """Of entities and words, or of words alone."""
        return (*ENTITY_METRICS, ACCURACY) if self.entities else (ACCURACY, *TOKEN_METRICS)

    def scores_by_label(self, y: Any, p: Any, units: np.ndarray | None) -> list[tuple[str, ClassMetric]]:
        """Of each type of entity, or of each tag."""
        return by_label(y, p, units)

    def said(self, probabilities: Any) -> Any:
        """The tag of each word, `Ragged` of int64: the best sequence in which an entity begins before it goes on."""
        return said_tags(probabilities, self.scheme)

    def decode(self, probabilities: Any) -> np.ndarray:
        """The names of what is `said`, [n] object of tuples of str."""
        return self.targets(self.said(probabilities))

    @classmethod
    def purpose(cls) -> str:
        """Tagging."""
        return "tagging"

    @property
    def names(self) -> tuple[str, ...]:
        """Types of entities, or tags."""
        return self.scheme.types if self.scheme else self.labels

    @property
    def named(self) -> str:
        """Types of entities, or tags."""
        if self.scheme is None:
            return super().named
        count = len(self.scheme.types)
        return f"{count:,} entity {'type' if count == 1 else 'types'}"

    @property
    def scored(self) -> str:
        """Types of entities, or tags."""
        return "entity type" if self.entities else self.noun

    @property
    def counted(self) -> str:
        """Those there are in truth."""
        return "entities" if self.entities else self.items

    @property
    def answer(self) -> str:
        """What the spans are."""
        return "entities" if self.entities else "tags"

    def reported(self, probabilities: Any, inputs: Any) -> np.ndarray:
        """See `spans`."""
        return objects(self.spans(inputs, probabilities))

    def spans(self, inputs: Sequence[Any], probabilities: Any) -> list[tuple[Span, ...]]:
        """The entities of n texts with their characters and confidence; of other tags a span for every word.

        Args:
            inputs: [n] texts; where they are not `Words`, these are found.
            probabilities: `Ragged` [items, tags].
        """
        if self.scheme:
            return marked(inputs, probabilities, self.scheme)
        found, sure = self.said(probabilities), probabilities.like(probabilities.values.max(axis=1))
        out = []
        for row, value in enumerate(inputs):
            text, tags = as_words(value), enumerate(zip(found[row].tolist(), sure[row].tolist(), strict=True))
            out.append(tuple(span_of(text, i, i, self.labels[tag], p) for i, (tag, p) in tags))
        return out

    def targets(self, y: Any) -> np.ndarray:
        """The names of tags, [n] object of tuples of str."""
        return objects(tuple(self.labels[i] for i in y[row]) for row in range(len(y)))

    def mistakes(self, y: Any, p: Any, given: Any) -> tuple[np.ndarray, np.ndarray]:
        """Texts with a wrong tag; the probability of the wrong tag that was surest."""
        said = self.said(given).values
        sure = np.where(said != y.values, p.values[np.arange(len(said)), said], -1.0)
        most = np.full(len(y), -1.0)
        np.maximum.at(most, y.rows, sure)
        return most >= 0, most

    def difference(self, truth: Any, answer: Any, value: Any = None) -> dict[str, Any]:
        """Entities that are missed, spurious, of the wrong type or wrongly bounded, each once; of words, wrong tags.

        A wrong boundary is that of an entity which overlaps the true one, whatever its type.
        """
        words = _words_of(value, len(truth))
        if not self.entities:
            pairs = zip(words, truth, answer, strict=True)
            return {"wrong tags": tuple(f"{word}: {a} → {b}" for word, a, b in pairs if a != b)}
        true, said = _entities(truth), _entities(answer)
        told: dict[str, list[str]] = {name: [] for name in _WRONG}
        left = [one for one in said if one not in true]
        for one in (one for one in true if one not in said):
            near = next((other for other in left if other[0] <= one[1] and one[0] <= other[1]), None)
            if near is None:
                told["missed"].append(_name(words, one))
                continue
            left.remove(near)
            if near[:2] == one[:2]:
                told["wrong type"].append(f"{_name(words, one)} → {near[2]}")
            else:
                told["wrong boundary"].append(f"{_name(words, one)} → {_name(words, near)}")
        told["spurious"] = [_name(words, one) for one in left]
        return {name: tuple(some) for name, some in told.items()}

    @staticmethod
    def written(target: Any, value: Any) -> str:
        """The entities, as "Ann (person); New York (city)", or each word with its tag, as "The/DET dog/NOUN"."""
        words = _words_of(value, len(target))
        if not all(tag == OUTSIDE or marks_entities([tag]) for tag in target):
            return " ".join(f"{word}/{tag}" for word, tag in zip(words, target, strict=True))
        return "; ".join(_name(words, one) for one in _entities(target)) or "no entity"

    def inconsistent(self, inputs: Sequence[Any], targets: Sequence[Any]) -> list[Inconsistent]:
        """Strings that are marked as one type here and as another, or not at all, there; the worst first."""
        return inconsistent(inputs, self.encode(targets), self.scheme) if self.scheme else []

    def noticed(self, inputs: Sequence[Any], targets: Sequence[Any]) -> list[Noticed]:
        """Strings that are `inconsistent`."""
        found = about(self.inconsistent(inputs, targets))
        return [found] if found else []

    def suggested(self, p: np.ndarray, truth: np.ndarray, among: np.ndarray) -> tuple[str, str]:
        """Tags are not doubted one by one."""
        return "", ""

    def default_metric(self, y: Any) -> tuple[str, str]:
        """F1 of entities, or the share of words whose tag is right."""
        if self.entities:
            return "entity_f1", "the tags mark entities: one counts if its type, first and last word are right"
        return "token_accuracy", "every word has a tag, and each counts the same"


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


def _words_of(value: Any, count: int) -> list[str]:
    """The words of an input; by their numbers where it is not given."""
    return as_words(value).tokens if isinstance(value, str) else [f"word {i + 1}" for i in range(count)]


def _name(words: list[str], entity: tuple[int, int, str]) -> str:
    first, last, kind = entity
    return f"{' '.join(words[first : last + 1])} ({kind})"


def _entities(target: Sequence[str]) -> list[tuple[int, int, str]]:
    """First and last word and type of the entities in the tags of one text."""
    kinds = sorted_labels(tag[2:] for tag in target if tag != OUTSIDE)
    names = (OUTSIDE, *(mark + kind for kind in kinds for mark in ("B-", "I-")))
    scheme, values = Scheme.of(names), np.array([names.index(tag) for tag in target], np.int64)
    found = Spans.of(Ragged(values, offsets_of([len(values)])), scheme)
    return list(zip(found.first.tolist(), found.last.tolist(), (kinds[one] for one in found.type), strict=True))
