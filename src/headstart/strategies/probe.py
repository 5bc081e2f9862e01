"""Probe: the base stays frozen, only a linear head is solved on its pooled features."""

from __future__ import annotations

import time

import numpy as np

from headstart.evaluation.metrics import METRICS
from headstart.heads import scoring
from headstart.heads.linear import probabilities
from headstart.heads.scoring import Metric
from headstart.heads.solve import solve
from headstart.strategies.candidate import Candidate

NAME = "probe"


def run(
    base: str,
    x: np.ndarray,
    y: np.ndarray,
    x_valid: np.ndarray,
    y_valid: np.ndarray,
    task: str,
    *,
    outputs: int,
    metric: str,
    seed: int,
    groups: np.ndarray | None = None,
) -> Candidate:
    """Solve the head on ``x`` [n, width], ``y``; score it on the validation rows.

    Args:
        outputs: classes, labels or 1.
        metric: a name of `headstart.evaluation.metrics.METRICS`.
        groups: [n] rows that stay together in the held-out parts, or None.
    """
    start = time.perf_counter()
    balanced = metric == "balanced_accuracy"
    solved = solve(
        x,
        y,
        task,
        seed=seed,
        metric=head_metric(metric, task),
        balanced=balanced,
        outputs=outputs,
        groups=groups,
    )
    valid = solved.head.probabilities(x_valid)
    score = METRICS[metric].function(y_valid, valid)
    return Candidate(base, NAME, solved.head, valid, score, solved.tried, time.perf_counter() - start)


def head_metric(metric: str, task: str) -> str | Metric:
    """``metric`` as heads take it: a name they know, else a callable of (scores, y), higher better."""
    if metric in scoring.METRICS[task]:
        return metric
    chosen = METRICS[metric]
    sign = 1.0 if chosen.higher_is_better else -1.0
    return lambda scores, y: sign * chosen.function(y, probabilities(scores, task))
