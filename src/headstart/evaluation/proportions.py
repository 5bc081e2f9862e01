"""Intervals for proportions and for differences of paired proportions, in closed form.

Resampling rows that are all right gives the interval [1, 1], however few they are, and its coverage
near 1 falls far below what it promises. The score interval does not have that fault.

Sources: Wilson (1927); Brown, Cai & DasGupta (2001), "Interval estimation for a binomial proportion"; Bonett
& Price (2012), "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
data", recommended by Fagerland, Lydersen & Laake (2014), "Recommended tests and confidence intervals for
paired binomial proportions"; Korn & Graubard (1998) and Dean & Pagano (2015) for the effective sample size in
stratified data.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

Bounds = tuple[float, float]


def normal_quantile(level: float) -> float:
    """z such that a standard normal lies within ±z with probability ``level``."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(share: float, n: float, level: float) -> Bounds:
    """Wilson's score interval for a ``share`` of ``n`` rows (which may be an effective number)."""
    z = normal_quantile(level)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def paired(wins: float, losses: float, n: float, level: float) -> Bounds:
    """Bonett–Price interval for (wins − losses) / n: Wald's with one win and one loss added.

    ``wins`` counts the rows only the first model has right, ``losses`` those only the second has. No such row
    at all gives about ±2.8 / n rather than [0, 0].
    """
    z = normal_quantile(level)
    win, loss = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = z * np.sqrt((win + loss - (win - loss) ** 2) / (n + 2))
    return max(-1.0, float(win - loss - half)), min(1.0, float(win - loss + half))


def stratified_wilson(hits: np.ndarray, stratum: np.ndarray, level: float, worth: float = 1.0) -> Bounds:
    """Interval for the mean over strata of the share of ``hits`` [n] of 0/1 (balanced accuracy).

    Wilson's interval with the effective number of rows: the n at which a plain proportion would have the
    variance of this mean. Each stratum's variance is estimated with its part of Wilson's z²/2 added hits and
    misses, so that a stratum without an error does not count as certain, and without bias for its size. ``worth`` is
    the share of the rows that independent ones would be (`headstart.evaluation.units`).
    """
    z = normal_quantile(level)
    n, (x,) = _per_stratum(stratum, hits)
    k = len(n)
    added = z * z / (2 * k)
    share = (x + added) / (n + 2 * added)
    centre = share.mean()
    variance = _mean_variance(share * (1 - share), n, centre * (1 - centre))
    return wilson(float((x / n).mean()), worth * float(centre * (1 - centre) / variance), level)


def stratified_paired(
    wins: np.ndarray, losses: np.ndarray, stratum: np.ndarray, level: float, worth: float = 1.0
) -> Bounds:
    """Interval for the mean over strata of the share of ``wins`` less that of ``losses`` [n] of 0/1.

    Bonett–Price with the one added win and loss shared out over the strata; ``worth`` as in `stratified_wilson`.
    """
    n, (b, c) = _per_stratum(stratum, wins, losses)
    added = 1 / (worth * len(n))
    win, loss = (b + added) / (n + 2 * added), (c + added) / (n + 2 * added)
    centre = float((win - loss).mean())
    variance = _mean_variance(win + loss - (win - loss) ** 2, n, float((win + loss).mean()) - centre**2)
    half = normal_quantile(level) * float(np.sqrt(variance / worth))
    return max(-1.0, centre - half), min(1.0, centre + half)


def _per_stratum(stratum: np.ndarray, *columns: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows of each stratum that occurs, and the sum of each column in it."""
    _, inverse = np.unique(stratum, return_inverse=True)
    return np.bincount(inverse), [np.bincount(inverse, weights=column) for column in columns]


def _mean_variance(per_row: np.ndarray, n: np.ndarray, of_mean: float) -> float:
    """Variance of the unweighted mean of strata from the plug-in variance of a row in each.

    The plug-in is too small by (n − 1) / n. A stratum of one row tells nothing of its own spread, so it gets
    ``of_mean``, the variance of a row that is like the strata's mean.
    """
    row = np.where(n > 1, per_row * n / np.maximum(n - 1, 1), of_mean)
    return float((row / n).sum() / len(n) ** 2)
