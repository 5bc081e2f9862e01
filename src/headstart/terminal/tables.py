"""Tables and paragraphs that keep to the width of a page."""

from __future__ import annotations

import textwrap

from headstart.terminal.climb import aligned

WIDTH = 120
_NARROWEST = 20  # that a cell is wrapped to


def fitted(rows: list[tuple[str, ...]], right: tuple[int, ...], wrapped: tuple[int, ...]) -> list[str]:
    """`aligned`, with the cells of the columns in ``wrapped`` on several lines where a row is wider than the page."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = WIDTH - 2 * (len(widths) - 1) - sum(width for i, width in enumerate(widths) if i not in wrapped)
    for done, column in enumerate(sorted(wrapped, key=lambda i: widths[i])):  # what a narrow one spares others get
        widths[column] = min(widths[column], max(_NARROWEST, left // (len(wrapped) - done)))
        left -= widths[column]
    return aligned([line for row in rows for line in _lines(row, widths, wrapped)], right)


def paragraph(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """``text`` in lines, the first after ``first`` and the others after ``rest``, or as many spaces."""
    rest = " " * len(first) if rest is None else rest
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )


def _lines(row: tuple[str, ...], widths: list[int], wrapped: tuple[int, ...]) -> list[tuple[str, ...]]:
    cells = [
        textwrap.wrap(cell, widths[i], break_on_hyphens=False, break_long_words=False) or [""]
        if i in wrapped
        else [cell]
        for i, cell in enumerate(row)
    ]
    deepest = max(map(len, cells))
    return [tuple(cell[line] if line < len(cell) else "" for cell in cells) for line in range(deepest)]
