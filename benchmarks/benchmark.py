"""What a benchmark is: a name, what it compares, and a function that measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class Unavailable(Exception):
    """What a benchmark needs is not here; the message says what and where it was looked for."""


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        scratch: a folder that may be filled.
        repeat: how often.
        quick: on small subsets, as a smoke test.
        tasks: names of the tasks of `strategies`; none: all.
        resume: file of finished runs that `strategies` goes on from and adds to.
        tables_only: measure nothing, make tables of what ``resume`` holds.
    """

    scratch: Path
    repeat: int = 3
    quick: bool = False
    tasks: tuple[str, ...] = ()
    resume: Path | None = None
    tables_only: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the page; every row as long as ``header``."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table in markdown."""
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@dataclass(frozen=True)
class Findings:
    """What a benchmark found: tables, ratios first, and sentences that say how to read them."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Tables, then notes as a list."""
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join([*(table.markdown() for table in self.tables), *([notes] if notes else [])])


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of the list."""

    name: str
    about: str  # one line, as the list and the page show it
    run: Callable[[Options], Findings]
    how: str = "median and range of {repeat} repeats"  # how often things are measured
