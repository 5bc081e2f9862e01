"""How well unknown inputs are told from known ones, with its uncertainty."""

from __future__ import annotations

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.proportions import normal_quantile, wilson


def judge_unknown(known: np.ndarray, unknown: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """AUROC of scores of ``known`` [a] against ``unknown`` [b] inputs (higher: stranger), and its interval.

    The share of pairs in which the unknown input scores higher, ties half. Its variance is DeLong's (1988);
    the interval is Wilson's with the number of rows at which a proportion would have that variance, as it
    stays below 1 and does not shrink to nothing where all pairs are in order.

    Raises:
        SettingError: no scores of one kind, or scores that are not finite.
    """
    auroc, of_known, of_unknown = _placements(known, unknown)
    variance = _variance(of_known) + _variance(of_unknown)
    fewest, all_rows = min(len(of_known), len(of_unknown)), len(of_known) + len(of_unknown)
    rows = auroc * (1 - auroc) / variance if variance > 0 else fewest
    return auroc, *wilson(auroc, float(np.clip(rows, 1, all_rows)), level)


def judge_gain(
    known: np.ndarray,
    unknown: np.ndarray,
    known_plain: np.ndarray,
    unknown_plain: np.ndarray,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """By how much one score's AUROC is above a plain one's on the same inputs, and the interval of that.

    Source: DeLong, DeLong & Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver
    operating characteristic curves".

    Raises:
        SettingError: as `judge_unknown`, or the two scores are not of the same inputs.
    """
    if np.shape(known) != np.shape(known_plain) or np.shape(unknown) != np.shape(unknown_plain):
        raise SettingError("two scores of different inputs cannot be compared; give both for the same inputs.")
    auroc, of_known, of_unknown = _placements(known, unknown)
    plain, plain_known, plain_unknown = _placements(known_plain, unknown_plain)
    variance = _variance(of_known - plain_known) + _variance(of_unknown - plain_unknown)
    half = normal_quantile(level) * float(np.sqrt(variance))
    gain = auroc - plain
    return gain, gain - half, gain + half


def _placements(known: np.ndarray, unknown: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """AUROC; for each known input the share of unknown ones above it [a]; for each unknown that below [b]."""
    known, unknown = np.asarray(known, dtype=float), np.asarray(unknown, dtype=float)
    for name, values in (("known", known), ("unknown", unknown)):
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            what = "scores that are not finite" if values.size else "no scores"
            raise SettingError(f"the {name} inputs have {what}; both kinds need one finite score for each input.")
    above = 1 - _share_under(unknown, known)
    below = _share_under(known, unknown)
    return float(below.mean()), above, below


def _share_under(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Share of ``values`` under each of ``points``, equals half."""
    ordered = np.sort(values)
    count = np.searchsorted(ordered, points, side="left") + np.searchsorted(ordered, points, side="right")
    found: np.ndarray = count / (2 * len(values))
    return found


def _variance(placements: np.ndarray) -> float:
    """Of their mean."""
    return float(placements.var(ddof=1) / len(placements)) if len(placements) > 1 else 0.0
