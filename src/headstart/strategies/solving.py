"""Candidates whose base stays frozen: a head is solved on its features."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from headstart.bases.staged import StagedBase
from headstart.evaluation.metrics import METRICS
from headstart.heads.linear import LinearHead
from headstart.heads.scoring import Metric
from headstart.heads.selecting import refit_selected, solve_selected
from headstart.heads.solve import Solved, refit, solve
from headstart.strategies.candidate import Candidate
from headstart.strategies.ground import Ground
from headstart.strategies.strategy import Strategy
from headstart.tasks import get
from headstart.training.features import extract

#: (features [n, d] of some working rows, their numbers [n]) -> the head and how it was chosen.
Solver = Callable[[Any, np.ndarray], Solved]

_LONGER = 1.5  # times as long as one part's that a head on all rows takes


def solved(ground: Ground, strategy: Strategy, seconds: float | None = None) -> Candidate:
    """The candidate of a strategy that trains no weights of the base.

    Args:
        seconds: that the probe's heads on all parts, or the features of all stages, may take; None: no limit.

    Raises:
        SettingError: the features of all stages cannot be done in that time.
    """
    start = time.perf_counter()
    x, parts = features_of(ground, strategy, seconds), len(ground.holding.parts)
    found: list[Solved] = []

    def answers(part: int, train: np.ndarray, held: np.ndarray) -> np.ndarray:
        left = None if seconds is None else seconds - (time.perf_counter() - start)
        solver = _solver(ground, strategy, None if left is None else left / (parts - part))
        found.append(solver(x[train], train))
        return found[-1].head.probabilities(x[held])

    held = ground.holding.collect(answers)
    return Candidate(
        base=ground.base.identity.name,
        strategy=strategy.name,
        features=strategy.features,
        held=held,
        valid_score=ground.score(held),
        heads=tuple(one.head for one in found),
        tried=found[0].tried,
        seconds=time.perf_counter() - start,
        left_out=tuple(dict.fromkeys(kind for one in found for kind in one.left_out)),
    )


def solve_again(ground: Ground, strategy: Strategy, candidate: Candidate, seconds: float | None = None) -> LinearHead:
    """The candidate's head on all working rows: by the settings found, or found anew where each part found its own.

    Args:
        seconds: that this may take; where finding anew may not fit, the first part's settings are taken.
    """
    x, y, task = features_of(ground, strategy), ground.rows.y, ground.task
    anew = _LONGER * candidate.seconds / max(1, len(candidate.heads))
    if len(candidate.heads) > 1 and (seconds is None or anew <= seconds):
        return _solver(ground, strategy, seconds)(x, np.arange(len(x))).head
    again = refit if strategy.features == "pooled" else refit_selected
    return again(candidate.heads[0], x, y, task.name, outputs=task.outputs, weights=ground.rows.weights)


def features_of(ground: Ground, strategy: Strategy, seconds: float | None = None) -> Any:
    """[n, d] float32 of the working rows; those of all stages computed within ``seconds``."""
    if strategy.features == "pooled":
        return ground.rows.vectors
    staged = StagedBase(ground.base)
    return extract(staged, ground.rows.inputs, progress=ground.progress, seconds=seconds).vectors


def _solver(ground: Ground, strategy: Strategy, seconds: float | None = None) -> Solver:
    task, balanced, weights = ground.task, ground.balanced, ground.rows.weights
    metric = head_metric(ground.metric, task.name)

    def pooled(x: np.ndarray, rows: np.ndarray) -> Solved:
        return solve(
            x,
            ground.rows.y[rows],
            task.name,
            seed=ground.seed,
            metric=metric,
            balanced=balanced,
            outputs=task.outputs,
            groups=_parted(ground.units[rows]),
            weights=None if weights is None else weights[rows],
            seconds=seconds,
        )

    def stages(x: np.ndarray, rows: np.ndarray) -> Solved:
        return solve_selected(
            x,
            ground.rows.y[rows],
            task.name,
            parts=StagedBase(ground.base).parts,
            seed=ground.seed,
            metric=metric,
            balanced=balanced,
            outputs=task.outputs,
            groups=_parted(ground.units[rows]),
            weights=None if weights is None else weights[rows],
        )

    return pooled if strategy.features == "pooled" else stages


def _parted(units: np.ndarray) -> np.ndarray | None:
    """The units, or None where each row is one of its own: heads then have exact leave-one-out scores."""
    return None if len(np.unique(units)) == len(units) else units


def head_metric(metric: str, task: str) -> str | Metric:
    """``metric`` as heads take it: a name they know, else a callable of (scores, y), higher better."""
    kind = get(task)
    if metric in kind.head_metrics:
        return metric
    if kind.each:
        return kind.head_metrics[0]  # items are judged one by one, whatever the rows are judged by
    chosen = METRICS[metric]
    sign = 1.0 if chosen.higher_is_better else -1.0
    return lambda scores, y: sign * chosen.function(y, kind.probabilities(scores))
