"""What the charts are drawn with: inline SVG whose places are percentages, and round numbers for the scales.

Nothing is scaled, so that text keeps its size on a phone. Colours come from the page's style sheet, by class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from headstart.report.figures import known


def svg(name: str, title: str, description: str, attributes: Markup, parts: Sequence[Markup]) -> Markup:
    """A picture with its title and description for screen readers; their ids start with ``name``."""
    head = Markup(
        '<svg role="img" aria-labelledby="{name}-title {name}-desc" {attributes}>'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>'
    ).format(name=name, attributes=attributes, title=title, description=description)
    return head + Markup("").join(parts) + Markup("</svg>")


def line(x1: float, x2: float, y1: int, y2: int, kind: str) -> Markup:
    """A line between places in per cent across and px down."""
    form = Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}" y2="{}"/>')
    return form.format(kind, x1, x2, y1, y2)


def segment(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A line between places in per cent both ways."""
    form = Markup('<line class="{}" x1="{:.2f}%" y1="{:.2f}%" x2="{:.2f}%" y2="{:.2f}%"/>')
    return form.format(kind, x1, y1, x2, y2)


def place(value: float, ticks: Sequence[float]) -> float:
    """Where ``value`` lies on the scale of ``ticks``, in per cent."""
    return 100 * (value - ticks[0]) / (ticks[-1] - ticks[0])


def short(tick: float) -> str:
    """The number of a tick: "0.85", "1,000"."""
    return f"{round(tick, 10):,g}".replace("-", "−")


def round_ticks(values: Sequence[float | None]) -> list[float]:
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
