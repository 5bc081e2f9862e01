"""Intervals for any metric, alone and between two models on the same rows.

Proportions of rows and balanced accuracy have closed forms (`headstart.evaluation.proportions`).

Other metrics that count or rank answers (F1, AUROC …) follow the plus-four rule of Agresti & Coull (1998) and, for a
gain, the plus-two rule of Bonett & Price (2012): two pseudo-rows answered right and two wrong are added, or one that
only the first model has right and one that only the second has, shared out over the classes. The interval is the value
with them ± Student's quantile × the standard error with them. Percentiles would give a perfect score [1, 1], and in
simulation held the true macro-F1 or AUROC near 1 only 65–85 % of the time. The standard error is that of the Bayesian
bootstrap of Rubin (1981), random weights for the rows, to first order (`headstart.evaluation.influence`), which needs
no draws. Weights of rows of small classes vary more than the others': a bootstrap understates the variance of a mean
of m rows by (m − 1) / (m + 1), which macro averages carry on class by class. In simulation (2 to 77 classes, 1 to 200
rows each) the 95 % interval then held the truth 93–100 % of the time, and equal models were called different in 0–5 %
of the cases. AUROC and average precision near 1 get too wide an interval rather than too narrow a one: there the
pseudo-rows weigh more than the rows.

Metrics of the size of errors (losses, r2 …) have no worst case to add, so theirs are percentiles of the Bayesian
bootstrap, which follow their skew, widened as in Hesterberg (2015), "What teachers should know about the bootstrap":
Student's quantile for the normal's, and (n + 1) / (n − 1) for the bootstrap's shortfall in variance. Percentiles never
leave the range of the rows, so under six rows, which all lie on one side of the truth in more than 1 of 20
cases (2 · 0.5⁵ = 0.06), there are no bounds. With 30 rows of
heavy-tailed errors r2 and rmse are still held only about 87 % of the time. If no draw differs from another,
the rows cannot say how sure the value is, and the bounds are nan. For two models the weights are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation import proportions
from headstart.evaluation.influence import Influence
from headstart.evaluation.metrics import Metric, get
from headstart.evaluation.proportions import Bounds

_CELLS = 1 << 20  # weights held at once, 8 MiB
_FEWEST = 6  # rows that percentiles need, see above
_NAN = float("nan")


@dataclass(frozen=True)
class Interval:
    """A value and the bounds that hold it with probability ``level``.

    Attributes:
        value: the metric, or the gain.
        low, high: the bounds; nan where the rows cannot give any.
        level: nominal coverage, e.g. 0.95.
        n: rows it rests on.
    """

    value: float
    low: float
    high: float
    level: float
    n: int


def score_interval(
    metric: str, y: np.ndarray, p: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval:
    """The metric of ``p`` [n, outputs] for truth ``y`` with its interval.

    ``draws`` and ``seed`` matter for metrics of the size of errors only. `SettingError` for an unknown metric or a
    ``level`` outside 0 … 1.
    """
    chosen = _checked(metric, level, draws)
    y, p = np.asarray(y), np.asarray(p)
    value = chosen.function(y, p)
    if np.isnan(value):
        return Interval(_NAN, _NAN, _NAN, level, len(y))
    if chosen.rows is not None:
        bounds = proportions.wilson(value, len(y), level)
    elif metric == "balanced_accuracy":
        bounds = proportions.stratified_wilson((np.argmax(p, axis=1) == y).astype(float), y, level)
    elif chosen.influence is not None:
        bounds = _plus_four(chosen, chosen.influence, y, (p,), level)
    else:
        bounds = _percentiles(chosen, y, (p,), value, level, draws, seed)
    return _interval(value, bounds, level, len(y))


def paired_gain(
    metric: str,
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """How much better model a is than model b on the same rows, with its interval.

    The value is a's metric less b's, with the sign turned for losses and errors: positive is always better.
    """
    chosen = _checked(metric, level, draws)
    y, p_a, p_b = np.asarray(y), np.asarray(p_a), np.asarray(p_b)
    value = _better(chosen) * (chosen.function(y, p_a) - chosen.function(y, p_b))
    if np.isnan(value):
        return Interval(_NAN, _NAN, _NAN, level, len(y))
    if chosen.rows is not None:
        wins, losses = _discordant(chosen.rows(y, p_a), chosen.rows(y, p_b))
        bounds = proportions.paired(wins.sum(), losses.sum(), len(y), level)
    elif metric == "balanced_accuracy":
        wins, losses = _discordant(np.argmax(p_a, axis=1) == y, np.argmax(p_b, axis=1) == y)
        bounds = proportions.stratified_paired(wins, losses, y, level)
    elif chosen.influence is not None:
        bounds = _plus_four(chosen, chosen.influence, y, (p_a, p_b), level)
    else:
        bounds = _percentiles(chosen, y, (p_a, p_b), value, level, draws, seed)
    return _interval(value, bounds, level, len(y))


def _checked(metric: str, level: float, draws: int) -> Metric:
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    if draws < 100:
        raise SettingError(f"draws is {draws}; percentiles need at least 100, e.g. 2000.")
    return get(metric)


def _better(metric: Metric) -> int:
    return 1 if metric.higher_is_better else -1


def _interval(value: float, bounds: tuple[float, float], level: float, n: int) -> Interval:
    """The interval, stretched to hold its own value, off which pseudo-rows may pull the bounds."""
    low, high = bounds
    if np.isnan(low) or np.isnan(high):
        return Interval(value, _NAN, _NAN, level, n)
    return Interval(value, min(low, value), max(high, value), level, n)


def _discordant(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows [n] of 0/1 that only ``a`` has right, and that only ``b`` has."""
    a, b = a.astype(bool), b.astype(bool)
    return (a & ~b).astype(float), (b & ~a).astype(float)


def _plus_four(
    metric: Metric, influence: Influence, y: np.ndarray, models: tuple[np.ndarray, ...], level: float
) -> Bounds:
    """Bounds of the score of one model, or of the gain of the first of two, with pseudo-rows."""
    n = len(y)
    if n < 2:
        return _NAN, _NAN
    variance = 1 / _spread(y)
    y, models, pseudo = _with_pseudo_rows(y, models)
    w, variance = np.concatenate([np.ones(n), pseudo]), np.concatenate([variance, pseudo])
    centre = float(_statistic(metric, y, models, w[:, None])[0])
    moves = influence(y, models[0], w)
    centre -= metric.bias(y, models[0], w) if metric.bias else 0.0
    if len(models) == 2:
        moves = moves - influence(y, models[1], w)
        centre += metric.bias(y, models[1], w) if metric.bias else 0.0
    half = _student(level, n) * float(np.sqrt(variance @ np.square(moves)))
    worst = metric.worst or 0.0
    least, most = (worst, 1.0) if len(models) == 1 else (worst - 1, 1 - worst)
    return max(least, centre - half), min(most, centre + half)


def _percentiles(
    metric: Metric,
    y: np.ndarray,
    models: tuple[np.ndarray, ...],
    value: float,
    level: float,
    draws: int,
    seed: int,
) -> Bounds:
    """Bounds of the score of one model, or of the gain of the first of two, from random weights of the rows."""
    n = len(y)
    if n < _FEWEST:
        return _NAN, _NAN
    values = np.concatenate([_statistic(metric, y, models, w) for w in _weights(n, draws, seed)])
    if np.ptp(values) <= 1e-12 * max(1.0, abs(value)):
        return _NAN, _NAN
    tail = _tail(level, n)
    return float(np.quantile(values, tail)), float(np.quantile(values, 1 - tail))


def _statistic(metric: Metric, y: np.ndarray, models: tuple[np.ndarray, ...], w: np.ndarray) -> np.ndarray:
    values = [metric.kernel(y, p, w) for p in models]
    return values[0] if len(values) == 1 else _better(metric) * (values[0] - values[1])


def _weights(n: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Exponential weights [n, part of draws]."""
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // n)
    for start in range(0, draws, step):
        yield rng.standard_exponential((n, min(step, draws - start)))


def _spread(y: np.ndarray) -> np.ndarray:
    """One over the variance [n] of every row's weight, which makes good the bootstrap's shortfall in its class."""
    rows = np.bincount(y)[y] if y.ndim == 1 else np.full(len(y), len(y))
    rows = np.maximum(rows, 2)  # one row has no spread to make good
    return (rows - 1) / (rows + 1)


def _with_pseudo_rows(
    y: np.ndarray, models: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
    """Rows with pseudo-rows appended, and the weight of each pseudo-row.

    Each class gets a right and a wrong pseudo-row; the wrong one has all its probability on another class.
    """
    k = models[0].shape[1]
    classes = np.unique(y) if y.ndim == 1 else np.flatnonzero((y > 0.5).any(axis=0))
    others = np.roll(classes, -1) if len(classes) > 1 else (classes + 1) % k
    right = np.eye(k)[classes]
    wrong = np.eye(k)[others] if k > 1 else 1 - right
    truth = classes if y.ndim == 1 else right
    first, second = np.concatenate([right, wrong]), np.concatenate([wrong, right])
    total = 2.0 if len(models) == 1 else 1.0  # right ones, and as many wrong ones
    padded = tuple(np.concatenate([p, extra]) for p, extra in zip(models, (first, second), strict=False))
    pseudo = np.full(2 * len(classes), total / max(1, len(classes)))
    return np.concatenate([y, truth, truth]), padded, pseudo


def _student(level: float, n: int) -> float:
    """Student's quantile for ``n`` rows."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + level) / 2))


def _tail(level: float, n: int) -> float:
    """The share of draws beyond each of the widened percentiles."""
    from scipy.special import ndtr

    return float(ndtr(-_student(level, n) * np.sqrt((n + 1) / (n - 1))))
