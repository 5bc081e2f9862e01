"""How long work tells where it stands; the default is silent (the command line's: `headstart.terminal`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """A silent listener; subclass to show what it hears."""

    def say(self, line: str = "") -> None:
        """One line of prose: a plan, a decision, a result."""

    def detail(self, line: str) -> None:
        """One line that only a reader who asked for details needs."""
        self.say(line)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is done within is called ``name``; stages may lie in one another, and the innermost counts."""
        yield

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        """A stretch of ``total`` equal steps called ``label``."""
        yield Track()


class Track:
    """One stretch of work under way."""

    def advance(self, steps: int = 1) -> None:
        """``steps`` more are done."""

    def at(self, done: int, total: int) -> None:
        """``done`` steps of now ``total`` are done: for work whose end moves, or that goes back."""

    def note(self, figures: str) -> None:
        """What the work has come to so far, such as its loss."""
