"""How tags are judged: entities that are right as a whole, and words.

An entity counts where its type, first and last word are right (Tjong Kim Sang & De Meulder 2003, "Introduction to the
CoNLL-2003 shared task"). Answers are decoded to the best possible sequence of tags before they are judged. Rows are
sentences or documents, so that their intervals follow how mistakes of one row go together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headstart.evaluation import class_metrics as by_class
from headstart.evaluation.bootstrap import score_interval
from headstart.evaluation.metric import Cells, Metric, Summed, ratio
from headstart.evaluation.metrics import register
from headstart.evaluation.per_class import ClassMetric, share
from headstart.evaluation.units import Units
from headstart.ragged import Ragged
from headstart.tasks.tag.spans import Scheme, Spans, marks_entities

_TASKS = ("tag",)
_LEVEL = 0.95


def said_tags(said: Ragged, scheme: Scheme | None) -> Ragged:
    """Tag numbers: those that were ``said``, or of probabilities [items, tags] the best, as `scheme` allows them."""
    if np.issubdtype(said.values.dtype, np.integer):
        return said
    return said.like(scheme.chain(said).best() if scheme else said.values.argmax(axis=1))


def _both(truth: Any, said: Ragged) -> tuple[Spans, Spans, Scheme]:
    """The true entities and those that were said."""
    scheme = Scheme.of(truth.names)
    return Spans.of(truth, scheme), Spans.of(said_tags(said, scheme), scheme), scheme


def entity_cells(truth: Any, said: Ragged) -> Cells:
    """[n, 3 types] of each type the entities of a row that are found exactly, those that are true, those said."""
    true, given, scheme = _both(truth, said)
    hit, types = given.among(true, len(truth.values)), len(scheme.types)
    rows = np.concatenate([given.row[hit], true.row, given.row])
    columns = np.concatenate([given.type[hit], true.type + types, given.type + 2 * types])
    return Cells(rows, columns, (len(truth), 3 * types))


def _word_tags(truth: Any, said: Ragged) -> np.ndarray:
    """[items] what is said of each word; where tags mark entities, as far as they can follow each other."""
    scheme = Scheme.of(truth.names) if marks_entities(truth.names) else None
    return said_tags(said, scheme).values


def word_cells(truth: Any, said: Ragged) -> Cells:
    """[n, 3 tags] of each tag the words of a row that have it and are given it, that have it, that are given it."""
    y, given, row, k = truth.values, _word_tags(truth, said), truth.rows, len(truth.names)
    hit = given == y
    columns = np.concatenate([y[hit], y + k, given + 2 * k])
    return Cells(np.concatenate([row[hit], row, row]), columns, (len(truth), 3 * k))


def _summed(s: np.ndarray) -> list[np.ndarray]:
    """[3][draws] found, true and said, of all types or tags."""
    return [part.sum(axis=0) for part in np.split(s, 3)]


def f1(s: np.ndarray) -> np.ndarray:
    """Of all entities, whatever their type; nan where there is none and none is said."""
    hits, true, given = _summed(s)
    return ratio(2 * hits, true + given)


def precision(s: np.ndarray) -> np.ndarray:
    """Share of the entities said that are right."""
    hits, _, given = _summed(s)
    return ratio(hits, given)


def recall(s: np.ndarray) -> np.ndarray:
    """Share of the true entities that are found."""
    hits, true, _ = _summed(s)
    return ratio(hits, true)


def _as_one(s: np.ndarray) -> np.ndarray:
    """[1] how many there are in truth, all types taken together."""
    return np.atleast_1d(_summed(s)[1])


_NONE = "no row has an entity and none is predicted"
_MACRO: dict[str, Any] = {
    "of": by_class.f1_macro,
    "slope": by_class.f1_slope,
    "pull": by_class.f1_bias,
    "classes": by_class.rows_of_classes,
}
_ENTITIES: dict[str, Any] = {"decides": True, "statistics": entity_cells}
_MICRO: dict[str, Any] = {**_ENTITIES, "classes": _as_one}
_WORDS: dict[str, Any] = {"decides": True, "statistics": word_cells}

#: Of tags that mark entities.
ENTITY_METRICS: tuple[Metric, ...] = (
    Summed(
        "entity_f1",
        _TASKS,
        "F1 of entities whose type, first and last word are right",
        of=f1,
        reason=_NONE,
        **_MICRO,
    ),
    Summed(
        "entity_precision",
        _TASKS,
        "share of predicted entities that are right",
        of=precision,
        reason="no entity is predicted",
        **_MICRO,
    ),
    Summed("entity_recall", _TASKS, "share of entities found", of=recall, reason="no row has an entity", **_MICRO),
    Summed("entity_f1_macro", _TASKS, "mean entity F1 of the types", reason=_NONE, **_MACRO, **_ENTITIES),
)
ACCURACY = Summed(
    "token_accuracy", _TASKS, "share of words whose tag is right", of=recall, reason="no row has a word", **_WORDS
)
#: Of tags that each stand for themselves.
TOKEN_METRICS: tuple[Metric, ...] = (
    Summed("token_f1_macro", _TASKS, "mean F1 of the tags", reason="no row has a word", **_MACRO, **_WORDS),
)
register(*ENTITY_METRICS, ACCURACY, *TOKEN_METRICS)


def by_label(truth: Any, said: Ragged, units: np.ndarray | None = None) -> list[tuple[str, ClassMetric]]:
    """Precision, recall and F1 of each type of entity, or of each tag of words, with its name.

    ``n`` is the number of true entities (words). Intervals hold `units` [n], or the rows, together.
    """
    if marks_entities(truth.names):
        true, given, scheme = _both(truth, said)
        hits = (given.among(true, len(truth.values)), true.among(given, len(truth.values)))
        return _scores(scheme.types, (given.row, true.row), (given.type, true.type), hits, truth, units)
    value, row = _word_tags(truth, said), truth.rows
    hit = value == truth.values
    return _scores(truth.names, (row, row), (value, truth.values), (hit, hit), truth, units)


_Pair = tuple[np.ndarray, np.ndarray]  # of what is said, and of what is true


def _scores(
    names: tuple[str, ...], rows: _Pair, kinds: _Pair, hits: _Pair, truth: Any, units: np.ndarray | None
) -> list[tuple[str, ClassMetric]]:
    codes = Units.of(units, len(truth)).code
    together = [Units.of(codes[row], len(row)) for row in rows]

    def scores(output: int) -> ClassMetric:
        said, true = (kind == output for kind in kinds)
        columns = [rows[0][said & hits[0]], rows[1][true], rows[0][said]]
        of_rows = np.stack([np.bincount(row, minlength=len(truth)) for row in columns], axis=1).astype(float)
        return ClassMetric(
            output,
            int(true.sum()),
            share(hits[0], said, together[0], _LEVEL),
            share(hits[1], true, together[1], _LEVEL),
            score_interval(replace(_OF_ONE, statistics=lambda *_: of_rows), truth, truth, units=units, level=_LEVEL),
        )

    return [(name, scores(output)) for output, name in enumerate(names)]


_OF_ONE = Summed("entity_f1", _TASKS, "F1", statistics=entity_cells, of=f1, classes=_as_one)
