"""What a notebook shows: progress while a verb works, and a result as a few lines of HTML.

Plain HTML that needs no style sheet, no script and no library of widgets; everything from outside is escaped.
"""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.progress import Progress, Track

_EACH = 0.2  # seconds between two pictures of a bar


def in_notebook() -> bool:
    """Whether this is a notebook's kernel; IPython is asked only where it is loaded, as it is there."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


def is_interactive() -> bool:
    """Whether somebody types: a notebook, or Python's own prompt."""
    return in_notebook() or hasattr(sys, "ps1") or bool(sys.flags.interactive)


class NotebookProgress(Progress):
    """Prose as lines below the cell, and a bar for each stretch of work, which goes when it is done."""

    def say(self, line: str = "") -> None:
        """One line below the cell."""
        print(line)

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        """A bar with what is done of the total and the time left."""
        track = _Bar(label, total)
        try:
            yield track
        finally:
            track.show("")


class _Bar(Track):
    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._begun = self._shown = time.monotonic()
        self._handle: Any = None
        self.show(self._picture())

    def advance(self, steps: int = 1) -> None:
        """Drawn anew a few times a second, and at the end."""
        self._done += steps
        now = time.monotonic()
        if now - self._shown >= _EACH or self._done >= self._total:
            self._shown = now
            self.show(self._picture())

    def _picture(self) -> str:
        spent, left = time.monotonic() - self._begun, ""
        if 0 < self._done < self._total:
            left = f", about {spent / self._done * (self._total - self._done):,.0f} s left"
        counted = f"{self._done:,} of {self._total:,}{left}"
        bar = f'<progress value="{self._done}" max="{max(1, self._total)}"></progress>'
        return f"<div>{html.escape(self._label)} {bar} {counted}</div>"

    def show(self, picture: str) -> None:
        """Put ``picture`` in the place of the one before."""
        shown = {"text/html": picture, "text/plain": ""}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)


def panel(
    title: str,
    lines: Iterable[str] = (),
    header: Sequence[str] = (),
    rows: Iterable[Sequence[str]] = (),
    report: Path | None = None,
) -> str:
    """A result as HTML.

    Args:
        title: the answer in one sentence.
        lines: further sentences; empty ones are left out.
        header, rows: a table; the first column is text, the others are numbers.
        report: a page to link to.
    """
    parts = [f"<p><strong>{html.escape(title)}</strong></p>"]
    body = "".join(f"<tr>{''.join(_cell('td', i, cell) for i, cell in enumerate(row))}</tr>" for row in rows)
    if body:
        head = "".join(_cell("th", i, cell) for i, cell in enumerate(header))
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<p>{html.escape(line)}</p>" for line in lines if line]
    if report is not None:
        address = html.escape(_address(report), quote=True)
        parts.append(f'<p>Report: <a href="{address}" target="_blank">{html.escape(str(report))}</a></p>')
    return f"<div>{''.join(parts)}</div>"


def _cell(tag: str, column: int, text: str) -> str:
    return f'<{tag} style="text-align:{"right" if column else "left"}">{html.escape(text)}</{tag}>'


def _address(path: Path) -> str:
    """Relative to the notebook where it can be: browsers open no file: addresses from a served page."""
    from urllib.parse import quote

    try:
        return quote(path.absolute().relative_to(Path.cwd()).as_posix())
    except ValueError:
        return path.absolute().as_uri()


def scored(value: float, low: float, high: float) -> str:
    """``0.893 [0.850, 0.931]``; without the interval where there is none."""
    return f"{value:.3f} [{low:.3f}, {high:.3f}]" if low == low and high == high else f"{value:.3f}"
