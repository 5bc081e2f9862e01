"""H-score: the share of the features' variance that lies between classes, counted in every direction alike."""

from __future__ import annotations

import numpy as np

from headstart.heads.rotation import rotate
from headstart.heads.threads import for_size
from headstart.ranking.problem import Problem, problem
from headstart.tasks import get


def h_score(features: np.ndarray, y: np.ndarray, *, shrunk: bool = True) -> float:
    """tr(Σ_f⁻¹ Σ_z), shrunk where so wanted; 0 to classes - 1, higher is better.

    Bao et al. 2019 ("An information-theoretic approach to transferability in task transfer learning", ICIP), with Σ_f
    the covariance of the features and Σ_z that of the class mean of each row:

        H = tr(Σ_f⁻¹ Σ_z) = Σ_c n_c / n (m_c - m)ᵀ Σ_f⁻¹ (m_c - m)

    Ibrahim, Ponomareva & Mazumder 2021 ("Newer is not always better", arXiv:2110.06893) shrink the covariance, which
    few rows estimate badly, by the γ of Ledoit & Wolf 2004:

        H_γ = (1 - γ) tr(Σ_γ⁻¹ Σ_z),  Σ_γ = (1 - γ) Σ_f + γ tr(Σ_f) / d I

    Without shrinking, Σ_f⁻¹ is the pseudo-inverse, and as many dimensions as rows give classes - 1 whatever the
    features are. The plain score stays the same under every linear map that can be undone, the shrunk one when the
    features are turned, scaled as a whole or moved.

    Args:
        features: [n, d].
        y: [n] int classes.
        shrunk: the second formula; False: the first.

    Returns:
        nan where it is undefined: all features the same, fewer than two classes, or targets that are no classes.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    given = problem(features, y)
    if not get(given.task).exclusive or not given.defined:
        return float("nan")
    with for_size(given.x.shape, given.outputs):
        return _score(given, _ledoit_wolf(given.x) if shrunk else 0.0)


def _score(given: Problem, gamma: float) -> float:
    """In principal axes, where Σ_f is diagonal; axes without variance hold no class means either."""
    rotation, n = rotate(given.x), len(given.y)
    power = rotation.power / n
    counts = np.bincount(given.y)
    members = (np.arange(len(counts))[:, None] == given.y).astype(np.float32)
    means = (members @ rotation.rows).astype(np.float64) / np.maximum(counts, 1)[:, None]  # [classes, r]
    between = counts @ means**2 / n  # [r], the diagonal of Σ_z
    shrunk = (1 - gamma) * power + gamma * power.sum() / given.x.shape[1]
    return float((1 - gamma) * (between / shrunk).sum())


def _ledoit_wolf(x: np.ndarray) -> float:
    """γ, of features brought to a common size: scaling them changes nothing, but squares of tiny ones vanish."""
    from sklearn.covariance import ledoit_wolf_shrinkage

    centred = x - x.mean(axis=0, dtype=np.float64)
    return float(ledoit_wolf_shrinkage(centred / np.abs(centred).max(), assume_centered=True))
