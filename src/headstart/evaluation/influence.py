"""How much a metric moves with the weight of each row: what its standard error is made of.

The derivative of a metric by the weight of a row, times the spread of that weight, is what the row adds to the
metric's random error; the sum of their squares is the bootstrap's variance to first order (the infinitesimal
jackknife, Jaeckel 1972; Efron 1982, "The jackknife, the bootstrap and other resampling plans", chapter 6). For the area
under the ROC curve these are the placement values of DeLong, DeLong & Clarke-Pearson (1988), here averaged over the
classes row by row, so that what classes have in common is counted. One pass instead of thousands of draws: over 77
classes of 40 rows, 0.08 s instead of 2.5.

Every function takes ``y``, ``p`` and ``w`` [n], and gives the derivative [n] of the kernel of the same name in
`headstart.evaluation.kernels`; nan where that is undefined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headstart.evaluation.kernels import holds, ranked_columns

Influence = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # (y, p, w [n]) -> [n]
Bias = Callable[[np.ndarray, np.ndarray, np.ndarray], float]  # (y, p, w [n])


def auroc(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of the area under the ROC curve, mean of the classes or labels."""
    columns = ranked_columns(y)
    if y.ndim == 1 and p.shape[1] == 2:
        columns = columns[1:]
    return _mean_of(columns, _auroc, y, p, w)


def average_precision(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of average precision, mean of the classes or labels."""
    columns = ranked_columns(y) if y.ndim == 1 else np.flatnonzero((y > 0.5).any(axis=0))
    return _mean_of(columns, _average_precision, y, p, w)


def f1_macro(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of the mean F1 of the classes or labels that occur in truth or predictions."""
    truth, predicted = _indicators(y, p)  # [n, k]
    present = (truth | predicted).any(axis=0)
    both, either = _f1_parts(truth[:, present], predicted[:, present])
    total = w @ either
    return np.asarray(((both - (w @ both / total) * either) / total).sum(axis=1) / np.count_nonzero(present))


def f1_macro_bias(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    """By how much few rows of a class make its F1 come out too low, averaged over the classes.

    F1 is a ratio R = a / b of sums over the rows; to the second order its expectation is off by
    Σ w (R b² − a b) / (Σ w b)² (Cochran 1977, "Sampling techniques", section 6.8).
    """
    truth, predicted = _indicators(y, p)
    present = (truth | predicted).any(axis=0)
    both, either = _f1_parts(truth[:, present], predicted[:, present])
    total = w @ either
    off = (w @ both / total) * (w @ either**2) - w @ (both * either)
    return float((off / total**2).sum() / np.count_nonzero(present))


def f1_micro(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of F1 over all cells of the indicator matrix."""
    both, either = (part.sum(axis=1) for part in _f1_parts(*_indicators(y, p)))
    total = w @ either
    return np.asarray((both - (w @ both / total) * either) / total)


def mcc(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of Matthews correlation, the covariance of truth and prediction over the root of both variances."""
    k, total, predicted = p.shape[1], w.sum(), np.argmax(p, axis=1)
    hit = (predicted == y).astype(float)
    share = np.bincount(y, w, minlength=k) / total
    answered = np.bincount(predicted, w, minlength=k) / total
    overlap = share @ answered
    covariance = w @ hit / total - overlap
    spread_y, spread_p = 1 - share @ share, 1 - answered @ answered
    of_covariance = hit - w @ hit / total - answered[y] - share[predicted] + 2 * overlap
    of_spread_y = 2 * (share @ share - share[y])
    of_spread_p = 2 * (answered @ answered - answered[predicted])
    relative = of_spread_y / spread_y + of_spread_p / spread_p
    return np.asarray((of_covariance - covariance * relative / 2) / np.sqrt(spread_y * spread_p) / total)


def _mean_of(
    columns: np.ndarray,
    one: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    y: np.ndarray,
    p: np.ndarray,
    w: np.ndarray,
) -> np.ndarray:
    if columns.size == 0:
        return np.full(len(w), np.nan)
    total = np.zeros(len(w))
    for column in columns:
        total += one(holds(y, column), p[:, column], w)
    return total / len(columns)


def _auroc(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of one class: a positive's share of negatives below it, a negative's share of positives above it."""
    own, rest = np.where(positive, w, 0.0), np.where(positive, 0.0, w)
    ties = _Ties(score)
    below = ties.below(rest) + ties.at(rest) / 2
    above = own.sum() - ties.below(own) - ties.at(own) / 2
    area = float(own @ below) / (own.sum() * rest.sum())
    return np.where(positive, (below / rest.sum() - area) / own.sum(), (above / own.sum() - area) / rest.sum())


def _average_precision(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Of one class: a positive's own precision, and what a row does to the precision of all positives below it."""
    own, ties = np.where(positive, w, 0.0), _Ties(-score)
    hits, taken = (ties.below(weight) + ties.at(weight) for weight in (own, w))  # scoring at least as high
    precision = hits / taken
    lower = [part.sum() - ties.below(part) for part in (own / taken, own * precision / taken)]  # at most as high
    mean = float(own @ precision) / own.sum()
    return np.asarray((np.where(positive, precision - mean + lower[0], 0.0) - lower[1]) / own.sum())


class _Ties:
    """Sums over the rows that score less than each row, and over those that score the same."""

    def __init__(self, score: np.ndarray) -> None:
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        rank = np.empty(len(score), np.int64)
        rank[self._order] = np.cumsum(starts) - 1
        self._starts, self._rank = np.flatnonzero(starts), rank

    def at(self, weight: np.ndarray) -> np.ndarray:
        """[n] sum of ``weight`` over the rows of the same score."""
        return np.asarray(self._groups(weight)[self._rank])

    def below(self, weight: np.ndarray) -> np.ndarray:
        """[n] sum of ``weight`` over the rows of a lower score."""
        groups = self._groups(weight)
        return np.asarray((np.cumsum(groups) - groups)[self._rank])

    def _groups(self, weight: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(weight[self._order], self._starts))


def _indicators(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n, k] bool each: what a row has, and what it was given."""
    if y.ndim == 2:
        return y > 0.5, p >= 0.5
    classes = np.arange(p.shape[1])
    return y[:, None] == classes, np.argmax(p, axis=1)[:, None] == classes


def _f1_parts(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n, k] float each: what F1's numerator and its denominator count of a cell."""
    return 2.0 * (truth & predicted), truth.astype(float) + predicted
