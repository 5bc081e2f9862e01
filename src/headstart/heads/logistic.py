"""L2-penalised logistic regression, softmax or one sigmoid a label, by L-BFGS.

    minimise  Σ w_i loss(z_i W + b, y_i) + ||W||² / (2 C)

In principal axes the Hessian is bounded by ½ (I - 11ᵀ/k) ⊗ diag(power) (Böhning 1992, Ann. Inst. Statist.
Math. 44), so dividing each axis by the root of that diagonal makes the problem well conditioned.
The intercept is not penalised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads import lda
from headstart.heads.lbfgs import minimise
from headstart.tasks import Classification, Multilabel, Task

#: Inverse penalties tried, strong to weak, for rows of mean squared length 1.
GRID = (0.5, 2.0, 8.0, 32.0, 128.0, 512.0)
#: Log loss a row, in nats, left to gain: while candidates are compared, and in the head itself.
ROUGH, FINE = 1e-3, 1e-4


@dataclass(frozen=True)
class Problem:
    """Rows to fit.

    Attributes:
        rows: [n, r] float32.
        weights: [n] float64.
        y: [n] class indices (softmax), or [n, outputs] labels, 0 or 1 (one sigmoid each).
        outputs: number of scores a row.
    """

    rows: np.ndarray
    weights: np.ndarray
    y: np.ndarray
    outputs: int

    @property
    def task(self) -> type[Task]:
        """By the shape of ``y``."""
        return Classification if self.y.ndim == 1 else Multilabel

    @property
    def even(self) -> bool:
        """Whether every row counts the same."""
        return bool((self.weights == 1).all())

    @property
    def present(self) -> np.ndarray:
        """[outputs] bool: the classes that occur; the others keep a weight of 0 and their small prior."""
        if self.task.exclusive:
            return np.bincount(self.y, minlength=self.outputs) > 0
        counts = self.y.sum(axis=0)
        return (counts > 0) & (counts < len(self.y))

    def start(self) -> np.ndarray:
        """[r + 1, outputs]: weights 0, and in the last row the bias that gives the smoothed class shares."""
        start = np.zeros((self.rows.shape[1] + 1, self.outputs))
        n = self.weights.sum()
        if self.task.exclusive:
            mass = np.bincount(self.y, self.weights, minlength=self.outputs) + lda.ABSENT
            start[-1] = np.log(mass / mass.sum())
        else:
            mass = self.weights @ self.y + lda.ABSENT
            start[-1] = np.log(mass / (n + 2 * lda.ABSENT - mass))
        return start


def fit(problem: Problem, c: float, start: np.ndarray, tolerance: float = FINE) -> np.ndarray:
    """Weight and, in the last row, bias [r + 1, outputs], from the warm start ``start`` of the same shape.

    ``tolerance``: the log loss a row, in nats, that may be left to gain.
    """
    scale = _preconditioner(problem, c, start) * problem.present

    def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = _loss(problem, c, start + scale * moved)
        return value, gradient * scale

    return start + scale * minimise(loss, np.zeros_like(start), tolerance=tolerance * len(problem.rows))


def scores(rows: np.ndarray, solution: np.ndarray) -> np.ndarray:
    """[n, outputs] float32 scores of ``rows`` [n, r]."""
    plain = solution.astype(np.float32)
    return rows @ plain[:-1] + plain[-1]


def _loss(problem: Problem, c: float, solution: np.ndarray) -> tuple[float, np.ndarray]:
    """The objective and its gradient [r + 1, outputs]."""
    raw = scores(problem.rows, solution)
    losses, slope = _softmax(raw, problem.y) if problem.y.ndim == 1 else _sigmoids(raw, problem.y)
    if not problem.even:
        slope *= problem.weights.astype(np.float32)[:, None]
    gradient = np.empty_like(solution)
    gradient[:-1] = problem.rows.T @ slope + solution[:-1] / c
    gradient[-1] = slope.sum(axis=0, dtype=np.float64)
    penalty = float(np.einsum("ij,ij->", solution[:-1], solution[:-1])) / (2 * c)
    return float(problem.weights @ losses) + penalty, gradient


def _softmax(raw: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses [n] and their derivatives by the scores ``raw`` [n, k], which are overwritten."""
    at = np.arange(len(y))
    raw -= raw.max(axis=1, keepdims=True)
    truth = raw[at, y]
    np.exp(raw, out=raw)
    total = raw.sum(axis=1)
    raw *= (1 / total)[:, None]
    raw[at, y] -= 1
    return np.log(total) - truth, raw


def _sigmoids(raw: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Losses [n], summed over labels, and their derivatives by the scores ``raw`` [n, outputs]."""
    losses = (np.logaddexp(0, raw) - raw * y).sum(axis=1)
    return losses, (Multilabel.probabilities(raw) - y).astype(np.float32)


def _preconditioner(problem: Problem, c: float, start: np.ndarray) -> np.ndarray:
    """[r + 1, 1]: about one over the root of the Hessian's diagonal at ``start``."""
    p = problem.task.probabilities(scores(problem.rows, start))
    spread = float((p * (1 - p)).mean()) + 1e-4
    squares = np.einsum("ij,ij->j", problem.rows, problem.rows, dtype=np.float64)
    return np.append(spread * squares + 1 / c, spread * len(p))[:, None] ** -0.5
