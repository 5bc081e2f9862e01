"""What grew with time: scores of the rungs over seconds, losses and scores over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from headstart.report.drawing import ACCENT, PAPER, PLAIN, SOFT, TICK, axes, head_scale, number_axis, picture, short
from headstart.report.figures import interval, known, number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHED = (0, (4, 3))
_SHOWN = 200  # points of a curve beyond which it only gets darker
_DOTTED = 40  # points up to which each has its dot
_LOG = 20  # how many times the least the largest must be for a logarithmic scale
_BOX, _HEIGHT = (44, 38, 12, 30), 236  # units


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


def curves(
    found: Sequence[Curve], *, name: str, title: str, up: str, across: str, mark: float = float("nan")
) -> Markup | None:
    """The curves in one frame, from 0 on; None where no point is finite.

    Args:
        found: of one unit.
        name: unique on the page.
        title: what the chart shows, for screen readers.
        up: what the values are, at the head of the scale.
        across: what a step to the right is, as in "epoch".
        mark: a place to draw an upright line at, if the curves reach that far.
    """
    points = [p for curve in found for p in _finite(curve)]
    if not points:
        return None
    xs, ys = zip(*points, strict=True)

    def paint(figure: Figure) -> None:
        ax = _framed(figure, up, f"{across}s →")
        number_axis(ax, "x", [0, *xs])
        number_axis(ax, "y", ys)
        if known(mark) and mark <= max(xs):
            ax.axvline(mark, color=SOFT, linewidth=1.5, linestyle=DASHED)
        for curve in found:
            _line(ax, curve)

    spoken = "; ".join(_spoken(c, across) for c in found) + "."
    return picture(paint, name=name, title=title, spoken=spoken, height=_HEIGHT)


def steps(found: Sequence[Step], *, name: str, title: str, up: str) -> Markup | None:
    """Score over time with the level of the best rung so far; time is logarithmic where that keeps rungs apart.

    None where no rung has a score.
    """
    shown = [s for s in found if known(s.score) and known(s.seconds)]
    if not shown:
        return None
    times = [s.seconds for s in shown]
    log = min(times) > 0 and max(times) > _LOG * min(times)

    def paint(figure: Figure) -> None:
        ax = _framed(figure, up, f"seconds spent on the ladder{', logarithmic' if log else ''} →")
        if log:
            _log_axis(ax, times)
        else:
            number_axis(ax, "x", [0, *times])
        number_axis(ax, "y", [v for s in shown for v in (s.score, s.low, s.high)])
        _levels(ax, [s for s in shown if s.taken])
        for step in shown:
            _step(ax, step)

    spoken = "; ".join(
        f"{s.label} {s.name}: {number(s.score)} after {number(s.seconds)} seconds, interval {interval(s.low, s.high)}, "
        f"{'taken' if s.taken else 'not taken'}"
        for s in shown
    )
    return picture(paint, name=name, title=title, spoken=spoken + ".", height=_HEIGHT)


def _framed(figure: Figure, up: str, across: str) -> Axes:
    ax = axes(figure, _BOX)
    head_scale(ax, up)
    ax.set_xlabel(across, loc="right")
    return ax


def _log_axis(ax: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    low, high = min(values), max(values)
    ax.set_xlim(low / (high / low) ** 0.06, high * (high / low) ** 0.06)
    wide = high / low > 1e4
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 3.0)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: short(tick)))


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


def _line(ax: Axes, curve: Curve) -> None:
    points = np.array([(x, y) if known(x) and known(y) else (np.nan, np.nan) for x, y in curve.points], dtype=float)
    points = points[thinned(len(points))].reshape(-1, 2)
    strong = curve.kind == "strong"
    alone = np.isfinite(points).all(axis=1).sum() < 2
    ax.plot(
        *points.T,
        color=ACCENT if strong else PLAIN,
        linestyle="-" if strong else DASHED,
        marker="o" if len(points) <= _DOTTED or alone else None,
        markersize=7,
        clip_on=False,
    )


def thinned(n: int, most: int = _SHOWN) -> np.ndarray:
    """Places of an even choice of at most ``most`` of ``n``."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def _levels(ax: Axes, taken: Sequence[Step]) -> None:
    """The stairs that a rung has to rise above: the score of the best so far."""
    if taken:
        xs = [*(s.seconds for s in taken), ax.get_xlim()[1]]
        ys = [*(s.score for s in taken), taken[-1].score]
        ax.step(xs, ys, where="post", color=SOFT, linewidth=1.5, linestyle=DASHED)


def _step(ax: Axes, step: Step) -> None:
    """The score, the line through it, and its label above all of it, so that rungs close together are told apart."""
    colour = ACCENT if step.taken else PLAIN
    if known(step.low) and known(step.high):
        ax.plot([step.seconds] * 2, [step.low, step.high], color=colour, linewidth=3, clip_on=False)
    face, edge = (colour, PAPER) if step.taken else (PAPER, colour)
    ax.plot([step.seconds], [step.score], "o", color=face, markeredgecolor=edge, markersize=11, clip_on=False)
    top = max(v for v in (step.score, step.high) if known(v))
    ax.annotate(
        step.label,
        (step.seconds, top),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        size=TICK,
        weight="bold",
        annotation_clip=False,
    )
