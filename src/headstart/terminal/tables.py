"""Tables and paragraphs that keep to the width of the terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable

WIDTH = 110  # columns where there is no terminal to ask
_LEAST, _MOST = 60, 120  # columns kept to, however narrow or wide the terminal is
_NARROWEST = 20  # that a cell is wrapped to
_LABEL = 10  # columns of the names of facts at least
_INTERVAL = re.compile(r"(\[[^][\s]+,) (?=[^][\s]+\])")


def columns() -> int:
    """Columns to keep to: the terminal's, or `WIDTH` where there is none."""
    return max(_LEAST, min(_MOST, shutil.get_terminal_size((WIDTH, 24)).columns))


def aligned(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    """Rows of equal length as lines; the columns in ``right`` end at one place, the others start at one."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            f"{cell:>{width}}" if i in right else f"{cell:<{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def fitted(rows: list[tuple[str, ...]], right: tuple[int, ...], wrapped: tuple[int, ...]) -> list[str]:
    """`aligned`, with the cells of the columns in ``wrapped`` on several lines where a row is wider than the page."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = columns() - 2 * (len(widths) - 1) - sum(width for i, width in enumerate(widths) if i not in wrapped)
    for done, column in enumerate(sorted(wrapped, key=lambda i: widths[i])):  # what a narrow one spares others get
        widths[column] = min(widths[column], max(_NARROWEST, left // (len(wrapped) - done)))
        left -= widths[column]
    return aligned([line for row in rows for line in _lines(row, widths, wrapped)], right)


def paragraph(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """``text`` in lines, the first after ``first`` and the others after ``rest``, or as many spaces."""
    rest = " " * len(first) if rest is None else rest
    return textwrap.wrap(
        text, columns(), initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )


def labelled(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Each name with its text, in two columns; a fact without text is left out.

    No interval is parted by the end of a line, and a command stays on one, so that it can be copied.
    """
    told = [(name, text) for name, text in facts if text]
    width = max([_LABEL, *(len(name) + 2 for name, _ in told)])
    lines = []
    for name, text in told:
        whole = text.startswith("headstart ")
        lines += [f"{name:<{width}}{text}"] if whole else paragraph(unbroken(text), f"{name:<{width}}")
    return [line.replace("\u00a0", " ") for line in lines]


def unbroken(text: str) -> str:
    """``text`` with hard spaces in its intervals."""
    return _INTERVAL.sub("\\1\u00a0", text)


def _lines(row: tuple[str, ...], widths: list[int], wrapped: tuple[int, ...]) -> list[tuple[str, ...]]:
    cells = [
        textwrap.wrap(cell, widths[i], break_on_hyphens=False, break_long_words=False) or [""]
        if i in wrapped
        else [cell]
        for i, cell in enumerate(row)
    ]
    deepest = max(map(len, cells))
    return [tuple(cell[line] if line < len(cell) else "" for cell in cells) for line in range(deepest)]
