"""How far probabilities can be taken at their word, and the one number that mends them."""

from __future__ import annotations

import numpy as np

from headstart.errors import SettingError

_RANGE = (1e-3, 1e3)  # temperatures looked at
_TOLERANCE = 1e-3  # of log T; finer changes no probability by more than a thousandth
_GOLDEN = (np.sqrt(5) - 1) / 2


def temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """The T > 0 for which ``scores`` / T give the least log loss.

    Source: Guo et al. (2017), "On calibration of modern neural networks".

    ``scores`` [n, outputs] must come from rows that the scores' model did not learn from, else T is too
    small. ``y`` is [n] class numbers (softmax) or [n, outputs] of 0/1 (a logistic function each). The loss is
    convex in 1 / T, so golden-section search on log T finds the one minimum; scores without an error end at
    the lower limit of 0.001, scores that tell nothing at the upper one of 1000. `SettingError` without rows
    or with non-finite scores.
    """
    scores, y = np.asarray(scores, dtype=float), np.asarray(y)
    if len(scores) == 0 or not np.isfinite(scores).all():
        found = "scores that are not finite" if len(scores) else "no rows"
        raise SettingError(f"a temperature was asked of {found}; it needs finite scores of at least one row.")
    low, high = np.log(_RANGE)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = _log_loss(scores, y, left), _log_loss(scores, y, right)
    while high - low > _TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = _log_loss(scores, y, left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = _log_loss(scores, y, right)
    return float(np.exp((low + high) / 2))


def calibration_error(y: np.ndarray, p: np.ndarray, bins: int = 15) -> float:
    """Mean gap between confidence and share right, over ``bins`` of like numbers of rows (Nixon et al. 2019).

    Classification (``y`` [n]): the confidence of the most probable class. Multilabel (``y`` [n, k]): the
    probability of every label. Equal confidences share a bin. nan without rows or with values that are not
    finite.
    """
    if bins < 1:
        raise SettingError(f"bins is {bins}; it must be at least 1, e.g. 15.")
    y, p = np.asarray(y), np.asarray(p)
    if y.ndim == 1:
        confidence, right = p.max(axis=1, initial=-np.inf), (np.argmax(p, axis=1) == y).astype(float)
    else:
        confidence, right = p.reshape(-1), (y > 0.5).reshape(-1).astype(float)
    n = len(confidence)
    if n == 0 or not np.isfinite(p).all():
        return float("nan")
    edges = np.unique(np.sort(confidence)[np.arange(bins) * n // bins])
    which = np.searchsorted(edges, confidence, side="right") - 1
    gaps = np.bincount(which, weights=right - confidence)
    return float(np.abs(gaps).sum() / n)


def _log_loss(scores: np.ndarray, y: np.ndarray, log_t: float) -> float:
    """Mean log loss at temperature exp(``log_t``), straight from scores so that nothing is clipped."""
    scaled = scores / np.exp(log_t)
    if y.ndim == 2:
        return float(np.logaddexp(0, np.where(y > 0.5, -scaled, scaled)).mean())
    shifted = scaled - scaled.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]).mean())
