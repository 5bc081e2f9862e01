"""Predictions against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from headstart.report.curves import DASHED, thinned
from headstart.report.drawing import ACCENT, SOFT, axes, head_scale, number_axis, picture, round_ticks
from headstart.report.figures import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 1500  # beyond, a scatter only grows darker and the file larger


def scatter(points: np.ndarray, *, name: str, title: str) -> tuple[Markup, int]:
    """Predictions (upwards) against truths (rightwards) [n, 2] on equal scales, and how many are shown.

    Points that are not finite are left out; of many, an even choice is drawn.
    """
    points = np.asarray(points, dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    shown = points[thinned(len(points), _POINTS)]
    scale = [float(v) for v in (points.min(), points.max())] if len(points) else []
    ticks = round_ticks(scale)

    def paint(figure: Figure) -> None:
        ax = axes(figure, (44, 38, 12, 30))
        number_axis(ax, "x", scale)
        number_axis(ax, "y", scale)
        ax.plot([ticks[0], ticks[-1]], [ticks[0], ticks[-1]], color=SOFT, linewidth=1.5, linestyle=DASHED)
        ax.plot(
            *shown.T, "o", color=ACCENT, alpha=0.5, markersize=6, markeredgewidth=0, linestyle="none", clip_on=False
        )
        head_scale(ax, "predicted")
        ax.set_xlabel("true →", loc="right")

    spoken = f"{len(shown)} points on a scale from {number(ticks[0])} to {number(ticks[-1])}."
    return picture(paint, name=name, title=title, spoken=spoken, height=372), len(shown)
