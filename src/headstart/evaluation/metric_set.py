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
    nameless = [metric.name for metric in for_task(task, p.shape[1]) if np.isnan(metric.function(y, p))]
    return {name: _reason(task, name, y, p) for name in nameless}


def _reason(task: str, name: str, y: np.ndarray, p: np.ndarray) -> str:
    if len(y) == 0:
        return "there is no row"
    if not np.isfinite(p).all():
        return "some predictions are not finite numbers"
    if task == "regression":
        return _no_spread(y, p)
    if task == "multilabel":
        return _no_labels(name, y)
    if len(np.unique(y)) == 1:
        return "all rows are of one class; it needs rows of at least two"
    return "all rows are given the same class"


def _no_spread(y: np.ndarray, p: np.ndarray) -> str:
    if len(y) < 2:
        return "there is one row; it needs at least two"
    return "all targets are the same" if np.all(y == y[0]) else "all predictions are the same"


def _no_labels(name: str, y: np.ndarray) -> str:
    if name == "auroc" and (y > 0.5).any():
        return "every label holds for all rows or for none"
    also = " and none is predicted" if name.startswith("f1") else ""
    return f"no row has a label{also}"
