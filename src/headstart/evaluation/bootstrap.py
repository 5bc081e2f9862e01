"""Intervals for any metric, alone and between two models on the same rows.

Proportions of rows and balanced accuracy have closed forms (`headstart.evaluation.proportions`).

Other metrics that count or rank answers (F1, AUROC …) get Wilson's interval with the rows at which a proportion would
vary as they do. Percentiles would give a perfect score [1, 1], and in simulation held the true macro-F1 or AUROC near 1
only 65–85 % of the time. The standard error is that of the infinitesimal jackknife (`headstart.evaluation.metric`),
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

Rows of one unit (`headstart.evaluation.units`) are summed, or weighted, together in all of these: a metric that is a
function of sums is given those of each unit. Under 50 units the
size of errors gets the delete-one jackknife over units with Student's quantile, and percentiles besides where they
reach further: those of few weights are too narrow, the jackknife does not follow the skew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation import proportions
from headstart.evaluation.answers import Answers, answers
from headstart.evaluation.checks import check_answers
from headstart.evaluation.class_metrics import drawn, made_good
from headstart.evaluation.metric import Metric
from headstart.evaluation.metrics import for_task, get
from headstart.evaluation.proportions import Bounds
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.evaluation.units import UNSEEN, Units, share_bounds
from headstart.ragged import flat

_CELLS = 1 << 20  # weights held at once, 8 MiB
_FEWEST = 6  # rows that percentiles need, see above
_FEW_UNITS = 50  # under which the jackknife over units takes the place of percentiles
_NAN = float("nan")

_Known = list[tuple[Any, float]]  # what `Metric.measured` gives of one model or of two
_Given = Answers | np.ndarray


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
    metric: str | Metric,
    y: _Given,
    p: _Given,
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """The metric of predictions ``p`` for truth ``y`` with its interval.

    Args:
        metric: its name, or the metric itself.
        y, p: n rows of `Answers`; arrays, such as probabilities [n, outputs], are `Dense`.
        units: [n] codes: rows of one unit (group, speaker, near duplicates) are not independent; None: all rows are.
        draws, seed: matter for metrics of the size of errors only.

    Raises:
        SettingError: an unknown metric, or a ``level`` outside 0 … 1.
    """
    return _interval(_checked(metric, level, draws), y, (p,), units, level, draws, seed)


def paired_gain(
    metric: str | Metric,
    y: _Given,
    p_a: _Given,
    p_b: _Given,
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
    return _interval(_checked(metric, level, draws), y, (p_a, p_b), units, level, draws, seed)


def evaluate_with_intervals(
    task: str,
    y: Answers | np.ndarray,
    p: Answers | np.ndarray,
    *,
    names: Sequence[str] | None = None,
    units: np.ndarray | None = None,
    thresholds: Thresholds | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Every metric of ``task``, or those of ``names``, for truth ``y`` and ``p`` [n, outputs]; nan where `undefined`.

    ``units`` [n]: codes of rows that belong together; see `headstart.evaluation.units`. Metrics that count answers take
    those that ``thresholds`` give.

    Raises:
        SettingError: truth or probabilities that cannot be judged, see `check_answers`.
    """
    check_answers(task, y, p)
    more: dict[str, Any] = {"units": units, "level": level, "draws": draws, "seed": seed}
    names = [metric.name for metric in for_task(task, flat(p).shape[1])] if names is None else names
    return {name: score_interval(name, y, decided(p, thresholds, name), **more) for name in names}


def _checked(metric: str | Metric, level: float, draws: int) -> Metric:
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    if draws < 100:
        raise SettingError(f"draws is {draws}; percentiles need at least 100, e.g. 2000.")
    return get(metric)


def _interval(
    metric: Metric, y: _Given, models: tuple[_Given, ...], units: np.ndarray | None, level: float, draws: int, seed: int
) -> Interval:
    """Of the score of one model, or of the gain of the first of two.

    It is stretched to hold its own value, off which pseudo-rows may pull the bounds.
    """
    truth, said = answers(y), [answers(p) for p in models]
    together = Units.of(units, len(truth))
    known = [metric.measured(truth, one) for one in said]
    value = known[0][1] if len(known) == 1 else metric.sign * (known[0][1] - known[1][1])
    low, high = _NAN, _NAN
    if not np.isnan(value) and (together.count > 1 or together.alone):
        if metric.share is not None:
            low, high = _closed([metric.share(ready) for ready, _ in known], together, level)
        elif metric.worst is not None:
            low, high = _by_influence(metric, truth, said, known, together, level)
        else:
            low, high = _by_weights(metric, known, value, together, level, draws, seed)
    if np.isnan(low) or np.isnan(high):
        return Interval(value, _NAN, _NAN, level, len(truth), together.count)
    return Interval(value, min(low, value), max(high, value), level, len(truth), together.count)


def _closed(shares: list[tuple[np.ndarray, np.ndarray | None]], units: Units, level: float) -> Bounds:
    """Bounds of a share of the rows, or of the mean of shares over strata; of one model or two."""
    right, strata = shares[0]
    if len(shares) == 1 and strata is None:
        return share_bounds(right, level, units)
    values = right if len(shares) == 1 else right - shares[1][0]
    moves = values - values.mean() if strata is None else _of_mean_recall(values, strata)
    worth = units.rows_worth(moves, level)
    if strata is not None and len(shares) == 1:
        return proportions.stratified_wilson(right, strata, level, worth)
    wins, losses = (values > 0).astype(float), (values < 0).astype(float)
    if strata is not None:
        return proportions.stratified_paired(wins, losses, strata, level, worth)
    return proportions.paired(worth * wins.sum(), worth * losses.sum(), worth * len(values), level)


def _of_mean_recall(values: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n] what each row moves the mean over the classes of their mean ``values``, classes of few rows made good."""
    _, which, rows = np.unique(y, return_inverse=True, return_counts=True)
    means = np.bincount(which, values) / rows
    centre = drawn(means, rows, float(means.mean()))
    return np.asarray((values - centre[which]) * np.sqrt(made_good(rows))[which] / rows[which])


@dataclass(frozen=True)
class _Score:
    """One model's value, freed of what few rows pull it off, its bounds, and the derivatives [n]."""

    value: float
    low: float
    high: float
    moves: np.ndarray
    counted: float  # rows that a share would have as its worst case


def _by_influence(
    metric: Metric, truth: Answers, said: list[Answers], known: _Known, units: Units, level: float
) -> Bounds:
    """Bounds by the derivatives with the rows' weights."""
    if len(truth) < 2:
        return _NAN, _NAN
    scores = [_score(metric, *one, len(known) == 2, units, level) for one in known]
    if len(scores) == 2:
        return _difference(metric, scores[0], scores[1], units, level)
    bounds, more = (scores[0].low, scores[0].high), metric.pseudo_rows(truth, said[0])
    return bounds if more is None else _hull(bounds, _with_four(metric, *more, scores[0].moves, units, level))


def _score(metric: Metric, ready: Any, value: float, paired: bool, units: Units, level: float) -> _Score:
    w = np.ones(len(units.code))
    moves = metric.moves(ready, w, paired)
    worst = metric.worst or 0.0
    value = min(1.0, max(worst, value - metric.bias(ready, w)))
    counted, scale = metric.counted(ready), 1 - worst
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
    metric: Metric, truth: Answers, said: Answers, pseudo: np.ndarray, plain: np.ndarray, units: Units, level: float
) -> Bounds:
    """By the plus-four rule; ``plain`` [n]: the derivatives without pseudo-rows, needed for units."""
    effect = 1.0 if units.alone else units.design_effect(plain)
    w = np.concatenate([np.ones(len(plain)), effect * pseudo])
    ready = metric.prepare(truth, said)
    centre = float(metric.value(ready, w[:, None])[0]) - metric.bias(ready, w)
    half = units.student(level) * float(np.sqrt(effect * (w @ np.square(metric.moves(ready, w)))))
    return max(0.0, centre - half), min(1.0, centre + half)


def _by_weights(
    metric: Metric, known: _Known, value: float, units: Units, level: float, draws: int, seed: int
) -> Bounds:
    """Percentiles over random weights of the units, or the jackknife over few of them."""
    if len(known) == 2 and metric.mean:
        return _student(metric.sign * (known[0][0][:, 0] - known[1][0][:, 0]), value, units, level)
    of = [metric.of_units(ready, units) for ready, _ in known]

    def statistic(w: np.ndarray) -> np.ndarray:
        return of[0](w) if len(of) == 1 else metric.sign * (of[0](w) - of[1](w))

    size = max(abs(one) for _, one in known)  # not the gain's, which may be none
    noise = 1e-12 * (max(1.0, size) if metric.unit_scale else size)
    few = not units.alone and units.count < _FEW_UNITS
    bounds = _jackknife(statistic, value, noise, units, level) if few else (_NAN, _NAN)
    if units.count < _FEWEST or (few and np.isnan(bounds[0])):
        return bounds
    drawn = np.concatenate([statistic(w) for w in _weights(units, draws, seed)])
    if np.ptp(drawn) <= noise:
        return _NAN, _NAN
    tail = _tail(level, units)
    found = float(np.quantile(drawn, tail)), float(np.quantile(drawn, 1 - tail))
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


def _jackknife(
    statistic: Callable[[np.ndarray], np.ndarray], value: float, noise: float, units: Units, level: float
) -> Bounds:
    """The value ± Student's quantile × the delete-one-unit standard error (Efron & Stein 1981)."""
    values = statistic(1 - np.eye(units.count))
    if not np.isfinite(values).all() or np.ptp(values) <= noise:
        return _NAN, _NAN
    error = np.sqrt((units.count - 1) / units.count * np.square(values - values.mean()).sum())
    half = units.student(level) * float(error)
    return value - half, value + half


def _weights(units: Units, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Exponential weights [units, part of draws]."""
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // len(units.code))
    for start in range(0, draws, step):
        yield rng.standard_exponential((units.count, min(step, draws - start)))


def _tail(level: float, units: Units) -> float:
    """The share of draws beyond each of the widened percentiles."""
    from scipy.special import ndtr

    n = units.effective
    return float(ndtr(-units.student(level) * np.sqrt((n + 1) / (n - 1))))
