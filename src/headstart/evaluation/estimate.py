"""The accuracy to expect on unlabelled rows, from how sure the model is there and was on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation import proportions
from headstart.evaluation.units import Units

_LEVEL = 0.95
_METHOD = 1 / 3  # of the estimated change: how far off it may be besides
_TINY = 1e-30  # stands in for a probability of 0 in logarithms


@dataclass(frozen=True)
class Estimate:
    """An accuracy estimated without labels.

    Attributes:
        value: share of rows expected to be right.
        low, high: 95 % interval where inputs are like the held-out ones; where they are not, as wide as estimates
            were off under known damage.
        plain: the guess beside it: the accuracy on the held-out rows.
        n: unlabelled rows.
        held: held-out rows.
    """

    value: float
    low: float
    high: float
    plain: float
    n: int
    held: int


def greatest(p: np.ndarray) -> np.ndarray:
    """The greatest of the probabilities ``p`` [n, k] of each row: [n]."""
    found: np.ndarray = p.max(axis=1).astype(float)
    return found


def negative_entropy(p: np.ndarray) -> np.ndarray:
    """Σ p log p of ``p`` [n, k] in nats: [n], 0 where sure, −log k where nothing is known."""
    p = np.asarray(p, dtype=float)
    found: np.ndarray = (p * np.log(np.maximum(p, _TINY))).sum(axis=1)
    return found


#: What "sure" may mean; the estimate is the mean over these, which miss in different directions (docs/log.md).
CONFIDENCES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (greatest, negative_entropy)


def estimate_accuracy(
    held_p: np.ndarray, held_y: np.ndarray, p: np.ndarray, held_units: np.ndarray | None = None
) -> Estimate:
    """The accuracy of the model behind ``p`` [n, k] on these rows, whose labels are not known.

    Average thresholded confidence (ATC; Garg et al. 2022, "Leveraging unlabeled data to predict out-of-distribution
    performance"): the confidence that as large a share of the held-out rows reaches as were answered right; the
    estimate is the share of the new rows that reach it. Rows with exactly that confidence count in part, as they do
    on the held-out rows, so that the estimate on those is exact. It is right where rows that confident are
    right, and others wrong, about as often in both samples. A shift that makes a model confidently wrong is not seen,
    and one that makes inputs harder to a model that knows it is taken for worse than it is.

    The interval joins three errors as if independent (Zou & Donner 2008, "Construction of confidence limits about
    effect measures"): of the threshold, by Wilson's interval of the held-out accuracy or, where it is wider, Bonett &
    Price's for held-out rows above it that are wrong against those below it that are right; of the share of n rows, by
    Wilson's; and of the method, a third of the estimated change, which held nine of ten true accuracies under known
    damage (docs/log.md).

    Args:
        held_p: [h, k] probabilities of rows that the model did not learn from.
        held_y: [h] int, their classes.
        p: [n, k].
        held_units: [h] codes: held-out rows of one unit are not independent.

    Raises:
        SettingError: no rows, values that are not finite, or columns that do not match.
    """
    held_p, held_y, p = np.asarray(held_p, float), np.asarray(held_y), np.asarray(p, float)
    _check(held_p, held_y, p)
    right = np.argmax(held_p, axis=1) == held_y
    accuracy = float(right.mean())
    low, high = _accuracy_bounds(held_p, right, Units.of(held_units, len(right)))
    value, lower, upper = (_expected(held_p, p, share) for share in (accuracy, low, high))
    least, most = proportions.wilson(value, len(p), _LEVEL)
    method = _METHOD * abs(value - accuracy)
    return Estimate(
        value,
        max(0.0, value - math.hypot(value - lower, value - least, method)),
        min(1.0, value + math.hypot(upper - value, most - value, method)),
        accuracy,
        len(p),
        len(held_p),
    )


def thresholded(held: np.ndarray, share: float, new: np.ndarray) -> float:
    """Share of ``new`` [n] that reach the value which a ``share`` of ``held`` [h] reach.

    Of values equal to it, the same part counts in both.
    """
    wanted = share * len(held)
    if wanted <= 0:
        return 0.0
    threshold = np.sort(held)[::-1][min(math.ceil(wanted - 1e-9), len(held)) - 1]
    part = (wanted - float((held > threshold).sum())) / float((held == threshold).sum())
    return float((new > threshold).mean() + part * (new == threshold).mean())


def _expected(held_p: np.ndarray, p: np.ndarray, share: float) -> float:
    """The mean of the estimates by each of `CONFIDENCES` for an accuracy of ``share`` on the held-out rows."""
    return float(np.mean([thresholded(sure(held_p), share, sure(p)) for sure in CONFIDENCES]))


def _accuracy_bounds(held_p: np.ndarray, right: np.ndarray, units: Units) -> proportions.Bounds:
    """Accuracies whose thresholds bound the true one.

    A row that is right and above the threshold, or wrong and below it, says nothing against the threshold.
    """
    n, accuracy = len(right), float(right.mean())
    missed = 0.0
    for sure in CONFIDENCES:
        ranked = right[np.argsort(-sure(held_p), kind="stable")]
        missed += float(ranked[round(accuracy * n) :].sum()) / len(CONFIDENCES)  # right, but below
    worth = units.rows_worth(right - accuracy, _LEVEL)
    low, high = proportions.paired(worth * missed, worth * missed, worth * n, _LEVEL)  # as many are wrong, but above
    least, most = proportions.wilson(accuracy, worth * n, _LEVEL) if worth > 0 else (0.0, 1.0)
    return max(0.0, min(accuracy + low, least)), min(1.0, max(accuracy + high, most))


def _check(held_p: np.ndarray, held_y: np.ndarray, p: np.ndarray) -> None:
    if held_p.ndim != 2 or p.ndim != 2 or held_p.shape[1] != p.shape[1] or held_y.shape != (len(held_p),):
        raise SettingError(
            f"probabilities {p.shape}, held-out ones {held_p.shape} and their classes {held_y.shape} do not fit; "
            f"an accuracy is estimated from [n, k], [h, k] and [h]."
        )
    if not len(held_p) or not len(p):
        raise SettingError(f"an accuracy was to be estimated from {len(held_p)} held-out and {len(p)} new rows.")
    if not (np.isfinite(held_p).all() and np.isfinite(p).all()):
        raise SettingError("some probabilities are not finite numbers; leave out those rows.")
