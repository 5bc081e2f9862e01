"""What grew with time: scores of the rungs over seconds, losses and scores over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from headstart.report.drawing import segment
from headstart.report.figures import interval, known, number, plain
from headstart.report.frame import Frame, frame

_SHOWN = 200  # points of a curve beyond which it only gets darker
_DOTTED = 40  # points up to which each has its dot


@dataclass(frozen=True)
class Curve:
    """A line through ``points`` (x, y); one that is not finite leaves a gap."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str  # "strong" or "plain", which is dashed


@dataclass(frozen=True)
class Step:
    """A rung that was tried, in the order of the ladder."""

    label: str  # above the dot
    name: str  # for screen readers
    seconds: float  # since the start of the ladder
    score: float
    low: float  # ends of the line through the score; nan where there is none
    high: float
    taken: bool


def curves(found: Sequence[Curve], *, name: str, title: str, across: str, mark: float = float("nan")) -> Markup | None:
    """The curves in one frame, from 0 on; None where no point is finite.

    Args:
        found: of one unit.
        name: unique on the page.
        title: what the chart shows, for screen readers.
        across: what a step to the right is, as in "epoch".
        mark: a place to draw an upright line at, if the curves reach that far.
    """
    points = [p for curve in found for p in _finite(curve)]
    if not points:
        return None
    xs, ys = zip(*points, strict=True)
    held = frame(xs, ys)
    parts = [_upright(held, mark)] if known(mark) and mark <= max(xs) else []
    parts += [part for curve in found for part in _line(held, curve)]
    return held.draw(parts, name=name, title=title, spoken="; ".join(_spoken(c, across) for c in found) + ".")


def steps(found: Sequence[Step], *, name: str, title: str) -> tuple[Markup, bool] | None:
    """Score over time with the level of the best rung so far, and whether time is logarithmic.

    None where no rung has a score.
    """
    shown = [s for s in found if known(s.score) and known(s.seconds)]
    if not shown:
        return None
    held = frame([s.seconds for s in shown], [v for s in shown for v in (s.score, s.low, s.high)], log=True)
    parts = _levels(held, [s for s in shown if s.taken])
    parts += [_dot(held, step) for step in shown] + [_label(held, step) for step in shown]
    spoken = "; ".join(
        f"{s.label} {s.name}: {number(s.score)} after {number(s.seconds)} seconds, interval {interval(s.low, s.high)}, "
        f"{'taken' if s.taken else 'not taken'}"
        for s in shown
    )
    return held.draw(parts, name=name, title=title, spoken=spoken + "."), held.log


def _finite(curve: Curve) -> list[tuple[float, float]]:
    return [(x, y) for x, y in curve.points if known(x) and known(y)]


def _spoken(curve: Curve, across: str) -> str:
    known_points = _finite(curve)
    if not known_points:
        return f"{curve.label}: not known"
    (x0, y0), (x1, y1) = known_points[0], known_points[-1]
    low, high = min(y for _, y in known_points), max(y for _, y in known_points)
    return (
        f"{curve.label}: {number(y0)} at {across} {plain(x0)}, {number(y1)} at {across} {plain(x1)}, "
        f"between {number(low)} and {number(high)}"
    )


def _line(held: Frame, curve: Curve) -> list[Markup]:
    points = list(curve.points)
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _SHOWN)).astype(int))
    points = [points[i] for i in chosen]
    places = [(held.x(x), held.y(y)) if known(x) and known(y) else None for x, y in points]
    parts = [segment(*a, *b, f"curve {curve.kind}") for a, b in pairwise(places) if a and b]
    circle = Markup('<circle class="dot {}" cx="{:.2f}%" cy="{:.2f}%" r="4"/>')
    if len(places) <= _DOTTED or not parts:
        parts += [circle.format(curve.kind, *at) for at in places if at]
    return parts


def _upright(held: Frame, value: float) -> Markup:
    at = held.x(value)
    line = segment(at, held.y(held.up[0]), at, held.y(held.up[-1]), "mark")
    anchor = "end" if at > 80 else "start"
    text = Markup('<text class="tick" x="{:.2f}%" y="12" dx="{}" text-anchor="{}">kept</text>')
    return line + text.format(at, -5 if anchor == "end" else 5, anchor)


def _levels(held: Frame, taken: Sequence[Step]) -> list[Markup]:
    """The stairs that a rung has to rise above: the score of the best so far."""
    corners: list[tuple[float, float]] = []
    for step in taken:
        x, y = held.x(step.seconds), held.y(step.score)
        corners += [(x, corners[-1][1]), (x, y)] if corners else [(x, y)]
    if corners:
        corners.append((held.x(held.across[-1]), corners[-1][1]))
    return [segment(*a, *b, "mark") for a, b in pairwise(corners)]


def _dot(held: Frame, step: Step) -> Markup:
    """The score and the line through it."""
    kind, line = ("strong", "strong") if step.taken else ("hollow", "plain")
    x, y = held.x(step.seconds), held.y(step.score)
    dot = Markup('<circle class="dot {}" cx="{:.2f}%" cy="{:.2f}%" r="6"/>').format(kind, x, y)
    if not (known(step.low) and known(step.high)):
        return dot
    return segment(x, held.y(step.low), x, held.y(step.high), f"bar {line}") + dot


def _label(held: Frame, step: Step) -> Markup:
    """Above all of it, so that rungs close together can still be told apart."""
    top = min(held.y(value) for value in (step.score, step.high) if known(value))
    text = Markup('<text class="tick strong" x="{:.2f}%" y="{:.2f}%" dy="-9" text-anchor="middle">{}</text>')
    return text.format(held.x(step.seconds), top, step.label)
