"""A learning curve carried on to four times the rows, with an interval, or a refusal in words.

The shapes are a power law and the Morgan–Mercer–Flodin curve, weighed by how well they fit. With n rows, an error (1
less the score) that starts at e0 and ends at a:

    power law   e(n) = a + b n^-c                                   0.1 ≤ c ≤ 1.6
    MMF         e(n) = a + (e0 - a) / (1 + (n / n0)^d)              0.3 ≤ d ≤ 2.1

MMF is y(n) = (A B + C n^d) / (B + n^d) with A = 1 - e0, B = n0^d, C = 1 - a. Gu, Hu & Liu 2001 ("Modelling
classification performance for large data sets") found the power law and MMF the best of six on large data sets; Viering
& Loog 2021 ("The shape of learning curves: a review") likewise; Mahmood et al. 2022 ("How much more data do I need?")
show that either alone misleads where points are few, and that all are over-confident. Here e0 is known: the score of
knowing nothing. So MMF has three unknowns, as the power law has.

For given c, or n0 and d, the error is linear in the rest, which is solved in closed form for a whole grid of these
(separable least squares, Golub & Pereyra 1973): no start to choose and no local minimum. Each member of the grid counts
by exp(-χ² / 2), and a has a half-normal prior of `FLOOR` times the error at the largest size: few points cannot tell an
error that ends above 0 from one that falls slowly. The two shapes count by their least χ² likewise. How this
was chosen: docs/log.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.learning_curve import Curve

#: Standard deviation of the prior of the final error a, as a share of the error at the largest size.
FLOOR = 0.2
#: The standard error of a point is that of the largest size times (largest / size) to this power: the shapes are those
#: of large n, and smaller sizes are believed the less.
FADING = 1.5
_EXPONENTS = np.linspace(0.1, 1.6, 31)  # c
_SLOPES = np.linspace(0.3, 2.1, 19)  # d
_MIDDLES = np.geomspace(0.003, 4.0, 40)  # n0, in units of the largest size
_SURE = 50.0  # half a difference of χ² beyond which nothing changes
_TINY = 0.005  # an error below which a is no longer drawn towards 0 the more
LEVEL = 0.9
FURTHEST = 4.0  # times the rows in hand
#: Half the width of the interval at `FURTHEST`, beyond which nothing useful is said.
WIDEST = 0.05
#: The interval is widened by this share of the predicted gain: shapes are only shapes (docs/log.md).
METHOD = 0.35
_DRAWS = 400
_STEPS = 61  # sizes between 1 and `FURTHEST`
_OFF = 0.02  # of the score: a misfit that is none, however sure
_SURE = 3.0  # standard errors
_LEAST_SD = 0.14  # times 1 / √rows: of an answer that is right in 98 of 100


@dataclass(frozen=True)
class Needed:
    """Rows for a goal, in all; nan where they are beyond `FURTHEST` times those in hand. ``low`` ≤ rows ≤ ``high``."""

    goal: float
    rows: float
    low: float
    high: float


@dataclass(frozen=True)
class Extrapolation:
    """What more rows are expected to give.

    Attributes:
        rows: [t] from those in hand to `FURTHEST` times as many.
        value, low, high: [t] score and bounds at `LEVEL`; the score does not fall.
        refused: why nothing is foretold; "" where it is.
    """

    rows: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    refused: str

    def at(self, times: float) -> Interval:
        """The score with ``times`` the rows in hand.

        Raises:
            SettingError: less than once, more than `FURTHEST` times, or the curve was refused.
        """
        if self.refused or not 1 <= times <= FURTHEST:
            why = self.refused or f"from 1 to {FURTHEST:g} times the available rows can be predicted"
            raise SettingError(f"the score at {times:g} times the rows is not predicted: {why}.")
        rows = times * self.rows[0]
        value, low, high = (float(np.interp(rows, self.rows, one)) for one in (self.value, self.low, self.high))
        return Interval(value, low, high, LEVEL, round(rows))

    def needed(self, goal: float) -> Needed:
        """Rows in all for a score of ``goal``; nan where they are beyond reach, all nan where the curve was refused."""
        if self.refused:
            return Needed(goal, math.nan, math.nan, math.nan)
        # the upper bound gets there first
        return Needed(goal, *(self._first(one, goal) for one in (self.value, self.high, self.low)))

    def _first(self, scores: np.ndarray, goal: float) -> float:
        reached = np.flatnonzero(scores >= goal)
        if not len(reached):
            return math.nan
        at = int(reached[0])
        if at == 0:
            return float(self.rows[0])
        share = (goal - scores[at - 1]) / (scores[at] - scores[at - 1])
        return float(self.rows[at - 1] + share * (self.rows[at] - self.rows[at - 1]))


def extrapolate(curve: Curve, present: int, chance: float, *, seed: int = 0) -> Extrapolation:
    """Carry ``curve`` on from ``present`` rows to `FURTHEST` times as many.

    The interval joins what resampled draws and held-out rows give with `METHOD` of the predicted gain, as if
    independent.

    Args:
        present: rows in hand, of which the largest size of the curve is four fifths.
        chance: the score of knowing nothing.
    """
    rng = np.random.default_rng(seed)
    rows = present * np.geomspace(1.0, FURTHEST, _STEPS)
    resampled = _resampled(curve, rng)
    sd = max(float(resampled[:, -1].std()), _LEAST_SD / math.sqrt(len(np.unique(curve.units))))
    value = _rising(1 - expected(Points(curve.sizes, 1 - curve.mean[None], sd, 1 - chance), rows)[0])
    drawn = 1 - expected(Points(curve.sizes, 1 - resampled, sd, 1 - chance), rows)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    method = METHOD * (value - value[0])
    low = _rising(value - np.hypot(np.maximum(value - low, 0), method))
    high = _rising(np.minimum(1.0, value + np.hypot(np.maximum(high - value, 0), method)))
    refused = _not_rising(curve, resampled) or _misfit(curve, sd, chance) or _too_wide(low[-1], high[-1])
    return Extrapolation(rows, value, low, high, refused)


def _rising(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum.accumulate(scores))


def _resampled(curve: Curve, rng: np.random.Generator) -> np.ndarray:
    """[`_DRAWS`, s] mean scores of resampled draws and, within them, resampled units of rows."""
    _, unit = np.unique(curve.units, return_inverse=True)
    units = int(unit.max()) + 1
    rows = rng.multinomial(units, np.full(units, 1 / units), size=_DRAWS)[:, unit.reshape(-1)]
    count = len(curve.values)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=_DRAWS)
    total, weight = np.zeros((_DRAWS, len(curve.sizes))), np.zeros((_DRAWS, 1))
    for i, (values, held) in enumerate(zip(curve.values, curve.held, strict=True)):
        counts = rows[:, held] * draws[:, i : i + 1]
        total += counts @ values.T
        weight += counts.sum(axis=1, keepdims=True)
    return total / weight


def _not_rising(curve: Curve, resampled: np.ndarray) -> str:
    rise = resampled[:, -1] - resampled[:, len(curve.sizes) // 2]
    if np.quantile(rise, (1 - LEVEL) / 2) > 0:
        return ""
    middle = len(curve.sizes) // 2
    return (
        f"the score does not surely rise with rows: {curve.mean[middle]:.3f} with {curve.sizes[middle]:,.0f} and "
        f"{curve.mean[-1]:.3f} with {curve.sizes[-1]:,.0f}"
    )


def _misfit(curve: Curve, sd: float, chance: float) -> str:
    """Points off the fitted shapes, or a largest size that those before it would not have foretold."""
    sizes, errors = curve.sizes, 1 - curve.mean[None]
    upper = sizes >= sizes[-1] / 2
    off = np.abs(expected(Points(sizes, errors, sd, 1 - chance), sizes) - errors)[0, upper].max()
    if off > max(_OFF, _SURE * sd):
        return f"the scores lie up to {off:.3f} off any smooth curve"
    before = Points(sizes[:-2], errors[:, :-2], sd, 1 - chance)
    missed = float(expected(before, sizes[-1:])[0, 0] - errors[0, -1])
    if abs(missed) > max(_OFF, _SURE * sd):
        return f"the smaller sizes would have predicted a score {abs(missed):.3f} off that of the largest"
    return ""


def _too_wide(low: float, high: float) -> str:
    if high - low <= 2 * WIDEST:
        return ""
    return (
        f"the draws differ too much: with {FURTHEST:g} times the rows the score would lie anywhere between {low:.2f} "
        f"and {high:.2f}"
    )


# --- the shapes ---


@dataclass(frozen=True)
class Points:
    """What is fitted.

    Attributes:
        sizes: [s] rows.
        errors: [r, s] 1 less the score: the measured curve, or r resampled ones.
        sd: standard error at the largest size.
        chance: the error of knowing nothing.
    """

    sizes: np.ndarray
    errors: np.ndarray
    sd: float
    chance: float

    @property
    def weights(self) -> np.ndarray:
        """[s] 1 / variance."""
        return np.asarray((self.sd * (self.sizes[-1] / self.sizes) ** FADING) ** -2.0)

    @property
    def pull(self) -> float:
        """1 / variance of the prior of the final error."""
        return float((FLOOR * max(_TINY, self.errors[:, -1].mean())) ** -2.0)


@dataclass(frozen=True)
class Fitted:
    """A shape's grid of g members on r curves: errors [r, g] ``end`` + ``fall`` × ``form`` [g, t], χ² [r, g]."""

    end: np.ndarray
    fall: np.ndarray
    form: np.ndarray
    misfit: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """[r, 1] least χ²."""
        return np.asarray(self.misfit.min(axis=1, keepdims=True))

    def mean(self) -> np.ndarray:
        """[r, t] errors, the members weighed."""
        weight = np.exp(-0.5 * (self.misfit - self.best))
        weight /= weight.sum(axis=1, keepdims=True)
        return np.asarray((weight * self.end).sum(axis=1)[:, None] + (weight * self.fall) @ self.form)


def expected(points: Points, ahead: np.ndarray) -> np.ndarray:
    """[r, t] errors at ``ahead`` [t] rows, over both shapes."""
    power, mmf = _power_law(points, ahead), _mmf(points, ahead)
    share = 1 / (1 + np.exp(np.clip(0.5 * (power.best - mmf.best), -_SURE, _SURE)))  # of the power law
    return np.asarray(share * power.mean() + (1 - share) * mmf.mean())


def _power_law(points: Points, ahead: np.ndarray) -> Fitted:
    largest, w, e = points.sizes[-1], points.weights, points.errors
    form = (points.sizes / largest) ** -_EXPONENTS[:, None]  # [g, s]
    ones, first, second = w.sum() + points.pull, form @ w, form**2 @ w
    plain, shaped = (e @ w)[:, None], (e * w) @ form.T
    fall = (ones * shaped - plain * first) / (ones * second - first**2)
    end = (plain - fall * first) / ones
    below, rising = end < 0, fall < 0
    end, fall = np.where(below, 0.0, end), np.where(below, shaped / second, fall)
    end, fall = np.where(rising, plain / ones, end), np.where(rising, 0.0, fall)
    misfit = (e**2 @ w)[:, None] - 2 * end * plain - 2 * fall * shaped
    misfit += end**2 * ones + 2 * end * fall * first + fall**2 * second
    return Fitted(end, fall, (ahead / largest) ** -_EXPONENTS[:, None], misfit)


def _mmf(points: Points, ahead: np.ndarray) -> Fitted:
    slope, middle = (grid.reshape(-1, 1) for grid in np.meshgrid(_SLOPES, _MIDDLES))
    w, e, start = points.weights, points.errors, points.chance

    def form(rows: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + (rows / (middle * points.sizes[-1])) ** slope))

    falling = form(points.sizes)  # [g, s]
    fallen = 1 - falling
    aim = (e * w) @ fallen.T - start * (falling * fallen) @ w
    power = fallen**2 @ w + points.pull
    end = np.maximum(aim / power, 0.0)
    constant = (e**2 @ w)[:, None] - 2 * start * (e * w) @ falling.T + start**2 * (falling**2 @ w)
    return Fitted(end, start - end, form(ahead), constant - 2 * end * aim + end**2 * power)
