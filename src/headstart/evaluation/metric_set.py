"""All metrics of a task at once, each with its interval, and the reason where there is no value."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.checks import check_answers
from headstart.evaluation.metrics import for_task
from headstart.evaluation.thresholds import Thresholds, decided


def evaluate_with_intervals(
    task: str,
    y: np.ndarray,
    p: np.ndarray,
    *,
    units: np.ndarray | None = None,
    thresholds: Thresholds | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every metric of ``task`` by name for truth ``y`` and ``p`` [n, outputs]; nan where `undefined`.

    ``units`` [n]: codes of rows that belong together; see `headstart.evaluation.units`. Metrics that count answers take
    those that ``thresholds`` give.

    Raises:
        SettingError: truth or probabilities that cannot be judged, see `check_answers`.
    """
    check_answers(task, y, p)
    names = [metric.name for metric in for_task(task, np.shape(p)[1])]
    return {
        name: score_interval(name, y, decided(p, thresholds, name), units=units, level=level, draws=draws, seed=seed)
        for name in names
    }


def undefined(task: str, y: np.ndarray, p: np.ndarray) -> dict[str, str]:
    """The metrics of ``task`` that have no value on these rows, each with the reason in words."""
    y, p = np.asarray(y), np.asarray(p)
    nameless = [metric for metric in for_task(task, p.shape[1]) if np.isnan(metric.function(y, p))]
    return {metric.name: metric.undefined(y, p) for metric in nameless}
