"""Ridge regression on ±1 targets, with every leave-one-out score from one eigendecomposition.

Leaving row i out of a ridge fit gives y_i - (y_i - ŷ_i) / (1 - h_i), h the diagonal of the hat matrix
(Golub, Heath and Wahba 1979, Technometrics 21; Hastie, Tibshirani and Friedman, ESL 2nd ed., section 7.10).
Leaving a block B out gives y_B - (I - H_BB)^-1 (y_B - ŷ_B). Both are exact, the intercept included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads.rotation import Rotation
from headstart.tasks import get

#: Penalties tried, as shares of the rows' mean power over all dimensions.
GRID = tuple(float(a) for a in np.geomspace(1e-4, 1e3, 11))


@dataclass(frozen=True)
class Aim:
    """Targets as every penalty needs them.

    Attributes:
        targets: [n, outputs] float32.
        bias: [outputs]: their weighted means.
        pull: [r, outputs]: Zᵀ W (targets - bias).
    """

    targets: np.ndarray
    bias: np.ndarray
    pull: np.ndarray


@dataclass(frozen=True)
class Ridge:
    """A ridge solution in the rotated features.

    Attributes:
        weight: [r, outputs].
        bias: [outputs].
        shrink: [r]: 1 / (power + penalty).
    """

    weight: np.ndarray
    bias: np.ndarray
    shrink: np.ndarray


def code(y: np.ndarray, task: str, outputs: int) -> np.ndarray:
    """Targets [n, outputs] float32: ±1 for classes and labels, the standardised values of a regression as they are."""
    kind = get(task)
    if kind.values:
        return y.astype(np.float32)
    if kind.several:
        return np.where(y > 0, np.float32(1), np.float32(-1))
    coded = np.full((len(y), outputs), -1, np.float32)
    coded[np.arange(len(y)), y] = 1
    return coded


def aim(rotation: Rotation, targets: np.ndarray) -> Aim:
    """``targets`` [n, outputs] float32 centred and projected."""
    w = rotation.weights
    bias = (w @ targets) / w.sum()
    return Aim(targets, bias, rotation.rows.T @ ((targets - bias) * w[:, None]).astype(np.float32))


def fit(rotation: Rotation, aim: Aim, alpha: float) -> Ridge:
    """Minimise Σ w_i ||t_i - b - z_i W||² + λ ||W||² with λ = ``alpha`` n / dim."""
    shrink = 1 / (rotation.power + alpha * len(rotation.rows) / rotation.dim)
    return Ridge(aim.pull * shrink[:, None], aim.bias, shrink)


def leave_one_out(rotation: Rotation, aim: Aim, alpha: float) -> np.ndarray:
    """The scores [n, outputs] that each row gets from the fit without that row."""
    solution = fit(rotation, aim, alpha)
    spread = rotation.rows**2 @ solution.shrink.astype(np.float32)
    leverage = rotation.weights * (1 / len(spread) + spread)
    room = np.maximum(1 - leverage, 1e-6).astype(np.float32)  # a row that alone fixes an axis has leverage 1
    return aim.targets - (aim.targets - _scores(rotation.rows, solution)) / room[:, None]


def leave_part_out(rotation: Rotation, aim: Aim, alpha: float, part: np.ndarray) -> np.ndarray:
    """The scores [len(part), outputs] that the rows ``part`` get from the fit without any of them."""
    solution = fit(rotation, aim, alpha)
    rows, w = rotation.rows[part], rotation.weights[part]
    root = np.sqrt(w).astype(np.float32)
    plain = np.column_stack(
        [rows * np.sqrt(solution.shrink).astype(np.float32), np.full(len(w), len(aim.targets) ** -0.5)]
    )
    wide = (plain * root[:, None]).astype(np.float32)
    residual = aim.targets[part] - _scores(rows, solution)
    if w.all():
        return aim.targets[part] - _solve_identity_minus(wide, residual * root[:, None]) / root[:, None]
    # The same without a division by the root of a weight of 0: (I - A Aᵀ)^-1 = I + A Aᵀ (I - A Aᵀ)^-1.
    moved = wide.T.astype(np.float64) @ _solve_identity_minus(wide, residual * root[:, None])
    return aim.targets[part] - residual - plain @ moved


def _scores(rows: np.ndarray, solution: Ridge) -> np.ndarray:
    return rows @ solution.weight.astype(np.float32) + solution.bias.astype(np.float32)


def _solve_identity_minus(wide: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(I - A Aᵀ)^-1 R for ``wide`` A [m, r]; by Woodbury's identity on the r side where that is smaller."""
    m, r = wide.shape
    a = wide.astype(np.float64)
    # Leverage reaches 1 where the other rows say nothing of an axis; this ridge keeps the system solvable.
    if m <= r:
        return np.linalg.solve((1 + 1e-8) * np.eye(m) - a @ a.T, right.astype(np.float64))
    inner = np.linalg.solve((1 + 1e-8) * np.eye(r) - a.T @ a, a.T @ right)
    return right + a @ inner
