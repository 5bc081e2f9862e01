"""Numbers and intervals as sentences have them."""

from __future__ import annotations

import math

from headstart.evaluation.bootstrap import Interval


def number(value: float, *, signed: bool = False) -> str:
    """Three decimals below 100, three figures above; a true minus sign."""
    digits = ".3f" if abs(value) < 100 else ",.0f"
    text = format(value, f"+{digits}" if signed else digits)
    return text.replace("-", "−")


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
