"""Scores with their intervals as a table whose rows are drawn on one scale: readable at any width, and by anyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.drawing import round_ticks, short
from headstart.report.figures import bounded, known


@dataclass(frozen=True)
class Dot:
    """A value with its interval; bounds may be missing.

    Attributes:
        label: what was scored.
        tag: a remark beside it.
        strong: whether it is the one that the table is about.
        more: cells between the label and the drawing, such as a count.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    tag: str = ""
    strong: bool = False
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A row: where its dot and its interval lie, in per cent of the scale; None where there is none."""

    dot: Dot
    text: str
    at: float | None
    low: float | None
    wide: float


@dataclass(frozen=True)
class Bars:
    """The table.

    Attributes:
        id: unique on the page.
        caption: what it shows.
        heads: of the label, of the cells after it, and of the values.
        rows: from top to bottom.
        ticks: of the scale: text and place in per cent.
        mark: place of a line to compare with, or None.
    """

    id: str
    caption: str
    heads: tuple[str, ...]
    rows: list[Bar]
    ticks: list[tuple[str, float]]
    mark: float | None = None


def bars(rows: Sequence[Dot], *, id: str, caption: str, heads: tuple[str, ...], mark: float | None = None) -> Bars:
    """``rows`` on a scale that holds all of them, and ``mark``."""
    ticks = round_ticks([v for row in rows for v in (row.value, row.low, row.high)] + [mark])
    start, whole = ticks[0], ticks[-1] - ticks[0]

    def place(value: float | None) -> float | None:
        return round(100 * (value - start) / whole, 2) if known(value) else None

    def bar(row: Dot) -> Bar:
        low, high = place(row.low), place(row.high)
        wide = round(high - low, 2) if low is not None and high is not None else 0.0
        return Bar(row, bounded(row.value, row.low, row.high), place(row.value), low if wide else None, wide)

    apart = ticks[1] - ticks[0]
    scale = [(short(tick, apart), place(tick) or 0.0) for tick in ticks]
    return Bars(id, caption, heads, [bar(row) for row in rows], scale, place(mark))
