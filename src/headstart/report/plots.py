"""Small charts as inline SVG.

Horizontal positions are percentages and nothing is scaled, so that text keeps its size on a phone. Colours
come from the page's style sheet, by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from headstart.report.figures import interval, known, number, signed

_ROW, _AXIS = 46, 28  # px
_LABEL = 34  # characters that fit beside the value at 360 px
_POINTS = 1500  # beyond, a scatter only grows darker and the file larger


@dataclass(frozen=True)
class Dot:
    """A value with its interval; bounds may be missing."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    strong: bool = False  # the one the page is about


def dots(rows: Sequence[Dot], *, name: str, title: str, mark: float | None = None) -> Markup:
    """Dots with intervals, one a row, on one scale.

    Args:
        rows: top to bottom.
        name: unique on the page; the ids of the title and description start with it.
        title: what the chart shows, for screen readers.
        mark: a value to draw a line at and to keep on the scale; the values are then signed differences.
    """
    ticks = _ticks([v for r in rows for v in (r.value, r.low, r.high)] + [mark])
    show = number if mark is None else signed
    height = _ROW * len(rows) + _AXIS
    parts = [_axis(ticks, height)]
    if mark is not None:
        parts.append(_line(_x(mark, ticks), _x(mark, ticks), 0, height - _AXIS, "mark"))
    parts += [_row(row, i * _ROW, ticks, show(row.value)) for i, row in enumerate(rows)]
    spoken = "; ".join(f"{r.label}: {show(r.value)}, interval {interval(r.low, r.high)}" for r in rows)
    return _svg(name, title, spoken, Markup('class="dots" height="{}"').format(height), parts)


def scatter(points: np.ndarray, *, name: str, title: str) -> tuple[Markup, int]:
    """Predictions (upwards) against truths (rightwards) [n, 2] on equal scales, and how many are shown.

    Points that are not finite are left out; of many, an even choice is drawn.
    """
    points = np.asarray(points, dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    shown = points[np.unique(np.linspace(0, len(points) - 1, min(len(points), _POINTS)).astype(int))]
    ticks = _ticks([float(v) for v in (points.min(), points.max())] if len(points) else [])
    parts = [_grid(ticks), _segment(0, 100, 100, 0, "mark")]
    circle = Markup('<circle class="point" cx="{:.2f}%" cy="{:.2f}%" r="3"/>')
    parts += [circle.format(_x(truth, ticks), 100 - _x(said, ticks)) for truth, said in shown]
    spoken = f"{len(shown)} points on a scale from {number(ticks[0])} to {number(ticks[-1])}."
    return _svg(name, title, spoken, Markup('class="scatter"'), parts), len(shown)


def _svg(name: str, title: str, description: str, attributes: Markup, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg role="img" aria-labelledby="{name}-title {name}-desc" {attributes}>'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>'
    ).format(name=name, attributes=attributes, title=title, description=description)
    return head + Markup("").join(parts) + Markup("</svg>")


def _row(row: Dot, top: int, ticks: list[float], value: str) -> Markup:
    kind = "strong" if row.strong else "plain"
    label = row.label if len(row.label) <= _LABEL else row.label[: _LABEL - 1] + "…"
    parts = Markup(
        '<text class="{kind}" x="0" y="{y}">{label}</text>'
        '<text class="{kind}" x="100%" y="{y}" text-anchor="end">{value}</text>'
    ).format(kind=kind, y=top + 16, label=label, value=value)
    y = top + 30
    if row.low is not None and row.high is not None and known(row.low) and known(row.high):
        parts += _line(_x(row.low, ticks), _x(row.high, ticks), y, y, f"bar {kind}")
    if row.value is not None and known(row.value):
        parts += Markup('<circle class="dot {}" cx="{:.2f}%" cy="{}" r="6"/>').format(kind, _x(row.value, ticks), y)
    return parts


def _axis(ticks: list[float], height: int) -> Markup:
    """Faint lines at the ticks, numbered at the foot."""
    text = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    parts = []
    for i, tick in enumerate(ticks):
        anchor = "start" if i == 0 else "end" if i == len(ticks) - 1 else "middle"
        at = _x(tick, ticks)
        parts += [_line(at, at, 0, height - _AXIS, "grid"), text.format(at, height - 8, anchor, _short(tick))]
    return Markup("").join(parts)


def _grid(ticks: list[float]) -> Markup:
    """Lines both ways, numbered along the left and the foot inside the frame."""
    parts = []
    for tick in ticks:
        at = _x(tick, ticks)
        parts += [_segment(at, 0, at, 100, "grid"), _segment(0, 100 - at, 100, 100 - at, "grid")]
    inner = ticks[1:-1]
    along = Markup('<text class="tick" x="{:.2f}%" y="98%" text-anchor="middle">{}</text>')
    up = Markup('<text class="tick" x="1%" y="{:.2f}%">{}</text>')
    parts += [along.format(_x(t, ticks), _short(t)) for t in inner]
    parts += [up.format(99 - _x(t, ticks), _short(t)) for t in inner]
    return Markup("").join(parts)


def _line(x1: float, x2: float, y1: int, y2: int, kind: str) -> Markup:
    """A line between places in per cent across and px down."""
    line = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}" y2="{}"/>')
    return line.format(kind, x1, x2, y1, y2)


def _segment(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A line between places in per cent both ways."""
    line = Markup('<line class="{}" x1="{:.2f}%" y1="{:.2f}%" x2="{:.2f}%" y2="{:.2f}%"/>')
    return line.format(kind, x1, y1, x2, y2)


def _x(value: float, ticks: list[float]) -> float:
    return 100 * (value - ticks[0]) / (ticks[-1] - ticks[0])


def _short(tick: float) -> str:
    return f"{round(tick, 10):,g}".replace("-", "−")


def _ticks(values: Sequence[float | None]) -> list[float]:
    """Three to six round numbers that span the finite ones among ``values``."""
    finite = [v for v in values if v is not None and known(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]
