"""Numbers as a reader meets them; what is missing (None, nan, infinity) is an en dash."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from headstart.evaluation import wording

MISSING = "–"
_GAP = "\u00a0"  # keeps a number and its unit on one line


def known(value: float | None) -> TypeGuard[float]:
    """Whether ``value`` is a finite number."""
    return value is not None and math.isfinite(value)


def number(value: float | None) -> str:
    """As sentences have it: "0.941", "12.34", "1,204"."""
    return wording.number(value) if known(value) else MISSING


def signed(value: float | None) -> str:
    """`number` with its sign: "+0.310"."""
    return wording.number(value, signed=True) if known(value) else MISSING


def count(value: float | None) -> str:
    """A whole number with thousands: "3,080"."""
    return f"{int(value):,}" if value is not None and math.isfinite(value) else MISSING


def share(value: float | None) -> str:
    """A share in per cent, never rounded up to all: "99.9 %" rather than "100 %" for 0.9996."""
    if value is None or not math.isfinite(value):
        return MISSING
    percent = 100 * value
    if percent > 99 and value < 1:
        return f"{min(percent, 99.9):.1f}{_GAP}%"
    return f"{percent:.0f}{_GAP}%"


def percent(value: float | None) -> str:
    """A share in per cent with three significant digits, for shares that are small: "0.312 %"."""
    return f"{100 * value:.3g}{_GAP}%" if value is not None and math.isfinite(value) else MISSING


def rate(value: float | None) -> str:
    """A share in per cent with one decimal, never rounded to all or nothing: "93.8 %", "> 99.9 %"."""
    if value is None or not math.isfinite(value):
        return MISSING
    if 0 < value < 0.0005 or 0.9995 <= value < 1:
        return f"<{_GAP}0.1{_GAP}%" if value < 0.5 else f">{_GAP}99.9{_GAP}%"
    return f"{100 * value:.1f}{_GAP}%".replace("-", "−")


def interval(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """Both bounds, or a dash where there are none: "[0.890, 0.970]"; ``sign``: those of a difference."""
    show = signed if sign else number
    return f"[{show(low)},{_GAP}{show(high)}]" if known(low) and known(high) else MISSING


def bounded(value: float | None, low: float | None, high: float | None, *, sign: bool = False) -> str:
    """A value with its interval: "0.938 [0.862, 0.973]"; alone where it has none, a dash where it is missing."""
    if not known(value):
        return MISSING
    bounds = interval(low, high, sign=sign)
    return (signed if sign else number)(value) + (f"{_GAP}{bounds}" if bounds != MISSING else "")


def between(low: float | None, high: float | None) -> str:
    """The 95 % interval of a share: "[86.2 %, 97.3 %]"; or that there is none."""
    return f"[{rate(low)}, {rate(high)}]" if known(low) and known(high) else "too few for an interval"


def capital(text: str) -> str:
    """With a capital at the start; the rest as it is."""
    return text[:1].upper() + text[1:]


def duration(seconds: float | None) -> str:
    """Seconds in the largest fitting units: "< 0.01 s", "0.04 s", "12 s", "3 min 20 s", "1 h 5 min"."""
    if seconds is None or not math.isfinite(seconds):
        return MISSING
    if 0 < seconds < 0.01:
        return f"<{_GAP}0.01{_GAP}s"
    if seconds < 10:
        return f"{seconds:.1f}{_GAP}s" if seconds >= 1 or seconds == 0 else f"{seconds:.2f}{_GAP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_GAP}s"
    if whole < 3600:
        return f"{whole // 60}{_GAP}min {whole % 60}{_GAP}s"
    return f"{whole // 3600}{_GAP}h {whole % 3600 // 60}{_GAP}min"


def plain(value: Any) -> str:
    """A setting in words: floats short, lists with commas, dicts as "name value"."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("e-0", "e-").replace("-", "−")
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items()) or MISSING
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or MISSING
    return str(value)
