"""Relative Mahalanobis distance, in the few directions in which it is not zero."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-12  # of the squared features: float32 keeps seven digits
_LOST = 1e-6  # of the variance of all rows, which the difference of float32 sums leaves behind
SHRINKAGE = 0.3  # share of the within-class covariance that is spread evenly over all directions
MOST_AXES = 256  # discriminants kept
_MOST_ROWS = 5_000  # rows that the covariance is estimated from; the means are those of all rows
_FOLDS = 3  # parts that training rows are scored in, each without itself


@dataclass(frozen=True)
class Discriminants:
    """Directions that part the classes, and the class means there.

    Attributes:
        centre: [d], mean of all rows.
        axes: [d, r], scaled to a within-class variance of one.
        means: [c, r], the means of the classes that have rows, from ``centre``.
        spread: [r], variance of all rows along each axis: 1 + that between the classes.
    """

    centre: np.ndarray
    axes: np.ndarray
    means: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Sums:
    """Of some rows: how many each class has ``n`` [k], and their sums ``first`` [k, d]."""

    n: np.ndarray
    first: np.ndarray

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.n + other.n, self.first + other.first)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.n - other.n, self.first - other.first)


@dataclass(frozen=True)
class Evidence:
    """All that discriminants are made from, so that parts can be put together and taken away.

    Attributes:
        classes: of all rows.
        sample: of the rows that the covariance is estimated from.
        second: [d, d], the sum of their outer products.
    """

    classes: Sums
    sample: Sums
    second: np.ndarray

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(self.classes + other.classes, self.sample + other.sample, self.second + other.second)

    def __sub__(self, other: Evidence) -> Evidence:
        return Evidence(self.classes - other.classes, self.sample - other.sample, self.second - other.second)


def fit_axes(
    x: np.ndarray, y: np.ndarray, held: np.ndarray, inside: np.ndarray, seed: int
) -> tuple[Discriminants, np.ndarray]:
    """The discriminants of ``x`` [n, d] in classes ``y`` [n], and the distances of ``held`` [h, d].

    ``inside`` [h] is the row of ``x`` that a held-out row is, or −1; such rows are scored by the discriminants of
    the parts of ``x`` that they are not in.
    """
    rng = np.random.default_rng(seed)
    middle = x.mean(axis=0)
    part = rng.permutation(len(x)) % _FOLDS
    sampled = np.zeros(len(x), bool)
    sampled[rng.permutation(len(x))[:_MOST_ROWS]] = True
    parts = _evidence(x, y, part, sampled, middle)
    total = functools.reduce(operator.add, parts)
    whole = _discriminants(total, middle)
    scores = relative_mahalanobis(held, whole)
    for i, own in enumerate(parts):
        mine = (inside >= 0) & (part[inside] == i)
        if mine.any():
            scores[mine] = relative_mahalanobis(held[mine], _discriminants(total - own, middle))
    return whole, scores


def relative_mahalanobis(x: np.ndarray, known: Discriminants) -> np.ndarray:
    """Squared Mahalanobis distance to the nearest class less that to all rows together, ``x`` [n, d]: [n].

    Source: Ren et al. (2021), "A simple fix to Mahalanobis distance for improving near-OOD detection". The
    covariance of all rows is the (shrunk) within-class one plus that of the class means, so that outside the
    discriminants both distances are equal and cancel: with z = axes' (x − centre),
    min_c |z − z_c|² − Σ z² / spread.
    """
    z = (np.asarray(x, np.float32) - np.asarray(known.centre, np.float32)) @ np.asarray(known.axes, np.float32)
    means = np.asarray(known.means, np.float32)
    nearest = (2 * z @ means.T - np.square(means).sum(axis=1)).max(axis=1)
    found: np.ndarray = np.square(z) @ (1 - 1 / np.asarray(known.spread, np.float32)) - nearest
    return found


def _evidence(
    x: np.ndarray, y: np.ndarray, part: np.ndarray, sampled: np.ndarray, middle: np.ndarray
) -> list[Evidence]:
    """Of each part of the rows, about ``middle``, which keeps float32 exact enough."""
    k = int(y.max()) + 1
    classes, sample = _sums(x, y, part, middle, k), _sums(x[sampled], y[sampled], part[sampled], middle, k)
    found = []
    for i, (whole, some) in enumerate(zip(classes, sample, strict=True)):
        rows = x[sampled & (part == i)] - middle
        found.append(Evidence(whole, some, rows.T @ rows))
    return found


def _sums(x: np.ndarray, y: np.ndarray, part: np.ndarray, middle: np.ndarray, k: int) -> list[Sums]:
    """Of the rows of each part, about ``middle``."""
    from scipy.sparse import csr_array

    cell = part * k + y
    member = csr_array((np.ones(len(x), np.float32), (cell, np.arange(len(x)))), shape=(_FOLDS * k, len(x)))
    n = np.bincount(cell, minlength=_FOLDS * k).astype(np.float32)
    first = member @ x - n[:, None] * middle
    return [Sums(n[i * k : (i + 1) * k], first[i * k : (i + 1) * k]) for i in range(_FOLDS)]


def _discriminants(of: Evidence, middle: np.ndarray) -> Discriminants:
    """From sums about ``middle``."""
    present = of.classes.n > 0
    n, first = of.classes.n[present], of.classes.first[present]
    centre, means = first.sum(axis=0) / n.sum(), first / n[:, None]
    within = _shrunk(of.sample, of.second, _ROUNDING * float(np.square(middle).mean()))
    between = (means - centre) * np.sqrt(n / n.sum())[:, None]  # [c, d]; between' between is their covariance
    axes, variance = _axes(within, between)
    return Discriminants(middle + centre, axes, (means - centre) @ axes, 1 + variance)


def _shrunk(sample: Sums, second: np.ndarray, rounding: float) -> np.ndarray:
    """The pooled covariance [d, d] within classes, shrunk towards its mean variance by `SHRINKAGE`.

    Args:
        rounding: variance that is none, but what float32 leaves behind.
    """
    present = sample.n > 0
    n, first = sample.n[present], sample.first[present]
    within = (second - (first.T / n) @ first) / max(float(n.sum()) - len(n), 1.0)
    level = float(np.trace(within)) / len(within)
    rounding += _LOST * float(np.trace(second)) / (len(second) * max(float(n.sum()), 1.0))
    if not level > rounding:  # a row a class, or one input over and over: nothing varies within
        return np.eye(len(within), dtype=np.float32)
    ridge = SHRINKAGE * level + rounding
    found: np.ndarray = (1 - SHRINKAGE) * within + ridge * np.eye(len(within), dtype=np.float32)
    return found


def _axes(within: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes [d, r] with axes' within axes = 1 and axes' between' between axes diagonal; that diagonal [r]."""
    from scipy.linalg import cholesky, eigh, solve_triangular

    root = cholesky(within, lower=True)
    white = solve_triangular(root, between.T, lower=True)  # [d, c]
    if white.shape[0] <= white.shape[1]:
        variance, rotation = eigh(white @ white.T)
    else:
        variance, right = eigh(white.T @ white)
        rotation = white @ right / np.sqrt(np.maximum(variance, np.finfo(variance.dtype).tiny))
    kept = np.argsort(-variance)[:MOST_AXES]
    kept = kept[variance[kept] > 1e-5 * max(float(variance.max()), 1e-12)]
    return solve_triangular(root, rotation[:, kept], lower=True, trans="T"), variance[kept]
