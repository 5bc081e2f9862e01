"""Which classes are taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Confusion:
    """Counts of truth against prediction.

    Attributes:
        matrix: [k, k] int; rows are the true classes, columns the predicted ones.
        precision: [k] share of the rows predicted as a class that are of it; nan where none is predicted.
        recall: [k] share of a class's rows that are predicted as it; nan where it has no rows.
        support: [k] int, rows of each class.
    """

    matrix: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    support: np.ndarray


def confusion(y: np.ndarray, p: np.ndarray) -> Confusion:
    """The confusion of class numbers ``y`` [n] with the most probable classes of ``p`` [n, k]."""
    k = np.shape(p)[1]
    y = np.asarray(y, dtype=np.int64)
    matrix = np.bincount(y * k + np.argmax(p, axis=1), minlength=k * k).reshape(k, k)
    hits, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return Confusion(matrix, _share(hits, predicted), _share(hits, support), support)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part`` / ``whole``, nan where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
