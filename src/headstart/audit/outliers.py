"""Rows unlike all others: far from their nearest neighbours in the base's features.

The score is the mean cosine distance to the 10 nearest of up to 2,000 rows drawn at random (Ramaswamy, Rastogi &
Shim 2000, "Efficient algorithms for mining outliers from large data sets"), so that its cost grows with the rows and
not with their square. Rows are called outliers by the modified z-score (median and median absolute deviation) of
Iglewicz & Hoaglin (1993). Of 20 queries on other matters among the 10,003 of banking77 it finds 15 (AUROC of the
score 0.998) with 15 of the queries themselves; among 5,000 of clinc150 and 398 photos it finds none.
"""

from __future__ import annotations

import numpy as np

from headstart.audit.finding import Finding, finding_id, shown
from headstart.data.table import Table

_NEAREST = 10
_REFERENCE = 2_000  # rows that all are compared with
_BLOCK = 2_048  # rows compared at a time
_FAR = 3.0  # robust standard deviations
_MOST = 0.01  # share of the rows above which far rows are no exception


def distances(x: np.ndarray, seed: int = 0) -> np.ndarray:
    """[n] mean cosine distance of each row of ``x`` [n, d] to its nearest neighbours, itself left out; 0..2."""
    n = len(x)
    unit = _unit(x - x.mean(axis=0))
    reference = np.sort(np.random.default_rng(seed).permutation(n)[:_REFERENCE])
    nearest = min(_NEAREST, len(reference) - 1)
    if nearest < 1:
        return np.zeros(n)
    out, place = np.empty(n), np.full(n, -1)
    place[reference] = np.arange(len(reference))
    for start in range(0, n, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, n))
        similar = unit[rows] @ unit[reference].T
        own = np.flatnonzero(place[rows] >= 0)
        similar[own, place[rows[own]]] = -np.inf
        out[rows] = 1 - np.partition(similar, -nearest, axis=1)[:, -nearest:].mean(axis=1)
    return np.maximum(out, 0.0)


def _unit(x: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(length > 0, length, 1), np.float32)


def strangeness(distance: np.ndarray) -> np.ndarray:
    """[n] robust standard deviations by which each ``distance`` [n] exceeds the median."""
    away = distance - np.median(distance)
    return away / (1.4826 * float(np.median(np.abs(away))) or float("inf"))


def find_outliers(table: Table, x: np.ndarray, seed: int = 0) -> list[Finding]:
    """A finding for each row of ``table`` [n] that is far from all others in features ``x`` [n, d].

    At most 1 % of the rows (and at least 3) are called outliers, the strangest first.
    """
    if len(table) < 3 * _NEAREST:
        return []
    strange = strangeness(distances(x, seed))
    rows = np.flatnonzero(strange > _FAR)
    rows = rows[np.argsort(-strange[rows], kind="stable")][: max(3, int(_MOST * len(table)))]
    return [
        Finding(
            finding_id("outlier", [str(table.ids[row])]),
            "outlier",
            "note",
            f"{table.ids[row]} is unlike all other rows ({strange[row]:.1f} robust standard deviations away)",
            "look at it: it may be of another kind than the task is about",
            (str(table.ids[row]),),
            {"examples": shown(table, [int(row)]), "deviations": round(float(strange[row]), 2)},
        )
        for row in rows
    ]
