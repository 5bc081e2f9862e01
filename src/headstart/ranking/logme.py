"""LogME: the log of the maximum evidence of a linear model of the targets on the features."""

from __future__ import annotations

import numpy as np

from headstart.heads.threads import for_size
from headstart.ranking.problem import Problem, problem
from headstart.tasks import get

_STARTS = (1e-4, 1e-2, 1.0)  # of α / β, as shares of the mean eigenvalue
_STEPS = 100  # most fixed-point steps; a handful is usual
_CLOSE = 1e-5  # relative change of α / β at which they end
_RANK = 1e-10  # share of the largest eigenvalue below which float32 features only carry rounding
_WIDEST = 1e12  # α / β stays within so many times the mean eigenvalue, and one over it
_EXACT = 1e-12  # share of a target's square that a fit leaves at least


def logme(features: np.ndarray, y: np.ndarray, task: str | None = None) -> float:
    """The evidence a row of y = F w + noise at its best prior and noise, meaned over the targets; higher is better.

    You et al. 2021 (arXiv:2102.11005): with w ~ N(0, I / α) and noise ~ N(0, I / β),

        log p(y | F) = d/2 log α + n/2 log β - n/2 log 2π - β/2 |F m - y|² - α/2 mᵀm - 1/2 log det A
        A = α I + β FᵀF,  m = β A⁻¹ Fᵀ y,  LogME = max over α, β of log p(y | F) / n

    by the fixed point of You et al. 2022 (arXiv:2110.10545), with σ the eigenvalues of FᵀF:

        γ = Σ βσ / (α + βσ),  α = γ / mᵀm,  β = (n - γ) / |F m - y|²

    There are d eigenvalues, only min(n, d) of which can differ from 0, and the determinant needs all of them:
    d log α - Σ log(α + βσ) = -Σ log(1 + βσ/α), from which those that are 0 drop out. (Code in circulation sums over
    min(n, d) terms against d log α, which is wrong where n < d.) The fixed point starts from shares of the mean
    eigenvalue, not from 1, so that the value does not depend on the scale of the features, and from three of them, as
    the evidence may have two peaks; the highest counts. β is the best one for the α / β that it ends at, which the
    fixed point gives too, once it has converged.

    Classes and labels are columns of 0 and 1, as in the paper; a column that is all 0 or all 1 is left out. The model
    has no intercept and the value depends on the target's unit, so each value of a regression is first put to mean 0
    and variance 1. Turning or scaling the features does not change the value; moving them does.

    Args:
        features: [n, d].
        y: [n] int classes, [n] or [n, outputs] values, [n, labels] 0/1.
        task: told from ``y`` where None.

    Returns:
        nan where it is undefined: all features or all targets are the same. A target that the features fit exactly
        has a residual of 1e-12 of its square, as its evidence has no upper bound.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    given = problem(features, y, task)
    if not given.defined:
        return float("nan")
    with for_size(given.x.shape, given.outputs):
        targets = _targets(given)
        power, squares = _spectrum(given.x.astype(np.float64), targets)
        rest = (targets**2).sum(axis=0)
        rest = np.maximum(rest - squares.sum(axis=0), _EXACT * rest)
        n = len(targets)
        ends = [_ratio(power, squares, rest, start * float(power.mean()), n) for start in _STARTS]
        return float(np.max([_evidence(power, squares, rest, t, n) for t in ends], axis=0).mean())


def _targets(given: Problem) -> np.ndarray:
    """[n, targets] float64, without those that are the same for all rows."""
    if get(given.task).exclusive:
        return np.eye(given.outputs)[:, np.unique(given.y)][given.y]
    y = given.y.astype(np.float64)
    return y[:, (y != y[0]).any(axis=0)]


def _spectrum(x: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The r eigenvalues of FᵀF that are not 0 as [r, 1], and the targets' squared parts along their axes [r, targets].

    Of ``x`` [n, d], by the smaller of FᵀF and FFᵀ.
    """
    n, d = x.shape
    power, axes = np.linalg.eigh(x.T @ x if d <= n else x @ x.T)
    kept = power > _RANK * power[-1]
    power, axes = power[kept, None], axes[:, kept]
    along = (axes.T @ (x.T @ targets)) ** 2 / power if d <= n else (axes.T @ targets) ** 2
    return power, along


def _ratio(power: np.ndarray, squares: np.ndarray, rest: np.ndarray, start: float, n: int) -> np.ndarray:
    """[targets]: α / β where the fixed point ends that begins at ``start``."""
    mean = float(power.mean())
    t = np.full(len(rest), start)
    for _ in range(_STEPS):
        gamma = (power / (power + t)).sum(axis=0)
        length = (power * squares / (power + t) ** 2).sum(axis=0)  # mᵀm
        residual = (squares * (t / (power + t)) ** 2).sum(axis=0) + rest
        new = gamma * residual / ((n - gamma) * np.maximum(length, np.finfo(float).tiny))
        new = np.clip(new, mean / _WIDEST, mean * _WIDEST)
        done = (np.abs(new - t) <= _CLOSE * t).all()
        t = new
        if done:
            break
    return t


def _evidence(power: np.ndarray, squares: np.ndarray, rest: np.ndarray, t: np.ndarray, n: int) -> np.ndarray:
    """[targets]: log p(y | F) / n at α = ``t`` β and the best β, at which β |F m - y|² + α mᵀm = n."""
    energy = (squares * t / (power + t)).sum(axis=0) + rest  # |F m - y|² + t mᵀm
    determinant = np.log1p(power / t).sum(axis=0)
    return 0.5 * (np.log(n / energy) - 1 - np.log(2 * np.pi)) - determinant / (2 * n)
