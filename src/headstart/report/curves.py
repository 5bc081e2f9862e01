"""What grew with time: losses and scores over epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from headstart.report.drawing import ACCENT, PLAIN, SOFT, axes, head_scale, number_axis, picture
from headstart.report.figures import known, number, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHED = (0, (4, 3))
_SHOWN = 200  # points of a curve beyond which it only gets darker
_DOTTED = 40  # points up to which each has its dot
_BOX, _HEIGHT = (44, 38, 12, 30), 236  # units


@dataclass(frozen=True)
class Curve:
    """A line through ``points`` (x, y); one that is not finite leaves a gap."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str  # "strong" or "plain", which is dashed


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


def _framed(figure: Figure, up: str, across: str) -> Axes:
    ax = axes(figure, _BOX)
    head_scale(ax, up)
    ax.set_xlabel(across, loc="right")
    return ax


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
