"""The frame of a chart of values over time: scales both ways, numbered at the left and the foot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from headstart.report.drawing import place, round_ticks, segment, short, svg
from headstart.report.figures import known

_HEIGHT = 220  # px
_LEFT, _RIGHT, _TOP, _FOOT = 13, 2, 7, 12  # per cent of the width and of the height that hold numbers only
_LOG = 20  # how many times the least the largest must be for a logarithmic scale


@dataclass(frozen=True)
class Frame:
    """Ticks of both scales; ``log`` where the one across is logarithmic (its ticks are still plain values)."""

    across: list[float]
    up: list[float]
    log: bool = False

    def x(self, value: float) -> float:
        """Per cent across of a value on the horizontal scale."""
        logs = [math.log10(tick) for tick in self.across] if self.log else self.across
        inside = place(math.log10(max(value, self.across[0])) if self.log else value, logs)
        return _LEFT + inside * (100 - _LEFT - _RIGHT) / 100

    def y(self, value: float) -> float:
        """Per cent down of a value on the vertical scale."""
        return 100 - _FOOT - place(value, self.up) * (100 - _TOP - _FOOT) / 100

    def draw(self, parts: Sequence[Markup], *, name: str, title: str, spoken: str) -> Markup:
        """The picture: numbered grid, then ``parts``; ``title`` and ``spoken`` are for screen readers."""
        return svg(name, title, spoken, Markup('class="frame" height="{}"').format(_HEIGHT), [self._grid(), *parts])

    def _grid(self) -> Markup:
        foot = Markup('<text class="tick" x="{:.2f}%" y="99%" text-anchor="middle">{}</text>')
        left = Markup('<text class="tick" x="{:.2f}%" y="{:.2f}%" dy="4" text-anchor="end">{}</text>')
        low, high = self.y(self.up[0]), self.y(self.up[-1])
        parts = []
        for tick in self.across:
            at = self.x(tick)
            parts += [segment(at, low, at, high, "grid"), foot.format(at, short(tick))]
        for tick in self.up:
            at = self.y(tick)
            parts += [segment(_LEFT, at, 100 - _RIGHT, at, "grid"), left.format(_LEFT - 1.5, at, short(tick))]
        return Markup("").join(parts)


def frame(across: Sequence[float], up: Sequence[float | None], *, log: bool = False) -> Frame:
    """A frame that holds the values; with ``log`` the scale across is logarithmic where that keeps values apart."""
    finite = [v for v in across if known(v)]
    wide = log and min(finite, default=0) > 0 and max(finite) > _LOG * min(finite)
    return Frame(_log_ticks(finite) if wide else round_ticks([0, *finite]), round_ticks(up), wide)


def _log_ticks(values: Sequence[float]) -> list[float]:
    """1, 3, 10, 30 … from below the least to above the largest; only every power of ten where these are many."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    found = [float(f"{m}e{power}") for power in range(low, high + 1) for m in (1, 3)]
    first = max(i for i, tick in enumerate(found) if tick <= min(values))
    last = min(i for i, tick in enumerate(found) if tick >= max(values))
    return found[first : last + 1] if last - first < 7 else [float(f"1e{p}") for p in range(low, high + 1)]
