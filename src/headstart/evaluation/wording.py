"""Numbers and intervals as sentences have them."""

from __future__ import annotations

import math

import numpy as np

from headstart.evaluation.bootstrap import Interval

_NOISE = 1e-12  # below it a difference is what rounding left


def number(value: float, *, signed: bool = False) -> str:
    """Three decimals, fewer for large numbers and two figures where those would be zeros; a true minus sign."""
    size = abs(value)
    digits = ".3f" if size < 10 else ".2f" if size < 100 else ".1f" if size < 1000 else ",.0f"
    if _NOISE < size < 0.0005:
        digits = ".2g"
    text = format(value, f"+{digits}" if signed and size > _NOISE else digits)
    return text.replace("-", "−")


def figures(values: np.ndarray) -> int:
    """Significant figures with which ``values`` are told apart: four, and more where they all lie far from 0."""
    spread, most = float(np.ptp(values)), float(np.abs(values).max())
    return min(15, 4 + max(0, math.floor(math.log10(most / spread)))) if spread > 0 else 4


def span(interval: Interval, *, signed: bool = False) -> str:
    """Both bounds: "[0.884, 0.966]"; "" if there are none."""
    low, high = interval.low, interval.high
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{number(low, signed=signed)}, {number(high, signed=signed)}]"


def score(interval: Interval) -> str:
    """The value and, where there are bounds, its interval: "0.935 [0.884, 0.966]"; a level other than 95 % is said."""
    return _with_bounds(interval, signed=False)


def gained(gain: Interval) -> str:
    """A gain and its bounds, signed: "+0.223 [+0.143, +0.301]"; a level other than 95 % is said."""
    return _with_bounds(gain, signed=True)


def _with_bounds(one: Interval, *, signed: bool) -> str:
    bounds = span(one, signed=signed)
    level = "" if not bounds or math.isclose(one.level, 0.95) else f" ({one.level * 100:.3g} % interval)"
    return f"{number(one.value, signed=signed)} {bounds}".rstrip() + level


def metric_name(metric: str) -> str:
    """A metric as the field calls it, in the middle of a sentence: "balanced accuracy", "macro F1", "R²"."""
    if metric in _METRICS:
        return _METRICS[metric]
    parts = ["F1" if part == "f1" else part for part in metric.split("_")]
    return " ".join(sorted(parts, key=lambda part: part != "macro"))  # "macro entity F1"


#: What is said of a step of the strategy search, by its decision as recorded.
DECISIONS = {"start": "first step", "taken": "accepted", "not taken": "not accepted", "not tried": "not tried"}

_METRICS = {
    "f1_macro": "macro F1",
    "f1_micro": "micro F1",
    "brier": "Brier score",
    "mcc": "MCC",
    "auroc": "AUROC",
    "top3": "top-3 accuracy",
    "top5": "top-5 accuracy",
    "subset_accuracy": "exact match",
    "r2": "R²",
    "mae": "MAE",
    "rmse": "RMSE",
    "spearman": "Spearman correlation",
    "entity_f1": "entity F1",
    "entity_f1_macro": "macro entity F1",
    "token_f1_macro": "macro F1 of the tags",
}


def count(n: int, one: str, many: str = "") -> str:
    """ "1 row", "1,200 rows"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
