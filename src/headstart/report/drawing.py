"""One style for every chart: matplotlib draws, the page's style sheet colours, texts stay texts.

A chart is an inline SVG without a size of its own, so that it scales with its column; its texts are in the page's
font. Colours are written as variables of the style sheet, so that one drawing serves light, dark and print.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from headstart.report.figures import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 360  # units of a chart that has a column to itself; a unit is a px on a phone
_POINTS_PER_INCH = 72

# Stand-ins, replaced by the style sheet's variables in the finished drawing.
INK, SOFT, LINE, PAPER, ACCENT, PLAIN = (f"#0000f{i}" for i in range(1, 7))
_VARIABLES = {INK: "ink", SOFT: "soft", LINE: "line", PAPER: "paper", ACCENT: "accent", PLAIN: "plain"}

TICK = 11.5  # size of small text, in units
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # labels come from the data, where "$" is a dollar
    "font.size": 13,
    "text.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": SOFT,
    "axes.labelsize": TICK,
    "axes.titlecolor": SOFT,
    "axes.titlesize": TICK,
    "axes.titlelocation": "left",
    "axes.titlepad": 11,
    "axes.titley": 1.0,  # else matplotlib measures every text to place it
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.spines.bottom": False,
    "grid.color": LINE,
    "grid.linewidth": 1,
    "xtick.bottom": False,
    "ytick.left": False,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "lines.markeredgecolor": PAPER,
    "lines.markeredgewidth": 1.5,
}


def picture(
    paint: Callable[[Figure], None], *, name: str, title: str, spoken: str, height: float, width: float = WIDTH
) -> Markup:
    """What ``paint`` draws on an empty figure, as inline SVG.

    Args:
        paint: adds axes to the figure and draws on them.
        name: unique on the page; every id in the drawing starts with it.
        title, spoken: what it shows and what can be read from it, for screen readers.
        height, width: of the drawing, in units.
    """
    with _styled(name):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / _POINTS_PER_INCH, height / _POINTS_PER_INCH))
        figure.patch.set_visible(False)
        paint(figure)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    head = Markup(
        '<svg role="img" aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {width:g} {height:g}">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{spoken}</desc>'
    ).format(name=name, title=title, spoken=spoken, width=width, height=height)
    return head + Markup(_inside(drawn.getvalue(), name)) + Markup("</svg>")  # matplotlib escapes its texts


def axes(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    """Axes with ``box`` (left, foot, right, top) units to the edges of the figure."""
    width, height = figure.get_size_inches() * _POINTS_PER_INCH
    left, foot, right, top = box
    found = figure.add_axes((left / width, foot / height, 1 - (left + right) / width, 1 - (foot + top) / height))
    found.patch.set_visible(False)
    return found


def number_axis(ax: Axes, way: str, values: Sequence[float | None]) -> None:
    """Three to six round numbers along the "x" or the "y" axis; it ends where they do, around the finite ``values``."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    ticks = round_ticks(values)
    axis = ax.xaxis if way == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda tick, _: short(tick, ticks[1] - ticks[0])))
    (ax.set_xlim if way == "x" else ax.set_ylim)(ticks[0], ticks[-1])


def head_scale(ax: Axes, what: str) -> None:
    """Say above the scale at the left what goes up, from the figure's left edge on."""
    box = ax.get_position()
    ax.set_title(f"↑ {what}", x=-box.x0 / box.width)


def round_ticks(values: Sequence[float | None]) -> list[float]:
    """Three to six round numbers that span the finite ones among ``values``."""
    from matplotlib.ticker import MaxNLocator

    finite = [v for v in values if v is not None and known(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    found = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    step = found[1] - found[0]
    return [float(tick) for tick in found if low - step < tick < high + step]


def short(tick: float, apart: float = 0.0) -> str:
    """The number of a tick: "0.85", "1,000"; with more figures where the next one is but ``apart``."""
    size = abs(tick)
    figures = min(15, math.ceil(math.log10(size / apart)) + 2) if size > apart > 0 else 0
    text = f"{tick:,.{max(6, figures)}g}" if size < 1e6 else f"{tick:.{max(3, figures)}g}"
    return text.replace("-", "−")


@contextmanager
def _styled(name: str) -> Iterator[None]:
    """The style, whatever the user's own matplotlib settings are; these are put back afterwards."""
    import matplotlib

    style: Any = _STYLE | {"svg.hashsalt": name}  # equal drawings have equal ids
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser's font has it
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(style)
        yield


def _inside(drawn: str, name: str) -> str:
    """What is within the ``<svg>`` of a drawing, made fit to stand in a page beside others."""
    inside = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    inside = re.sub(r"<(metadata|style)\b.*?</\1>", "", inside, flags=re.DOTALL)  # the style would be the whole page's
    inside = re.sub(r"; font-family: [^;\"]*|font-family: [^;\"]*; ?", "", inside)
    inside = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", inside)
    inside = inside.replace("xlink:href", "href")
    used = set(re.findall(r"#([^\s\")]+)", inside))
    inside = re.sub(r' id="([^"]*)"', lambda at: f' id="{name}-{at[1]}"' if at[1] in used else "", inside)
    inside = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", inside)
    inside = re.sub(r"(?<=[>\"])\s*\n\s*(?=[<a-z])", lambda at: " " if at.string[at.start() - 1] == '"' else "", inside)
    for stand_in, variable in _VARIABLES.items():
        inside = inside.replace(stand_in, f"var(--{variable})")
    return inside
