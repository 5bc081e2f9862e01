"""Predictions against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from headstart.report.curves import DASHED, thinned
from headstart.report.drawing import ACCENT, SOFT, axes, head_scale, number_axis, picture, round_ticks
from headstart.report.figures import bounded, known, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from headstart.records import TwoClassRecord

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


def steps(
    points: Sequence[Sequence[float]],
    *,
    name: str,
    title: str,
    axes_named: tuple[str, str],
    mark: tuple[float, float] | None = None,
    chance: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> Markup:
    """A curve of shares, as ROC or precision against recall: ``points`` [m, 2 or more], the first two x and y.

    Args:
        axes_named: what goes to the right, and what goes up.
        mark: where the threshold in use lies.
        chance: two ends of the line of guessing.
    """
    drawn = np.asarray(points, dtype=float).reshape(-1, len(points[0]))[:, :2]

    def paint(figure: Figure) -> None:
        ax = axes(figure, (44, 38, 12, 30))
        number_axis(ax, "x", [0, 1])
        number_axis(ax, "y", [0, 1])
        if chance is not None:
            ax.plot(*zip(*chance, strict=True), color=SOFT, linewidth=1.5, linestyle=DASHED)
        ax.plot(*drawn.T, color=ACCENT, linewidth=2, clip_on=False)
        if mark is not None and all(map(known, mark)):
            ax.plot(*[[value] for value in mark], "o", color=ACCENT, markersize=9, clip_on=False)
        head_scale(ax, axes_named[1])
        ax.set_xlabel(f"{axes_named[0]} →", loc="right")

    at = f"; the threshold in use gives {number(mark[0])} and {number(mark[1])}" if mark is not None else ""
    spoken = f"{len(drawn)} points of {axes_named[1]} against {axes_named[0]}{at}."
    return picture(paint, name=name, title=title, spoken=spoken, height=300)


def roc(two: TwoClassRecord) -> Markup:
    """The ROC curve of the class that is looked for, with the threshold in use."""
    mark = (1 - two.specificity.value, two.recall.value)
    title = f"ROC curve of {two.positive}, AUROC {bounded(two.auroc.value, two.auroc.low, two.auroc.high)}"
    named = ("false positive rate", "recall")
    return steps(two.roc, name="roc-chart", title=title, axes_named=named, mark=mark, chance=((0, 0), (1, 1)))


def precision_recall(two: TwoClassRecord) -> Markup:
    """Precision against recall of the class that is looked for, with the threshold in use."""
    mark, area = (two.recall.value, two.precision.value), two.average_precision
    title = f"Precision and recall of {two.positive}, average precision {bounded(area.value, area.low, area.high)}"
    return steps(
        two.precision_recall, name="precision-recall-chart", title=title, axes_named=("recall", "precision"), mark=mark
    )
