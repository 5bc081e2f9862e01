"""A learning curve carried on to four times the rows, with an interval, or a refusal in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.curve_models import Points, expected
from headstart.evaluation.learning_curve import Curve

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
    found: np.ndarray = np.maximum.accumulate(scores)
    return found


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
