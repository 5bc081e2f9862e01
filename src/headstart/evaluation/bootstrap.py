"""Intervals for any metric, alone and between two models on the same rows.

Proportions of rows and balanced accuracy have closed forms (`headstart.evaluation.proportions`).

Other metrics that count or rank answers (F1, AUROC …) get Wilson's interval with the rows at which a proportion would
vary as they do. Percentiles would give a perfect score [1, 1], and in simulation held the true macro-F1 or AUROC near 1
only 65–85 % of the time. The standard error is that of the infinitesimal jackknife (`headstart.evaluation.influence`),
which needs no draws; it makes good what few rows of a class understate of its spread. Where few rows carry it, worse
ones may not have been seen: the lower bound allows for half of one. A gain gets Student's interval of the rows'
differences, with as many degrees of freedom as those that carry it leave, which calls equal models different at most
about as often as it says. Where it does not, and on the side away from 0, it reaches as far as the intervals of both
models, squared and added (Zou & Donner 2008), as the errors of the worse model are the more skewed. Average precision
is pulled up by few rows, by more than is made good, so the interval of one model's holds that by the plus-four rule of
Agresti & Coull (1998) too: two pseudo-rows answered right and two wrong, shared out over the classes.

Metrics of the size of errors (losses, r2 …) have no worst case to add, so theirs are percentiles of the Bayesian
bootstrap (Rubin 1981, random weights for the rows), which follow their skew, widened as in Hesterberg (2015), "What
teachers should know about the bootstrap": Student's quantile for the normal's, and (n + 1) / (n − 1) for the
bootstrap's shortfall in variance. Percentiles never leave the range of the rows, so under six rows, which all lie on
one side of the truth in more than 1 of 20 cases (2 · 0.5⁵ = 0.06), there are no bounds. With 30 rows of heavy-tailed
errors r2 and rmse are still held only about 87 % of the time. If no draw differs from another, the rows cannot say how
sure the value is, and the bounds are nan. For two models the weights are the same; where the metric is a mean over
the rows, the difference of two models' rows is not skewed by what makes rows hard for both, and Student's interval of
its mean calls equal models different less often (with 100 rows of two classes 4.9 % instead of 6.8 %).

Rows of one unit (`headstart.evaluation.units`) are summed, or weighted, together in all of these. Under 50 units the
size of errors gets the delete-one jackknife over units with Student's quantile, and percentiles besides where they
reach further: those of few weights are too narrow, the jackknife does not follow the skew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation import influence, proportions
from headstart.evaluation.influence import Influence
from headstart.evaluation.metrics import Metric, get
from headstart.evaluation.proportions import Bounds
from headstart.evaluation.units import UNSEEN, Units, share_bounds

_CELLS = 1 << 20  # weights held at once, 8 MiB
_FEWEST = 6  # rows that percentiles need, see above
_FEW_UNITS = 50  # under which the jackknife over units takes the place of percentiles
_NAN = float("nan")

_Models = tuple[np.ndarray, ...]  # the probabilities [n, outputs] of one model or of two


@dataclass(frozen=True)
class Interval:
    """A value and the bounds that hold it with probability ``level``.

    Attributes:
        value: the metric, or the gain.
        low, high: the bounds; nan where the rows cannot give any.
        level: nominal coverage, e.g. 0.95.
        n: rows it rests on.
        units: independent units that these rows are of, as many as there are rows where each stands for itself.
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    units: int = -1

    def __post_init__(self) -> None:
        if self.units < 0:
            object.__setattr__(self, "units", self.n)

    @property
    def grouped(self) -> bool:
        """Whether rows come in units, so that these are what counts."""
        return self.units < self.n


def score_interval(
    metric: str,
    y: np.ndarray,
    p: np.ndarray,
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """The metric of ``p`` [n, outputs] for truth ``y`` with its interval.

    Args:
        units: [n] codes: rows of one unit (group, speaker, near duplicates) are not independent; None: all rows are.
        draws, seed: matter for metrics of the size of errors only.

    Raises:
        SettingError: an unknown metric, or a ``level`` outside 0 … 1.
    """
    chosen = _checked(metric, level, draws)
    y, p = np.asarray(y), np.asarray(p)
    return _interval(chosen, y, (p,), Units.of(units, len(y)), level, draws, seed)


def paired_gain(
    metric: str,
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """How much better model a is than model b on the same rows, with its interval.

    The value is a's metric less b's, with the sign turned for losses and errors: positive is always better. Arguments
    as for `score_interval`.
    """
    chosen = _checked(metric, level, draws)
    y, p_a, p_b = np.asarray(y), np.asarray(p_a), np.asarray(p_b)
    return _interval(chosen, y, (p_a, p_b), Units.of(units, len(y)), level, draws, seed)


def _checked(metric: str, level: float, draws: int) -> Metric:
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    if draws < 100:
        raise SettingError(f"draws is {draws}; percentiles need at least 100, e.g. 2000.")
    return get(metric)


def _better(metric: Metric) -> int:
    return 1 if metric.higher_is_better else -1


def _interval(
    metric: Metric, y: np.ndarray, models: _Models, units: Units, level: float, draws: int, seed: int
) -> Interval:
    """Of the score of one model, or of the gain of the first of two.

    It is stretched to hold its own value, off which pseudo-rows may pull the bounds.
    """
    values = [metric.function(y, p) for p in models]
    value = values[0] if len(values) == 1 else _better(metric) * (values[0] - values[1])
    low, high = _NAN, _NAN
    if not np.isnan(value) and (units.count > 1 or units.alone):
        if metric.proportion or metric.name == "balanced_accuracy":
            low, high = _closed(metric, y, models, units, level)
        elif metric.influence is not None:
            low, high = _by_influence(metric, metric.influence, y, models, units, level)
        else:
            low, high = _by_weights(metric, y, models, value, units, level, draws, seed)
    if np.isnan(low) or np.isnan(high):
        return Interval(value, _NAN, _NAN, level, len(y), units.count)
    return Interval(value, min(low, value), max(high, value), level, len(y), units.count)


def _closed(metric: Metric, y: np.ndarray, models: _Models, units: Units, level: float) -> Bounds:
    """Bounds of a proportion of the rows, or of balanced accuracy."""
    balanced = not metric.proportion
    right = [(np.argmax(p, axis=1) == y) if balanced else metric.rows(y, p).astype(bool) for p in models]  # type: ignore[misc]
    if len(right) == 1:
        hits = right[0].astype(float)
        if balanced:
            worth = 1.0 if units.alone else units.rows_worth(_of_mean_recall(hits, y), level)
            return proportions.stratified_wilson(hits, y, level, worth)
        return share_bounds(hits, level, units)
    wins, losses = ((one & ~other).astype(float) for one, other in (right, right[::-1]))
    if balanced:
        worth = 1.0 if units.alone else units.rows_worth(_of_mean_recall(wins - losses, y), level)
        return proportions.stratified_paired(wins, losses, y, level, worth)
    difference = wins - losses
    worth = 1.0 if units.alone else units.rows_worth(difference - difference.mean(), level)
    return proportions.paired(worth * wins.sum(), worth * losses.sum(), worth * len(y), level)


def _of_mean_recall(values: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n] what each row moves the mean over the classes of their mean ``values``, classes of few rows made good."""
    _, which, rows = np.unique(y, return_inverse=True, return_counts=True)
    means = np.bincount(which, values) / rows
    centre = influence.drawn(means, rows, float(means.mean()))
    return np.asarray((values - centre[which]) * np.sqrt(influence.made_good(rows))[which] / rows[which])


def _by_influence(
    metric: Metric, moved: Influence, y: np.ndarray, models: _Models, units: Units, level: float
) -> Bounds:
    """Bounds by the derivatives with the rows' weights."""
    if len(y) < 2:
        return _NAN, _NAN
    pulled = metric.ranks and metric.bias is not None
    if pulled and len(models) == 2:  # steps near the top are far from small; alone the plus-four rule allows for that
        moved = partial(moved, whole=True)
    scores = [_score(metric, moved, y, p, units, level) for p in models]
    if len(scores) == 2:
        return _difference(metric, scores[0], scores[1], units, level)
    bounds = scores[0].low, scores[0].high
    if not pulled:
        return bounds
    return _hull(bounds, _with_four(metric, moved, y, models[0], scores[0].moves, units, level))


@dataclass(frozen=True)
class _Score:
    """One model's value, freed of what few rows pull it off, its bounds, and the derivatives [n]."""

    value: float
    low: float
    high: float
    moves: np.ndarray
    counted: float  # rows that a share would have as its worst case


def _score(metric: Metric, moved: Influence, y: np.ndarray, p: np.ndarray, units: Units, level: float) -> _Score:
    w = np.ones(len(y))
    moves = moved(y, p, w)
    worst = metric.worst or 0.0
    value = metric.function(y, p) - (metric.bias(y, p, w) if metric.bias else 0.0)
    value = min(1.0, max(worst, value))
    counted = influence.rows_of_mean(y) if metric.by_class else float(len(y))
    scale = 1 - worst
    low, high = _wilson_of((value - worst) / scale, moves / scale, counted, units, level)
    return _Score(value, min(value, worst + scale * low), max(value, worst + scale * high), moves, counted)


def _wilson_of(value: float, moves: np.ndarray, counted: float, units: Units, level: float) -> Bounds:
    """Wilson's interval with the rows at which a proportion would vary as this value does.

    Where few rows carry the variance, as where nearly all are right, there may be worse ones that were not seen. They
    would lower the value, so the lower bound alone is drawn towards that of a proportion of ``counted`` rows, by as
    much as `UNSEEN` such rows count.
    """
    squares, spread = np.square(moves), value * (1 - value)
    total = float(squares.sum()) if spread > 1e-12 else 0.0
    carriers = total * total / float(np.square(squares).sum()) if total > 0 else 0.0
    found, worth = total / spread if total > 0 else 0.0, units.rows_worth(moves, level)
    drawn = max(found, (carriers * found + UNSEEN / counted) / (carriers + UNSEEN))
    low, _ = proportions.wilson(value, worth / drawn, level)
    _, high = proportions.wilson(value, worth / (found or drawn), level)
    return low, high


def _difference(metric: Metric, a: _Score, b: _Score, units: Units, level: float) -> Bounds:
    """Bounds of a's value less b's.

    Rows of equal models differ either way alike, so that Student's interval leaves out 0 at most as often as it says
    however heavy the tails are (Efron 1969). A better model's rows do not, and the bounds that do not tell the models
    apart reach as far as the bounds of both values, squared and added with their correlation (Zou & Donner 2008).
    """
    value, moves = a.value - b.value, a.moves - b.moves
    one, other = units.sums(a.moves), units.sums(b.moves)
    size = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    both = 2 * float(one @ other) / size if size > 0 else 0.0
    square = float(units.design_effect(moves) * np.square(moves).sum())
    if square > 1e-12 * size:
        half = units.student(level, moves) * float(np.sqrt(square))
    else:  # no row differs: as for proportions
        half = proportions.paired(0.0, 0.0, units.rows_worth(moves, level) * a.counted, level)[1]
    low, high = value - half, value + half

    def reach(down: float, up: float) -> float:
        return float(np.sqrt(max(0.0, down * down + up * up - both * down * up)))

    low = low if low > 0 else min(low, value - reach(a.value - a.low, b.high - b.value))
    high = high if high < 0 else max(high, value + reach(a.high - a.value, b.value - b.low))
    most = 1 - (metric.worst or 0.0)
    return max(-most, low), min(most, high)


def _hull(one: Bounds, other: Bounds) -> Bounds:
    return min(one[0], other[0]), max(one[1], other[1])


def _with_four(
    metric: Metric, moved: Influence, y: np.ndarray, p: np.ndarray, plain: np.ndarray, units: Units, level: float
) -> Bounds:
    """By the plus-four rule; ``plain`` [n]: the derivatives without pseudo-rows, needed for units."""
    effect = 1.0 if units.alone else units.design_effect(plain)
    y, p, pseudo = _with_pseudo_rows(y, p)
    w = np.concatenate([np.ones(len(y) - len(pseudo)), effect * pseudo])
    centre = float(metric.kernel(y, p, w[:, None])[0]) - (metric.bias(y, p, w) if metric.bias else 0.0)
    half = units.student(level) * float(np.sqrt(effect * (w @ np.square(moved(y, p, w)))))
    return max(0.0, centre - half), min(1.0, centre + half)


def _by_weights(
    metric: Metric,
    y: np.ndarray,
    models: _Models,
    value: float,
    units: Units,
    level: float,
    draws: int,
    seed: int,
) -> Bounds:
    """Percentiles over random weights of the units, or the jackknife over few of them."""
    if len(models) == 2 and metric.rows is not None:
        difference = _better(metric) * (metric.rows(y, models[0]) - metric.rows(y, models[1]))
        return _student(difference, value, units, level)
    statistic = _weighted(metric, y, models)
    few = not units.alone and units.count < _FEW_UNITS
    bounds = _jackknife(statistic, value, units, level) if few else (_NAN, _NAN)
    if units.count < _FEWEST or (few and np.isnan(bounds[0])):
        return bounds
    values = np.concatenate([statistic(w) for w in _weights(units, draws, seed)])
    size = max(abs(metric.function(y, p)) for p in models)  # not the gain's, which may be none
    if np.ptp(values) <= 1e-12 * (max(1.0, size) if metric.unit_scale else size):
        return _NAN, _NAN
    tail = _tail(level, units)
    found = float(np.quantile(values, tail)), float(np.quantile(values, 1 - tail))
    return _hull(bounds, found) if few else found


def _student(rows: np.ndarray, value: float, units: Units, level: float) -> Bounds:
    """Student's interval for the mean of ``rows`` [n], summed by unit (linearised, as the units may differ in size)."""
    if len(rows) < _FEWEST:
        return _NAN, _NAN
    moves = units.sums(rows - value)
    squares = float(np.square(moves).sum()) * units.count / (units.count - 1)
    if not squares > (1e-12 * float(np.abs(rows).sum())) ** 2:
        return _NAN, _NAN
    half = units.student(level) * float(np.sqrt(squares)) / len(rows)
    return value - half, value + half


def _jackknife(statistic: Callable[[np.ndarray], np.ndarray], value: float, units: Units, level: float) -> Bounds:
    """The value ± Student's quantile × the delete-one-unit standard error (Efron & Stein 1981)."""
    without = np.ones((len(units.code), units.count))
    without[np.arange(len(units.code)), units.code] = 0.0
    values = statistic(without)
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return _NAN, _NAN
    error = np.sqrt((units.count - 1) / units.count * np.square(values - values.mean()).sum())
    half = units.student(level) * float(error)
    return value - half, value + half


def _statistic(metric: Metric, y: np.ndarray, models: _Models, w: np.ndarray) -> np.ndarray:
    values = [metric.kernel(y, p, w) for p in models]
    return values[0] if len(values) == 1 else _better(metric) * (values[0] - values[1])


def _weighted(metric: Metric, y: np.ndarray, models: _Models) -> Callable[[np.ndarray], np.ndarray]:
    """The statistic as a function of weights [n, draws]; what a row adds to a mean is worked out once."""
    if metric.rows is None or len(models) == 2:
        return lambda w: _statistic(metric, y, models, w)
    rows = metric.rows(y, models[0])
    return lambda w: rows @ w / w.sum(axis=0)


def _weights(units: Units, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Exponential weights [n, part of draws], the same for all rows of a unit."""
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // len(units.code))
    for start in range(0, draws, step):
        drawn = rng.standard_exponential((units.count, min(step, draws - start)))
        yield drawn if units.alone else drawn[units.code]


def _with_pseudo_rows(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows with pseudo-rows appended, and the weight of each pseudo-row: two right and two wrong in all.

    Each class gets a right and a wrong pseudo-row; the wrong one has all its probability on another class.
    """
    k = p.shape[1]
    classes = np.unique(y) if y.ndim == 1 else np.flatnonzero((y > 0.5).any(axis=0))
    others = np.roll(classes, -1) if len(classes) > 1 else (classes + 1) % k
    right = np.eye(k)[classes]
    wrong = np.eye(k)[others] if k > 1 else 1 - right
    truth = classes if y.ndim == 1 else right
    pseudo = np.full(2 * len(classes), 2.0 / max(1, len(classes)))
    return np.concatenate([y, truth, truth]), np.concatenate([p, right, wrong]), pseudo


def _tail(level: float, units: Units) -> float:
    """The share of draws beyond each of the widened percentiles."""
    from scipy.special import ndtr

    n = units.effective
    return float(ndtr(-units.student(level) * np.sqrt((n + 1) / (n - 1))))
