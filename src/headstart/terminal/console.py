"""What the command line shows while it works: prose and progress on stderr, results on stdout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headstart.progress import Progress, Track
from headstart.unicode import writable


class Console(Progress):
    """Prose as plain lines; a progress bar with rate and time left only on a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        from rich.console import Console as Rich

        self._quiet = quiet
        self._rich = Rich(stderr=True, highlight=False, soft_wrap=True, markup=False)

    def say(self, line: str = "") -> None:
        """One line on stderr."""
        if not self._quiet:
            self._rich.print(writable(line))

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        """A bar with done/total, rate and time left; nothing where stderr is not a terminal."""
        if self._quiet or not self._rich.is_terminal:
            yield Track()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=self._rich, transient=True) as bar:
            yield _BarTrack(bar, bar.add_task(label, total=total, rate=""))


class _BarTrack(Track):
    def __init__(self, bar: object, task: object) -> None:
        self._bar, self._task = bar, task

    def advance(self, steps: int = 1) -> None:
        bar, task = self._bar, self._task
        bar.advance(task, steps)  # type: ignore[attr-defined]
        speed = bar.tasks[0].speed  # type: ignore[attr-defined]
        bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")  # type: ignore[attr-defined]
