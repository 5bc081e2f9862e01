"""What cached features say of one base: the scores, each with its cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.bases.base import Base
from headstart.ranking.estimate import Estimate
from headstart.ranking.hscore import h_score
from headstart.ranking.kept import kept
from headstart.ranking.knn import loo_knn_accuracy
from headstart.ranking.logme import logme
from headstart.ranking.n_leep import n_leep
from headstart.ranking.parc import parc
from headstart.ranking.ranked import Evidence
from headstart.ranking.solved import solved_score
from headstart.tasks.task import Task

SOLVED, NEIGHBOURS = "linear classifier", "nearest neighbours"
#: Scores that are shown only are computed on at most so many of the rows.
_SHOWN_ROWS = 1000
_NAN = float("nan")


@dataclass(frozen=True)
class Question:
    """What bases are asked: rows without the features, which are each base's own.

    Attributes:
        y: targets as the task encodes them.
        keys: [n] content hashes.
        units: [n] int: rows of one number are never parted.
        metric: that the race judges by.
        seed: of the folds.
    """

    task: Task
    y: np.ndarray
    keys: np.ndarray
    units: np.ndarray
    metric: str
    seed: int

    @property
    def groups(self) -> np.ndarray | None:
        """The units, or None where each row is one of its own."""
        return None if len(np.unique(self.units)) == len(self.units) else self.units

    def about(self, *bases: Base) -> list[object]:
        """All that an answer depends on."""
        return [
            [base.key() for base in bases],
            self.task.to_dict(),
            self.y,
            self.keys,
            self.units,
            self.metric,
            self.seed,
        ]


def weigh(question: Question, base: Base, x: np.ndarray) -> tuple[Evidence, ...]:
    """The scores of ``base`` by its features ``x`` [n, width]; kept from before where nothing has changed.

    Raises:
        OutputError: where the cache cannot be written.
    """
    found, known = kept(["evidence", SOLVED, NEIGHBOURS, *question.about(base)], lambda: _scores(question, x))
    return tuple(
        Evidence(name, _number(value), _number(sd), 0.0 if known else seconds, name in (SOLVED, NEIGHBOURS))
        for name, value, sd, seconds in found
    )


def _scores(question: Question, x: np.ndarray) -> list[tuple[str, float | None, float | None, float]]:
    """(name, value, standard error, seconds) of each score that the task has; None for nan."""
    y, task, few = question.y, question.task.name, slice(_SHOWN_ROWS)
    metric = question.metric if question.metric in question.task.head_metrics else None

    def shown(score: Callable[[], float]) -> Callable[[], Estimate]:
        return lambda: Estimate(score(), _NAN)

    ways: dict[str, Callable[[], Estimate]] = {
        SOLVED: lambda: _points(solved_score(x, y, task, seed=question.seed, metric=metric, groups=question.groups)),
        NEIGHBOURS: lambda: _points(loo_knn_accuracy(x, y, task=task, metric=metric, groups=question.groups)),
        "LogME": shown(lambda: logme(x[few], y[few], task)),
    }
    if question.task.exclusive:
        ways |= {
            "H-score": shown(lambda: h_score(x[few], y[few])),
            "PARC": shown(lambda: parc(x[few], y[few])),
            "N-LEEP": shown(lambda: n_leep(x[few], y[few], seed=question.seed)),
        }
    rows = []
    for name, way in ways.items():
        start = time.perf_counter()
        found = way()
        rows.append((name, _plain(found.value), _plain(found.sd), time.perf_counter() - start))
    return rows


def _points(estimate: Estimate) -> Estimate:
    return Estimate(100 * estimate.value, 100 * estimate.sd)


def _plain(value: float) -> float | None:
    """JSON has no nan."""
    return value if np.isfinite(value) else None


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)
