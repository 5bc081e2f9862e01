"""PARC: whether rows that look alike in the features are alike in their labels."""

from __future__ import annotations

import numpy as np

from headstart.heads.threads import for_size
from headstart.ranking.problem import Problem, problem
from headstart.tasks import get

_DIGITS = 9  # of a distance; rounding errors below would rank pairs that are tied


def parc(features: np.ndarray, y: np.ndarray) -> float:
    """Spearman's correlation between distances of features and distances of labels over all pairs; -1 to 1.

    Pairwise annotation representation comparison, Bolya, Mittapalli & Hoffman 2021 (arXiv:2111.06977):

        D_f(i, j) = 1 - pearson(x_i, x_j),  D_y(i, j) = 1 - pearson(e_i, e_j),  PARC = spearman(D_f, D_y), i < j

    with every feature first put to mean 0 and variance 1, and e the one-hot classes or the rows of 0/1 labels. The
    paper tells it in hundredths. Two one-hot rows correlate to one value if they are of one class and to another if
    not, so for classes D_y is taken as 0 or 1, which ranks the same. Scaling or moving a feature changes nothing;
    turning the features does. Memory grows with the square of the rows: 100 MB for 2,000.

    Args:
        features: [n, d]. A feature, or after that a row, that does not vary counts as correlated to nothing.
        y: [n] int classes, or [n, labels] 0/1; rows with none or all of the labels, which correlate to nothing,
            are left out.

    Returns:
        nan where it is undefined: fewer than two features or three rows, all features or all label distances the same,
        or targets that are neither classes nor labels.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    from scipy.stats import spearmanr

    given = problem(features, y)
    if not get(given.task).graded or not given.defined or given.x.shape[1] < 2:
        return float("nan")
    kept = np.ones(len(given.y), bool) if given.y.ndim == 1 else (given.y != given.y[:, :1]).any(axis=1)
    if kept.sum() < 3:
        return float("nan")
    pairs = np.triu_indices(kept.sum(), 1)
    with for_size(given.x.shape, 1):
        distances = _feature_distances(given.x[kept])[pairs]
    of_labels = _label_distances(given, kept)[pairs]
    if np.ptp(distances) == 0 or np.ptp(of_labels) == 0:
        return float("nan")
    return float(spearmanr(distances, of_labels).statistic)


def _feature_distances(x: np.ndarray) -> np.ndarray:
    """[n, n]."""
    x = x - x.mean(axis=0, dtype=np.float64)
    spread = x.std(axis=0)
    return _distances(x / np.where(spread > 0, spread, 1))


def _label_distances(given: Problem, kept: np.ndarray) -> np.ndarray:
    """[n, n]."""
    y = given.y[kept]
    return (y[:, None] != y).astype(np.float64) if y.ndim == 1 else _distances(y.astype(np.float64))


def _distances(rows: np.ndarray) -> np.ndarray:
    """[n, n]: 1 - Pearson's correlation of each two of ``rows``; 1 where one does not vary."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    unit = rows / np.where(lengths > 0, lengths, 1)
    return np.round(1 - unit @ unit.T, _DIGITS)
