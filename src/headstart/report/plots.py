"""Scores as dots with their intervals, and predictions against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from headstart.report.drawing import line, place, round_ticks, segment, short, svg
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
    ticks = round_ticks([v for r in rows for v in (r.value, r.low, r.high)] + [mark])
    show = number if mark is None else signed
    height = _ROW * len(rows) + _AXIS
    parts = [_axis(ticks, height)]
    if mark is not None:
        parts.append(line(place(mark, ticks), place(mark, ticks), 0, height - _AXIS, "mark"))
    parts += [_row(row, i * _ROW, ticks, show(row.value)) for i, row in enumerate(rows)]
    spoken = "; ".join(f"{r.label}: {show(r.value)}, interval {interval(r.low, r.high)}" for r in rows)
    return svg(name, title, spoken, Markup('class="dots" height="{}"').format(height), parts)


def scatter(points: np.ndarray, *, name: str, title: str) -> tuple[Markup, int]:
    """Predictions (upwards) against truths (rightwards) [n, 2] on equal scales, and how many are shown.

    Points that are not finite are left out; of many, an even choice is drawn.
    """
    points = np.asarray(points, dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    shown = points[np.unique(np.linspace(0, len(points) - 1, min(len(points), _POINTS)).astype(int))]
    ticks = round_ticks([float(v) for v in (points.min(), points.max())] if len(points) else [])
    parts = [_grid(ticks), segment(0, 100, 100, 0, "mark")]
    circle = Markup('<circle class="point" cx="{:.2f}%" cy="{:.2f}%" r="3"/>')
    parts += [circle.format(place(truth, ticks), 100 - place(said, ticks)) for truth, said in shown]
    spoken = f"{len(shown)} points on a scale from {number(ticks[0])} to {number(ticks[-1])}."
    return svg(name, title, spoken, Markup('class="scatter"'), parts), len(shown)


def _row(row: Dot, top: int, ticks: list[float], value: str) -> Markup:
    kind = "strong" if row.strong else "plain"
    label = row.label if len(row.label) <= _LABEL else row.label[: _LABEL - 1] + "…"
    parts = Markup(
        '<text class="{kind}" x="0" y="{y}">{label}</text>'
        '<text class="{kind}" x="100%" y="{y}" text-anchor="end">{value}</text>'
    ).format(kind=kind, y=top + 16, label=label, value=value)
    y = top + 30
    if row.low is not None and row.high is not None and known(row.low) and known(row.high):
        parts += line(place(row.low, ticks), place(row.high, ticks), y, y, f"bar {kind}")
    if row.value is not None and known(row.value):
        parts += Markup('<circle class="dot {}" cx="{:.2f}%" cy="{}" r="6"/>').format(kind, place(row.value, ticks), y)
    return parts


def _axis(ticks: list[float], height: int) -> Markup:
    """Faint lines at the ticks, numbered at the foot."""
    text = Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>')
    parts = []
    for i, tick in enumerate(ticks):
        anchor = "start" if i == 0 else "end" if i == len(ticks) - 1 else "middle"
        at = place(tick, ticks)
        parts += [line(at, at, 0, height - _AXIS, "grid"), text.format(at, height - 8, anchor, short(tick))]
    return Markup("").join(parts)


def _grid(ticks: list[float]) -> Markup:
    """Lines both ways, numbered along the left and the foot inside the frame."""
    parts = []
    for tick in ticks:
        at = place(tick, ticks)
        parts += [segment(at, 0, at, 100, "grid"), segment(0, 100 - at, 100, 100 - at, "grid")]
    inner = ticks[1:-1]
    along = Markup('<text class="tick" x="{:.2f}%" y="98%" text-anchor="middle">{}</text>')
    up = Markup('<text class="tick" x="1%" y="{:.2f}%">{}</text>')
    parts += [along.format(place(t, ticks), short(t)) for t in inner]
    parts += [up.format(99 - place(t, ticks), short(t)) for t in inner]
    return Markup("").join(parts)
