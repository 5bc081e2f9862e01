"""Numbers and intervals as sentences have them."""

from __future__ import annotations

import math

import numpy as np

from headstart.evaluation.bootstrap import Interval

_NOISE = 1e-12  # below it a difference is what rounding left


def number(value: float, *, signed: bool = False) -> str:
    """Three decimals below 100, two figures where those would be zeros, none above; a true minus sign."""
    digits = ".3f" if abs(value) < 100 else ",.0f"
    if _NOISE < abs(value) < 0.0005:
        digits = ".2g"
    text = format(value, f"+{digits}" if signed else digits)
    return text.replace("-", "−")


def figures(values: np.ndarray) -> int:
    """Significant figures with which ``values`` are told apart: four, and more where they all lie far from 0."""
    spread, most = float(np.ptp(values)), float(np.abs(values).max())
    return min(15, 4 + max(0, math.floor(math.log10(most / spread)))) if spread > 0 else 4


def span(interval: Interval, *, signed: bool = False) -> str:
    """Both bounds, "" if there are none; a dash only where no minus sign could be mistaken for it."""
    low, high = interval.low, interval.high
    if math.isnan(low) or math.isnan(high):
        return ""
    if low >= 0:
        return f"{number(low)}–{number(high)}"
    return f"{number(low, signed=signed)} to {number(high, signed=signed)}"


def score(interval: Interval) -> str:
    """The value and, where there are bounds, its interval: "0.935 (95 % interval 0.884–0.966)"."""
    bounds = span(interval)
    return number(interval.value) + (f" ({interval.level * 100:g} % interval {bounds})" if bounds else "")


def gained(gain: Interval) -> str:
    """A gain and its bounds, signed: "+0.223 (0.143–0.301)"."""
    return f"{number(gain.value, signed=True)} ({span(gain, signed=True)})".replace(" ()", "")


def count(n: int, one: str, many: str = "") -> str:
    """ "1 row", "1,200 rows"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
