"""Linear discriminant analysis with a shrunk within-class covariance.

    Σ(γ) = (1 - γ) S + γ μ I,  S the within-class covariance, μ = tr S / dim
    score_c(x) = xᵀ Σ^-1 m_c - ½ m_cᵀ Σ^-1 m_c + log prior_c

(Ledoit and Wolf 2004, J. Multivariate Analysis 88, give γ in closed form.) In principal axes S is a diagonal
minus a term of rank k, so Σ^-1 costs k x k, and leaving one row out of it is a change of rank one
(Lachenbruch and Mickey 1968, Technometrics 10): every leave-one-out score is exact for the given γ μ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads.rotation import Rotation

#: Shrinkages tried beside the one of Ledoit and Wolf.
GRID = (0.01, 0.05, 0.2, 0.5, 1.0)
#: Share of the strongest axis' power that every axis keeps: below it float32 features only carry rounding.
FLOOR = 1e-6
#: Rows that an absent class is taken to have, so that its prior is small and its log is finite.
ABSENT = 0.5


@dataclass(frozen=True)
class Classes:
    """What LDA needs of the classes, in the rotated features.

    Attributes:
        counts: [k] rows of each class.
        mass: [k] their total weight.
        means: [k, r]; 0 for an absent class.
    """

    counts: np.ndarray
    mass: np.ndarray
    means: np.ndarray

    @property
    def log_prior(self) -> np.ndarray:
        """[k]: log of each class's share of the weight."""
        mass = np.where(self.counts > 0, self.mass, ABSENT * self.mass.sum() / max(self.counts.sum(), 1))
        return np.log(mass / self.mass.sum())


@dataclass(frozen=True)
class Precision:
    """Inverse of n Σ(γ) = D - U Uᵀ, D diagonal: v -> D^-1 v + E Eᵀ v with E [r, k]."""

    inverse: np.ndarray  # [r], 1 / D
    extra: np.ndarray  # [r, k], E

    def times(self, rows: np.ndarray) -> np.ndarray:
        """Each of ``rows`` [m, r] times the inverse."""
        return rows * self.inverse + (rows @ self.extra) @ self.extra.T


def classes(rows: np.ndarray, weights: np.ndarray, y: np.ndarray, outputs: int) -> Classes:
    """Counts, masses and means of the classes of ``y`` [n] over ``rows`` [n, r]; weight 0 leaves out."""
    counts = np.bincount(y, weights > 0, minlength=outputs).astype(np.int64)
    mass = np.bincount(y, weights, minlength=outputs)
    share = np.zeros((outputs, len(y)), np.float32)
    share[y, np.arange(len(y))] = weights / np.where(mass > 0, mass, 1.0)[y]
    return Classes(counts, mass, (share @ rows).astype(np.float64))


def ledoit_wolf(rotation: Rotation, y: np.ndarray, found: Classes) -> float:
    """The shrinkage γ of the within-class covariance that minimises the expected squared error."""
    n, dim = len(y), rotation.dim
    root = found.means * np.sqrt(found.mass)[:, None]
    inner = rotation.rows - found.means.astype(np.float32)[y]
    lengths = rotation.weights * np.einsum("ij,ij->i", inner, inner, dtype=np.float64)
    trace = lengths.sum() / n
    norm = (rotation.power**2).sum() - 2 * ((root**2) @ rotation.power).sum() + ((root @ root.T) ** 2).sum()
    norm = max(norm / n**2, 0.0)  # ||S||²
    delta = (norm - trace**2 / dim) / dim
    beta = ((lengths**2).mean() - norm) / (dim * n)
    return 1.0 if delta <= 0 else float(np.clip(beta / delta, 1e-4, 1.0))


def precision(rotation: Rotation, found: Classes, gamma: float) -> Precision:
    """The inverse of n Σ(γ), from the diagonal total scatter less the scatter of the class means."""
    root = found.means * np.sqrt(found.mass)[:, None]  # [k, r]
    floor = _floor(rotation, root, gamma)
    inverse = 1 / ((1 - gamma) * rotation.power + floor)
    scaled = (1 - gamma) ** 0.5 * root * inverse
    core = np.eye(len(root)) - (1 - gamma) ** 0.5 * scaled @ root.T  # Woodbury: D^-1 + D^-1 Uᵀ core^-1 U D^-1
    values, vectors = np.linalg.eigh(core)
    return Precision(inverse, scaled.T @ (vectors / np.sqrt(np.maximum(values, 1e-9))))


def _floor(rotation: Rotation, removed: np.ndarray, gamma: float) -> float:
    """n γ μ, where the scatter is diag(power) less that of the rows ``removed`` [m, r]."""
    trace = rotation.power.sum() - np.einsum("ij,ij->", removed, removed)
    return max(gamma * trace / rotation.dim, FLOOR * rotation.power[0], 1e-12)


def fit(rotation: Rotation, found: Classes, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Weight [r, k] and bias [k] in the rotated features."""
    n = len(rotation.weights)
    solved = n * precision(rotation, found, gamma).times(found.means)
    return solved.T, found.log_prior - 0.5 * (solved * found.means).sum(axis=1)


def leave_one_out(rotation: Rotation, y: np.ndarray, found: Classes, gamma: float) -> np.ndarray:
    """The scores [n, k] that each row gets from the fit without that row; γ μ and the row weights are kept.

    Without row i, of weight w in a class of weight c, the class mean moves to m' = m - w u / (c - w), u = x_i - m, and
    the scatter loses w c / (c - w) u uᵀ, 1 - γ of which is in n Σ(γ), so that its inverse P becomes
    P' = P + gain P u uᵀ P (Sherman and Morrison).
    """
    at, inverse = np.arange(len(y)), precision(rotation, found, gamma)
    solved = inverse.times(found.means)  # [k, r] = P m
    mm = (solved * found.means).sum(axis=1)
    u = rotation.rows - found.means.astype(np.float32)[y]
    uu = _squares(u, inverse)  # u P u
    um = u @ solved.T.astype(np.float32)  # [n, k] = u P m
    ux = uu + um[at, y]  # u P x
    xm = um + (found.means @ solved.T).astype(np.float32)[y]  # x P m
    left = _left_of_class(rotation.weights, found, y)
    lost = (1 - gamma) * rotation.weights * (left + rotation.weights) / left
    gain = (lost / np.maximum(1 - lost * uu, 1e-6)).astype(np.float32)
    step = (rotation.weights / left).astype(np.float32)
    scores = xm + (gain * ux)[:, None] * um - 0.5 * gain[:, None] * um**2 - 0.5 * mm.astype(np.float32)
    u_moved = um[at, y] - step * uu  # u P m'
    x_moved = xm[at, y] - step * ux  # x P m'
    m_moved = mm[y] - 2 * step * um[at, y] + step**2 * uu  # m' P m'
    scores[at, y] = x_moved + gain * ux * u_moved - 0.5 * (m_moved + gain * u_moved**2)
    scores *= (len(y) - rotation.weights).astype(np.float32)[:, None]
    return scores + _priors_without(found, y, rotation.weights)


def _squares(rows: np.ndarray, inverse: Precision) -> np.ndarray:
    """[n]: v P v for each of ``rows`` [n, r]."""
    plain = (rows * inverse.inverse.astype(np.float32) * rows).sum(axis=1)
    return plain + ((rows @ inverse.extra.astype(np.float32)) ** 2).sum(axis=1)


def _left_of_class(weights: np.ndarray, found: Classes, y: np.ndarray) -> np.ndarray:
    """[n] the weight of each row's class without it; its own where it is alone: there u = 0, so that any does."""
    left = found.mass[y] - weights
    return np.where(left > 1e-9 * found.mass[y], left, np.where(weights > 0, weights, 1.0))


def _priors_without(found: Classes, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[n, k]: log priors, each row's own class counted without it; balanced classes keep their priors."""
    log_prior = np.repeat(found.log_prior[None].astype(np.float32), len(y), axis=0)
    count, mass, there = found.counts[y], found.mass[y], found.mass[found.counts > 0]
    balanced = not np.allclose(found.mass, found.counts) and np.allclose(there, there.mean())
    alone = (count == 1) & (weights > 0)
    left = np.where(alone, ABSENT / np.maximum(count, 1) * mass, mass if balanced else mass - weights)
    share = np.where(left > 0, left / np.where(mass > 0, mass, 1.0), 1.0)
    log_prior[np.arange(len(y)), y] += np.log(share)
    return log_prior


def leave_part_out(rotation: Rotation, y: np.ndarray, outputs: int, gamma: float, part: np.ndarray) -> np.ndarray:
    """The scores [len(part), k] that the rows ``part`` get from the fit without any of them."""
    rows, w = rotation.rows, rotation.weights
    kept = w.copy()
    kept[part] = 0
    found = classes(rows, kept, y, outputs)
    root = found.means * np.sqrt(found.mass)[:, None]
    removed = np.concatenate([root, rows[part] * np.sqrt(w[part, None])])  # [k + m, r]
    diagonal = (1 - gamma) * rotation.power + _floor(rotation, removed, gamma)
    solved = found.mass.sum() * _solve(diagonal, (1 - gamma) ** 0.5 * removed, found.means.T)
    bias = found.log_prior - 0.5 * (solved * found.means.T).sum(axis=0)
    return rows[part] @ solved.astype(np.float32) + bias.astype(np.float32)


def _solve(diagonal: np.ndarray, removed: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(diag - Uᵀ U)^-1 R for U = ``removed`` [m, r], R [r, k]; by Woodbury's identity where m is smaller."""
    if len(removed) >= len(diagonal):
        return np.linalg.solve(np.diag(diagonal) - removed.T @ removed, right)
    scaled = removed / diagonal
    inner = np.linalg.solve(np.eye(len(removed)) - scaled @ removed.T, scaled @ right)
    return right / diagonal[:, None] + scaled.T @ inner
