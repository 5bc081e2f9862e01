"""How long work tells where it stands; the default is silent (the command line's: `headstart.terminal`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """A silent listener; subclass to show what it hears."""

    def say(self, line: str = "") -> None:
        """One line of prose: a plan, a decision, a result."""

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        """A stretch of ``total`` equal steps called ``label``."""
        yield Track()


class Track:
    """One stretch of work under way."""

    def advance(self, steps: int = 1) -> None:
        """``steps`` more are done."""
