"""Leave-one-out nearest neighbours: what the features tell without anything being fitted."""

from __future__ import annotations

import numpy as np

from headstart.heads.ridge import code
from headstart.heads.scoring import metric_name
from headstart.ranking.estimate import UNDEFINED, Estimate, of_scores
from headstart.ranking.problem import problem

#: Neighbours asked.
NEIGHBOURS = 10
#: Temperature of their votes (Wu et al. 2018, arXiv:1805.01978).
TEMPERATURE = 0.07
_BLOCK = 256  # rows handled at a time


def loo_knn_accuracy(
    features: np.ndarray,
    y: np.ndarray,
    k: int = NEIGHBOURS,
    *,
    task: str | None = None,
    metric: str | None = None,
    groups: np.ndarray | None = None,
) -> Estimate:
    """How well each row's nearest other rows tell its target, and the standard error.

        s_ij = x_i · x_j / (|x_i| |x_j|)
        score_i = Σ_j exp(s_ij / 0.07) target_j / Σ_j exp(s_ij / 0.07),  j the k rows nearest to i but not i

    Votes weighted by the cosine as in Wu et al. 2018 (arXiv:1805.01978), so that ``k`` need not fit the size of the
    classes. The value is accuracy for classes, micro F1 for labels (those with more than half of the votes), R² for a
    regression, or the ``metric`` of `Task.head_metrics` that is named; the votes are targets of ±1, so log_loss is
    not calibrated. A row of nothing but zeros is as far from all others.

    Args:
        features: [n, d].
        y: [n] int classes, [n] or [n, 1] values, [n, labels] 0/1.
        k: neighbours; all other rows where they are fewer.
        task: told from ``y`` where None.
        metric: the task's default where None.
        groups: [n]; rows of a row's own group are not its neighbours.

    Returns:
        nan where it is undefined: all features or all targets are the same, or all rows are of one group.

    Raises:
        SettingError: shapes or values that do not fit.
    """
    given = problem(features, y, task)
    named = metric_name(given.task, metric)
    if not given.defined or (groups is not None and len(np.unique(groups)) < 2):
        return UNDEFINED
    targets = code(given.y, given.task, given.outputs)
    scores = _votes(given.x, targets, min(k, len(targets) - 1), groups)
    return of_scores(scores, given.y, given.task, named)


def _votes(x: np.ndarray, targets: np.ndarray, k: int, groups: np.ndarray | None) -> np.ndarray:
    """[n, outputs] float32: the weighted mean of the targets of each row's neighbours."""
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x))
    unit = x / np.where(lengths > 0, lengths, 1)[:, None]
    scores = np.empty_like(targets)
    for start in range(0, len(x), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(x)))
        alike = unit[rows] @ unit.T  # [block, n]
        alike[np.arange(len(rows)), rows] = -np.inf
        if groups is not None:
            alike[groups[rows, None] == groups] = -np.inf
        near = np.argpartition(alike, -k, axis=1)[:, -k:]
        cosines = np.take_along_axis(alike, near, axis=1)
        votes = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / np.float32(TEMPERATURE))
        votes /= votes.sum(axis=1, keepdims=True)
        scores[rows] = np.einsum("ij,ijk->ik", votes, targets[near])
    return scores
