"""Repeated measurements and how they are written: the median and the range."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Repeats of one measurement."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def text(self, unit: str = "", digits: int = 2) -> str:
        """``1.31 s (1.20–1.52)``; the range only where there are repeats."""
        middle = f"{self.median:,.{digits}f}{unit and ' ' + unit}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({min(self.values):,.{digits}f}–{max(self.values):,.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """``values`` as a spread."""
    return Spread(tuple(values))


def ratio(above: Spread, below: Spread) -> Spread:
    """Ratios repeat by repeat: what was measured one after the other saw much the same machine."""
    return Spread(tuple(a / b for a, b in zip(above.values, below.values, strict=True)))


def against(value: float, goal: float, unit: str = "") -> str:
    """The goal and whether a median meets it."""
    return f"≤ {goal:g}{unit}: {'met' if value <= goal else 'missed'}"
