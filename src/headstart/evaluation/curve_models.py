"""Shapes of learning curves: a power law and the Morgan–Mercer–Flodin curve, weighed by how well they fit.

With n rows, an error (1 less the score) that starts at e0 and ends at a:

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

from dataclasses import dataclass

import numpy as np

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
        found: np.ndarray = (self.sd * (self.sizes[-1] / self.sizes) ** FADING) ** -2.0
        return found

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
        found: np.ndarray = self.misfit.min(axis=1, keepdims=True)
        return found

    def mean(self) -> np.ndarray:
        """[r, t] errors, the members weighed."""
        weight = np.exp(-0.5 * (self.misfit - self.best))
        weight /= weight.sum(axis=1, keepdims=True)
        found: np.ndarray = (weight * self.end).sum(axis=1)[:, None] + (weight * self.fall) @ self.form
        return found


def expected(points: Points, ahead: np.ndarray) -> np.ndarray:
    """[r, t] errors at ``ahead`` [t] rows, over both shapes."""
    power, mmf = _power_law(points, ahead), _mmf(points, ahead)
    share = 1 / (1 + np.exp(np.clip(0.5 * (power.best - mmf.best), -_SURE, _SURE)))  # of the power law
    found: np.ndarray = share * power.mean() + (1 - share) * mmf.mean()
    return found


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
        found: np.ndarray = 1 / (1 + (rows / (middle * points.sizes[-1])) ** slope)
        return found

    falling = form(points.sizes)  # [g, s]
    fallen = 1 - falling
    aim = (e * w) @ fallen.T - start * (falling * fallen) @ w
    power = fallen**2 @ w + points.pull
    end = np.maximum(aim / power, 0.0)
    constant = (e**2 @ w)[:, None] - 2 * start * (e * w) @ falling.T + start**2 * (falling**2 @ w)
    return Fitted(end, start - end, form(ahead), constant - 2 * end * aim + end**2 * power)
