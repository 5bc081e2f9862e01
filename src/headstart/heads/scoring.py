"""How candidates are compared: row by row, so that a difference comes with its standard error.

Every metric here is the mean of one value a row, which is what makes the comparison paired.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headstart.errors import SettingError, nearest
from headstart.tasks import get

#: A metric of the caller's own: (scores [n, outputs], y) -> a number, higher is better.
Metric = Callable[[np.ndarray, np.ndarray], float]
#: Bounds of the factor (1 / temperature) that scores are scaled by.
FACTOR_BOUNDS = (1e-3, 1e3)


def metric_name(task: str, metric: str | None) -> str:
    """``metric``, or the task's default where None; raises SettingError when the task has no such metric."""
    allowed = get(task).head_metrics
    if metric is None:
        return allowed[0]
    if metric not in allowed:
        raise SettingError(
            f"metric is {metric!r}; for {task} it is one of {', '.join(allowed)}.{nearest(metric, allowed)}"
        )
    return metric


def row_scores(scores: np.ndarray, y: np.ndarray, task: str, metric: str) -> np.ndarray:
    """[n]: one value a row whose mean is ``metric``; log_loss with its sign turned: higher is better."""
    if metric == "log_loss":
        return -get(task).row_losses(scores, y)
    if metric == "f1_micro":
        return _f1_rows(scores > 0, y > 0)
    if metric == "r2":
        return 1 - get(task).row_losses(scores, y) / (float(np.var(y, axis=0).mean()) or 1.0)
    right = (scores.argmax(axis=1) == y).astype(np.float64)
    return right * balance(y) if metric == "balanced_accuracy" else right


def balance(y: np.ndarray) -> np.ndarray:
    """[n], mean 1: row weights under which every class that occurs counts the same."""
    counts = np.bincount(y)
    return len(y) / ((counts > 0).sum() * counts[y])


def _f1_rows(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Micro F1 = 2 TP / (2 TP + FP + FN) linearised row by row (its influence function); their mean is F1."""
    doubled = 2.0 * (said & truth).sum(axis=1)
    total = said.sum(axis=1) + truth.sum(axis=1).astype(np.float64)
    mean = total.mean() or 1.0
    f1 = doubled.mean() / mean
    return f1 + (doubled - f1 * total) / mean


def best_factor(scores: np.ndarray, y: np.ndarray, task: str) -> float:
    """The a > 0 for which ``a * scores`` has the lowest log loss, which is convex in a: Newton's method.

    Half a mistake more is counted than was made, in one answer more (Jeffreys' prior; Platt 1999 counts a whole one for
    the same purpose): the share ½ / (answers + 1) of the truth goes to the likeliest wrong class, or to a label's
    opposite. Where a few rows are all right the factor would otherwise be without bound, and any later mistake be made
    with full confidence; where there are mistakes anyway, it hardly changes.
    """
    low, high = FACTOR_BOUNDS
    doubt = _doubt(scores, y, task)
    a = 1.0
    for _ in range(30):
        slope, curvature = _slope(scores, y, task, a)
        # A Newton step from a flat stretch overshoots, so no step changes the factor more than threefold.
        new = float(np.clip(a - (slope + doubt) / max(curvature, 1e-12), max(a / 3, low), min(a * 3, high)))
        done = abs(new - a) < 1e-3 * a
        a = new
        if done:
            break
    return a


def _doubt(scores: np.ndarray, y: np.ndarray, task: str) -> float:
    """What the half mistake adds to the slope: its share times the mean margin of the truth."""
    if get(task).several:
        margin = np.where(y > 0, scores, -scores)
        return float(margin.sum(axis=1, dtype=np.float64).mean()) * 0.5 / (margin.size + 1)
    rows = np.arange(len(y))
    wrong = scores.copy()
    wrong[rows, y] = -np.inf
    return float((scores[rows, y] - wrong.max(axis=1)).mean(dtype=np.float64)) * 0.5 / (len(y) + 1)


def _slope(scores: np.ndarray, y: np.ndarray, task: str, a: float) -> tuple[float, float]:
    """First and second derivative by a of the mean log loss of ``a * scores``."""
    if get(task).several:
        p = 0.5 * (1 + np.tanh(0.5 * a * scores))
        slope = ((p - y) * scores).sum(axis=1)
        return float(slope.mean()), float((p * (1 - p) * scores**2).sum(axis=1).mean())
    s = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(np.float32(a) * s)
    p /= p.sum(axis=1, keepdims=True)
    mean = np.einsum("ij,ij->i", p, s)
    square = np.einsum("ij,ij,ij->i", p, s, s)
    return float((mean - s[np.arange(len(y)), y]).mean()), float((square - mean**2).mean())


def choose(values: list[np.ndarray], losses: list[float]) -> int:
    """Index of the best candidate: the highest mean value, near-ties going to the lowest loss.

    ``values`` holds one [n] array a candidate, on the same rows. Near the best means: exactly tied, or behind
    by at most one standard error of the paired difference (the "one standard error" idea of Breiman et al.
    1984, applied to differences, which are far less noisy than scores).
    """
    means = np.array([v.mean() for v in values])
    if np.isnan(means).all():  # the metric is undefined on these rows, so the losses decide
        return int(np.argmin(losses))
    best = int(np.nanargmax(means))
    near = [i for i, v in enumerate(values) if _near(values[best] - v)]
    return min(near, key=lambda i: losses[i])


def _near(difference: np.ndarray) -> bool:
    """Whether the mean of a paired ``difference`` [n] is none, or at most one standard error."""
    mean, n = float(difference.mean()), len(difference)
    if mean <= 0 or n < 2:
        return mean <= 0
    # One row more or less is exactly one standard error, and noise; rounding must not decide that.
    return mean <= (1 + 1e-6) * float(difference.std(ddof=1)) / n**0.5
