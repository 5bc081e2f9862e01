"""How far probabilities can be taken at their word, and the one number that mends them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.calibration_gaps import gaps, inverted
from headstart.evaluation.proportions import wilson
from headstart.evaluation.units import Units, share_bounds

_RANGE = (1e-3, 1e3)  # temperatures looked at
_TOLERANCE = 1e-3  # of log T; finer changes no probability by more than a thousandth
_GOLDEN = (np.sqrt(5) - 1) / 2
_BINS = 15
_BIN_ROWS = 20  # fewer and a share right is far from normal
_ELEMENTS = 2**20  # of one block of scores: 8 MiB
_FEWEST = 6  # rows: fewer may all lie on one side of the truth, 2 · 0.5⁵ = 0.06
_NAN = float("nan")


#: For `temperature`: how far from 1 it is expected, as a standard deviation of log T. A few dozen rows that are all
#: right would otherwise ask for a temperature near 0, and every later mistake would be made with full confidence.
EXPECTED = 0.25


def temperature(scores: np.ndarray, y: np.ndarray, expected: float | None = None) -> float:
    """The T > 0 for which ``scores`` / T give the least log loss.

    Source: Guo et al. (2017), "On calibration of modern neural networks".

    With ``expected`` it is the most probable T where log T is normally distributed around 0 with that standard
    deviation: few rows leave T near 1, many move it as far as they say.

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
    weight = 0.0 if expected is None else 1 / (2 * len(scores) * expected**2)

    def loss(log_t: float) -> float:
        return _log_loss(scores, y, log_t) + weight * log_t**2

    low, high = np.log(_RANGE)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > _TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2))


def logits(p: np.ndarray, *, multilabel: bool = False) -> np.ndarray:
    """Scores whose softmax, or logistic function if ``multilabel``, is ``p`` [n, k]: log p, or log p / (1 − p).

    They serve `temperature` where only probabilities were kept: softmax does not see the constant a row that
    log p lacks. Zeros are raised to the type's least positive value, so that the scores are finite.
    """
    p = np.asarray(p)
    least = np.finfo(p.dtype).tiny
    lifted = np.log(np.maximum(p, least).astype(float))
    return np.asarray(lifted - np.log(np.maximum(1 - p, least).astype(float)) if multilabel else lifted)


def confidences(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What was claimed, and whether it was so (0/1): [n] of the most probable class, or [n · k] of every label."""
    y, p = np.asarray(y), np.asarray(p)
    if y.ndim == 1:
        return p.max(axis=1, initial=-np.inf).astype(float), (np.argmax(p, axis=1) == y).astype(float)
    return p.reshape(-1).astype(float), (y > 0.5).reshape(-1).astype(float)


def equal_mass(confidence: np.ndarray, bins: int) -> np.ndarray:
    """The bin [n] of each row, numbered from the least confident; equal confidences share one."""
    if bins < 1:
        raise SettingError(f"bins is {bins}; it must be at least 1, e.g. 15.")
    n = len(confidence)
    edges = np.unique(np.sort(confidence)[np.arange(bins) * n // bins])
    return np.asarray(np.searchsorted(edges, confidence, side="right") - 1)


@dataclass(frozen=True)
class Bin:
    """Rows of like confidence, a point of the reliability diagram.

    Attributes:
        confidence: their mean confidence.
        right: share of them that is right.
        low, high: the 95 % Wilson interval of that share.
        n: rows, or pairs of row and label.
    """

    confidence: float
    right: float
    low: float
    high: float
    n: int


def reliability(y: np.ndarray, p: np.ndarray, bins: int = 10, *, units: np.ndarray | None = None) -> list[Bin]:
    """The reliability diagram: ``bins`` of like numbers of rows, least confident first.

    ``y``, ``p`` and confidence as in `calibration_error`; empty without rows or with values that are not finite.
    ``units`` [rows]: codes of rows that belong together.
    """
    confidence, right = confidences(y, p)
    if not len(confidence) or not np.isfinite(confidence).all():
        return []
    which = equal_mass(confidence, bins)
    n = np.bincount(which)
    mean, share = np.bincount(which, confidence) / n, np.bincount(which, right) / n
    together = _units_of(units, y)
    spans = [wilson(float(s), int(m), 0.95) for s, m in zip(share, n, strict=True)]
    if not together.alone:
        spans = [share_bounds(right[which == i], 0.95, together.take(which == i)) for i in range(len(n))]
    return [
        Bin(float(mean[i]), float(share[i]), float(np.fmin(low, share[i])), float(np.fmax(high, share[i])), int(n[i]))
        for i, (low, high) in enumerate(spans)
    ]


def _units_of(units: np.ndarray | None, y: np.ndarray) -> Units:
    """Of the rows, or of all pairs of row and label."""
    if np.ndim(y) == 1:
        return Units.of(units, len(y))
    code = np.arange(len(y)) if units is None else np.asarray(units)
    return Units.of(np.repeat(code, np.shape(y)[1]), np.size(y))


def calibration_error(y: np.ndarray, p: np.ndarray, bins: int = _BINS) -> float:
    """Mean gap between confidence and share right, over ``bins`` of like numbers of rows (Nixon et al. 2019).

    Classification (``y`` [n]): the confidence of the most probable class. Multilabel (``y`` [n, k]): the
    probability of every label. Equal confidences share a bin. nan without rows or with values that are not
    finite. Chance alone makes gaps, so few rows give a perfect model an error too; `calibration_interval`
    takes that off.
    """
    confidence, right = confidences(y, p)
    n = len(confidence)
    if n == 0 or not np.isfinite(confidence).all():
        return float("nan")
    gaps = np.bincount(equal_mass(confidence, bins), weights=right - confidence)
    return float(np.abs(gaps).sum() / n)


def calibration_interval(
    y: np.ndarray,
    p: np.ndarray,
    *,
    units: np.ndarray | None = None,
    bins: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The calibration error of ``p`` for truth ``y``, freed of the part that chance makes, with its interval.

    ``y`` and ``p`` as in `calibration_error`; how it is done in `headstart.evaluation.calibration_gaps`. ``bins``
    are 15 unless given, fewer under 300 rows so that each has 20. Multilabel: the labels of one row are not
    taken for independent, nor are rows of one unit (``units`` [n] codes). nan without rows or with values that are not
    finite. `SettingError` for a ``level`` outside 0 … 1.
    """
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    rows = len(y)
    confidence, right = confidences(y, p)
    if rows == 0 or not np.isfinite(confidence).all():
        return Interval(_NAN, _NAN, _NAN, level, rows)
    which = equal_mass(confidence, min(_BINS, max(1, rows // _BIN_ROWS)) if bins is None else bins)
    together = _units_of(units, y)
    counted = rows if units is None else Units.of(units, rows).count
    if counted < 2 <= rows:
        return Interval(calibration_error(y, p), _NAN, _NAN, level, rows, counted)
    value, low, high = inverted(
        gaps(confidence, right, which, _worth(confidence, right, together, y, level)), level, seed
    )
    return Interval(value, min(low, value), max(high, value), level, rows, counted)


def _worth(confidence: np.ndarray, right: np.ndarray, units: Units, y: np.ndarray, level: float) -> float:
    """Share of the rows, or pairs of row and label, that independent ones would be; at most all of them."""
    off = (right - confidence) - (right - confidence).mean()
    if units.count == len(y):  # the labels of one row: there are rows enough for normal quantiles
        return min(1.0, 1.0 / units.kish(off))
    return min(1.0, units.rows_worth(off, level))


def confidence_gap(y: np.ndarray, p: np.ndarray, *, units: np.ndarray | None = None, level: float = 0.95) -> Interval:
    """Mean probability of the answers ``p`` [n, k] less the share that is right: above 0 is over-confident.

    Unlike a calibration error it has a sign, and it is not biased upward on few rows. ``y`` is [n] class numbers.
    The interval is Student's for the mean of the n differences, with two pseudo-rows added that are answered with the
    mean confidence, one right and one wrong (Bonett & Price 2012), so that answers that are all right do not count as
    certain; rows of one unit (``units`` [n] codes) are summed first. nan without rows, or where a probability is not
    finite; no bounds under six rows or units.

    Raises:
        SettingError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise SettingError(f"level is {level}; it must lie between 0 and 1, e.g. 0.95.")
    n = len(y)
    if n == 0 or not np.isfinite(p).all():
        return Interval(np.nan, np.nan, np.nan, level, n)
    sure, right = confidences(y, p)
    value = float((sure - right).mean())
    together = Units.of(units, n)
    if together.count < _FEWEST:
        return Interval(value, np.nan, np.nan, level, n, together.count)
    padded = np.concatenate([sure - right, sure.mean() - np.array([0.0, 1.0])])
    spread = float(padded.std(ddof=1)) * np.sqrt(together.design_effect(sure - right - value))
    half = together.student(level) * spread / np.sqrt(n + 2)
    centre = float(padded.mean())
    return Interval(value, min(value, centre - half), max(value, centre + half), level, n, together.count)


def _log_loss(scores: np.ndarray, y: np.ndarray, log_t: float) -> float:
    """Mean log loss at temperature exp(``log_t``), straight from scores so that nothing is clipped; block by block."""
    step, total = max(1, _ELEMENTS // scores.shape[1]), 0.0
    for start in range(0, len(scores), step):
        scaled, truth = scores[start : start + step] / np.exp(log_t), y[start : start + step]
        if y.ndim == 2:
            total += float(np.logaddexp(0, np.where(truth > 0.5, -scaled, scaled)).sum())
        else:
            scaled -= scaled.max(axis=1, keepdims=True)
            total += float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]).sum())
    return total / (scores.size if y.ndim == 2 else len(scores))
