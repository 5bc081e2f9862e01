"""The race of the likeliest bases, and which one wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.flow.rank.estimates import Question
from headstart.heads.solve import solve
from headstart.ranking.halving import Behind, Held, Round, race
from headstart.ranking.kept import kept
from headstart.strategies.solving import head_metric

#: Bases that are raced.
RACED = 3


def run_race(question: Question, bases: Mapping[str, Base], features: Mapping[str, np.ndarray]) -> tuple[Round, ...]:
    """Race ``bases`` by name, cheapest first, by heads solved on their features; kept where nothing has changed.

    Raises:
        OutputError: where the cache cannot be written.
    """
    names = list(bases)
    order = np.arange(len(question.y))  # rows come spread evenly

    def make() -> list[dict[str, Any]]:
        rounds = race(
            names,
            _held(question, features),
            question.y,
            order,
            question.metric,
            units=question.groups,
            seed=question.seed,
        )
        return [asdict(one) for one in rounds]

    found, known = kept(["race of all pairs", names, *question.about(*bases.values())], make)
    return tuple(_round(values, known) for values in found)


def _held(question: Question, features: Mapping[str, np.ndarray]) -> Held:
    task, metric = question.task, question.metric

    def held(base: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        groups = None if question.groups is None else question.groups[rows]
        found = solve(
            features[base][rows],
            question.y[rows],
            task.name,
            seed=question.seed,
            metric=head_metric(metric, task.name),
            balanced=metric == "balanced_accuracy",
            outputs=task.outputs,
            groups=groups,
        )
        told = np.isfinite(found.scores).all(axis=1)
        return task.probabilities(found.scores[told]), rows[told]

    return held


def _round(values: dict[str, Any], known: bool) -> Round:
    behind = tuple(Behind(**one) for one in values["behind"])
    return Round(**{**values, "behind": behind, "seconds": 0.0 if known else values["seconds"]})


def winner_of(alive: Sequence[str], expected: Mapping[str, float], cheapest_first: Sequence[str]) -> str:
    """Of the bases that the race left the one that is expected to do best, of equals the cheapest.

    Taking a cheaper one that is expected to be little behind gave away more than it saved (docs/log.md, 35).
    """
    return max((name for name in cheapest_first if name in alive), key=lambda name: expected[name])
