"""Columns of the features of all stages: how much each matters, and which are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.heads.rotation import CHUNK

#: λ of the relevance, in units of one standardised column's power.
PENALTY = 100.0
#: Shares of the columns that are tried, by name.
SHARES = {"1/16": 1 / 16, "1/4": 1 / 4, "all": 1.0}
LAST = "last stage"
#: More axes than these of a share cost more to solve than they gave: with 10,000 texts of 77 classes all 2,688 columns
#: took five times as long as a quarter of them, and both had 0.924 right.
MOST_AXES = 2048


@dataclass(frozen=True)
class Ranking:
    """Every column's scale and rank, from some rows.

    Attributes:
        parts: widths of the stages, input side first.
        scale: [d] float32: 1 over its stage's root mean variance, so that stages count alike and the proportions
            within a stage stay; 0 for a column that does not vary.
        order: [d] int: the most relevant column first.
    """

    parts: tuple[int, ...]
    scale: np.ndarray
    order: np.ndarray

    def names(self, rows: int) -> list[str]:
        """The sets of columns to try with so many rows."""
        few = [name for name in SHARES if min(rows, self._count(name)) <= MOST_AXES]
        return [*few, LAST] if len(self.parts) > 1 else ["all"]

    def columns(self, name: str) -> np.ndarray:
        """Indices of the columns in the set called ``name``, ascending."""
        if name == LAST:
            return np.arange(len(self.order) - self.parts[-1], len(self.order))
        return np.sort(self.order[: self._count(name)])

    def kept(self, columns: np.ndarray) -> list[int]:
        """How many of ``columns`` are of each stage."""
        edges = np.cumsum(self.parts)
        return np.bincount(np.searchsorted(edges, columns, side="right"), minlength=len(edges)).tolist()

    def _count(self, name: str) -> int:
        return max(1, round(SHARES[name] * len(self.order)))


def rank(x: np.ndarray, targets: np.ndarray, weights: np.ndarray, parts: Sequence[int]) -> Ranking:
    """Rank the columns of ``x`` [n, sum of parts] by their relevance to ``targets`` [n, outputs].

    Args:
        weights: [n] float64: what each row counts for.
    """
    mean, spread = _moments(x)
    stages = np.split(spread, np.cumsum(parts)[:-1])
    typical = np.concatenate([np.full(len(stage), _root_mean_square(stage)) for stage in stages])
    order = np.argsort(-relevance(x, mean, spread, targets, weights), kind="stable")
    scale = _inverse(typical) * (spread > 0)
    return Ranking(tuple(int(width) for width in parts), scale.astype(np.float32), order)


def relevance(
    x: np.ndarray, mean: np.ndarray, spread: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """[d]: the norm of each column's row in the ridge solution on all columns, standardised.

        s_j = ||W_j||,  W = argmin Σ_i w_i ||t_i - t̄ - z_i W||² + λ ||W||²,  z = (x - mean) / spread,  λ = PENALTY n

    Evci et al. 2022 (Head2Toe, arXiv:2201.03529) take the norms from a head trained under a group lasso; ridge stands
    in for it here, as it is solved at once. So strong a penalty keeps columns that say the same from taking each
    other's weight; of those from 1 to 1,000 it chose best, or next to it, on each of six data sets.
    """
    n, d = x.shape
    centre, inverse = mean.astype(np.float32), _inverse(spread).astype(np.float32)
    root = np.sqrt(weights * (n / weights.sum()))[:, None].astype(np.float32)
    aims = ((targets - weights @ targets / weights.sum()) * root).astype(np.float32)
    penalty = np.float32(PENALTY * n)  # float32 will do: the condition is at most 1 + d / PENALTY

    def rows(start: int, stop: int) -> np.ndarray:
        z = (x[start:stop] - centre) * inverse
        z *= root[start:stop]
        return z

    if n < d:
        z = rows(0, n)
        solution = z.T @ np.linalg.solve(z @ z.T + penalty * np.eye(n, dtype=np.float32), aims)
        return np.linalg.norm(solution, axis=1)
    power, pull = penalty * np.eye(d, dtype=np.float32), np.zeros((d, aims.shape[1]), np.float32)
    for start in range(0, n, CHUNK):
        z = rows(start, start + CHUNK)
        power += z.T @ z
        pull += z.T @ aims[start : start + CHUNK]
    return np.linalg.norm(np.linalg.solve(power, pull), axis=1)


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation [d] float64 of the columns; 0 for one that varies by rounding only."""
    mean = x.mean(axis=0, dtype=np.float64)
    squares = np.zeros(x.shape[1])
    for start in range(0, len(x), CHUNK):
        squares += ((x[start : start + CHUNK] - mean) ** 2).sum(axis=0)
    spread = np.sqrt(squares / len(x))
    return mean, np.where(spread > 1e-6 * np.abs(mean), spread, 0.0)


def _inverse(values: np.ndarray) -> np.ndarray:
    """1 over each, 0 for 0."""
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)


def _root_mean_square(spread: np.ndarray) -> float:
    """Over the columns that vary."""
    varying = spread[spread > 0]
    return float(np.sqrt((varying**2).mean())) if len(varying) else 1.0
