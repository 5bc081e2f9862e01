"""Sets of labels, and intervals of numbers, that hold the truth with a promised probability.

Split conformal prediction: the threshold is a quantile of what held-out rows got, so nothing is assumed about
the model, only that new rows come like the held-out ones. Averaged over draws of the held-out rows, the
quantile of rank ⌈(n + 1) level⌉ keeps the promise; but with one such draw in hand the coverage is
Beta(r, n + 1 − r) distributed for rank r (Vovk 2012, "Conditional validity of inductive conformal
predictors"), so about half of the draws would fall short. The rank is therefore the least one whose coverage
reaches ``level`` with probability ``confidence``. Where even the last rank does not, i.e. under
log(1 − confidence) / log(level) rows (29 for a level of 0.9 and a confidence of 0.95), the sets hold every label.

The score of a set is the probability of its label (Sadinle, Lei & Wasserman 2019, "Least ambiguous set-valued
classifiers with bounded error levels"), which gives the smallest sets on average.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart.errors import BundleError, SettingError
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.units import Units, share_bounds

LABELS = "labels"  # sets of labels whose probability reaches the threshold
RESIDUALS = "residuals"  # the predicted value ± the threshold
_TWO_SIDED = 2  # an interval of level 2 c − 1 has c above its lower bound


@dataclass(frozen=True)
class Conformal:
    """What turns probabilities into sets, or predicted values into intervals.

    Attributes:
        level: share of new rows whose set holds the truth, promised with probability ``confidence``.
        threshold: least probability of a label in a set (0: all labels), or half the width of an interval
            (infinite: no promise can be made), in the target's unit.
        method: `LABELS` or `RESIDUALS`.
        confidence: share of draws of the held-out rows for which the promise is kept.
        n: held-out rows that the threshold comes from.
    """

    level: float
    threshold: float
    method: str
    confidence: float
    n: int

    @property
    def promises(self) -> bool:
        """False where the rows were too few, so that a set holds everything."""
        return 0 < self.threshold < np.inf

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; an infinite threshold becomes None."""
        return asdict(self) | {"threshold": self.threshold if np.isfinite(self.threshold) else None}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Conformal:
        """What `to_dict` wrote; `BundleError` if ``record`` is something else."""
        try:
            threshold = float("inf") if record["threshold"] is None else float(record["threshold"])
            numbers = float(record["level"]), threshold, str(record["method"]), float(record["confidence"])
            found = cls(*numbers, int(record["n"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"the record of conformal sets is broken ({error!r}); save the bundle anew.") from error
        if found.method not in (LABELS, RESIDUALS) or not found.threshold >= 0:
            raise BundleError(
                f"conformal sets have method {found.method!r} and threshold {found.threshold}; the method may be "
                f"{LABELS} or {RESIDUALS}, the threshold at least 0; save the bundle anew."
            )
        return found


def fit_conformal(
    p: np.ndarray, y: np.ndarray, level: float = 0.9, *, units: np.ndarray | None = None, confidence: float = 0.95
) -> Conformal:
    """The sets for probabilities ``p`` [n, k] of rows that their model did not learn from.

    ``y`` is [n] class numbers, or [n, k] of 0/1, where a set is right if it holds all labels of its row. Rows of one
    unit (``units`` [n] codes) count as what their design effect leaves of them, so that the set of a row of a new unit
    holds the truth as often as promised.
    `SettingError` without rows, with values that are not finite, or with a level outside 0 … 1.
    """
    p, y = _checked(p, y, level, confidence)
    true = p[np.arange(len(y)), y] if y.ndim == 1 else np.where(y > 0.5, p, 1.0).min(axis=1)
    rank = _rank_of(-true, level, confidence, Units.of(units, len(true)))
    threshold = 0.0 if rank is None else float(np.sort(true)[::-1][rank - 1])
    return Conformal(level, threshold, LABELS, confidence, len(true))


def fit_residuals(
    predicted: np.ndarray,
    y: np.ndarray,
    level: float = 0.9,
    *,
    units: np.ndarray | None = None,
    confidence: float = 0.95,
) -> Conformal:
    """The intervals around ``predicted`` [n, 1] values of rows that their model did not learn from; ``y`` [n, 1].

    ``units`` as for `fit_conformal`. Their half width is a quantile of the absolute residuals (Lei et al. 2018,
    "Distribution-free predictive inference for regression").
    """
    predicted, y = _checked(predicted, y, level, confidence)
    residuals = np.abs(predicted.astype(float) - y).reshape(-1)
    rank = _rank_of(residuals, level, confidence, Units.of(units, len(residuals)))
    residuals = np.sort(residuals)
    threshold = float("inf") if rank is None else float(residuals[rank - 1])
    return Conformal(level, threshold, RESIDUALS, confidence, len(residuals))


def sets(conformal: Conformal, p: np.ndarray, *, multilabel: bool = False) -> np.ndarray:
    """Which labels [n, k] bool are in the set of each row of ``p`` [n, k].

    The most probable label always is, unless rows may have none (``multilabel``): an empty set would tell
    nothing, and a label more never lowers coverage.
    """
    _require(conformal, LABELS)
    p = np.asarray(p)
    chosen = p >= conformal.threshold
    if not multilabel:
        chosen[np.arange(len(p)), np.argmax(p, axis=1)] = True
    return np.asarray(chosen)


def bounds(conformal: Conformal, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper bounds around ``predicted`` values, in its shape."""
    _require(conformal, RESIDUALS)
    predicted = np.asarray(predicted, dtype=float)
    return predicted - conformal.threshold, predicted + conformal.threshold


def coverage(
    conformal: Conformal, p: np.ndarray, y: np.ndarray, *, units: np.ndarray | None = None, level: float = 0.95
) -> Interval:
    """Share of rows whose set, or interval, holds the truth, with the Wilson interval of ``level``.

    ``p``, ``y`` and ``units`` as in `fit_conformal` or `fit_residuals`. nan without rows.
    """
    p, y = np.asarray(p), np.asarray(y)
    if len(y) == 0:
        return Interval(float("nan"), float("nan"), float("nan"), level, 0)
    covered, together = _covered(conformal, p, y).astype(float), Units.of(units, len(y))
    return Interval(float(covered.mean()), *share_bounds(covered, level, together), level, len(y), together.count)


def mean_size(conformal: Conformal, p: np.ndarray, *, multilabel: bool = False) -> float:
    """Labels in a set on average, or the full width of an interval; nan without rows."""
    if len(p) == 0:
        return float("nan")
    if conformal.method == RESIDUALS:
        return 2 * conformal.threshold
    return float(sets(conformal, p, multilabel=multilabel).sum(axis=1).mean())


def _covered(conformal: Conformal, p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n] bool."""
    if conformal.method == RESIDUALS:
        low, high = bounds(conformal, p)
        return np.asarray(((low <= y) & (y <= high)).reshape(len(y), -1).all(axis=1))
    if y.ndim == 1:
        return np.asarray(sets(conformal, p)[np.arange(len(y)), y])
    return np.asarray((sets(conformal, p, multilabel=True) | (y < 0.5)).all(axis=1))


def _rank(n: int, level: float, confidence: float) -> int | None:
    """The least rank, from the best row, whose coverage is at least ``level`` that surely; None if there is none."""
    from scipy.special import betainc

    ranks = np.arange(1, n + 1)
    enough = (betainc(ranks, n + 1 - ranks, level) <= 1 - confidence) & (ranks >= (n + 1) * level)
    return int(ranks[enough][0]) if enough.any() else None


def _rank_of(badness: np.ndarray, level: float, confidence: float, units: Units) -> int | None:
    """The rank of `_rank` for rows [n] of units, least ``badness`` first.

    The design effect is that of being within the threshold; the rank is the one that the rows left by it would need,
    as a share of them. A single unit promises nothing.
    """
    n = len(badness)
    plain = _rank(n, level, confidence)
    if units.alone or plain is None:
        return plain
    within = (badness <= np.sort(badness)[plain - 1]).astype(float)
    left = n * min(1.0, units.rows_worth(within - within.mean(), _TWO_SIDED * confidence - 1))
    fewer = int(left)
    rank = _rank(fewer, level, confidence) if fewer else None
    return None if rank is None else min(n, math.ceil(rank / fewer * n))


def _checked(p: np.ndarray, y: np.ndarray, level: float, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    for name, value in (("level", level), ("confidence", confidence)):
        if not 0 < value < 1:
            raise SettingError(f"{name} is {value}; it must lie between 0 and 1, e.g. 0.9.")
    p, y = np.asarray(p), np.asarray(y)
    if len(p) != len(y) or len(p) == 0:
        raise SettingError(f"conformal sets were asked of {len(p)} predictions for {len(y)} rows; give one each.")
    if not np.isfinite(p).all() or not np.isfinite(y).all():
        raise SettingError("conformal sets were asked of values that are not finite; leave out rows without any.")
    return p, y


def _require(conformal: Conformal, method: str) -> None:
    if conformal.method != method:
        raise SettingError(f"this conformal threshold is for {conformal.method}; it cannot be used for {method}.")
