"""What the command line shows while it works: prose and progress on stderr, results on stdout."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headstart.progress import Progress, Track
from headstart.report.figures import duration
from headstart.unicode import writable

_MAIN = "training"  # the work that stages of a training are named for
_EVERY = 5.0  # seconds at least from one line of a track to the next where there is no bar
_SILENCE = 15.0  # seconds without a line after which the stage is named again


class Console(Progress):
    """Prose as plain lines; a progress bar on a terminal, and a line now and then elsewhere.

    Within a stage nobody waits long for a sign of life: after `_SILENCE` seconds without a line its name is said again.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        from rich.console import Console as Rich

        self._quiet, self.verbose = quiet, verbose
        self._rich = Rich(stderr=True, highlight=False, soft_wrap=True, markup=False)
        self._stages: list[tuple[str, float]] = []  # name and start, the innermost last
        self._said = time.monotonic()
        self._bars = 0
        self._stop = threading.Event()

    def say(self, line: str = "") -> None:
        """One line on stderr."""
        if not self._quiet:
            self._said = time.monotonic()
            self._rich.print(writable(line))

    def detail(self, line: str) -> None:
        """The same, where details were asked for."""
        if self.verbose:
            self.say(line)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name what is done within, and say so again while it takes long."""
        outermost = not self._stages
        self._stages.append((name, time.monotonic()))
        if outermost and not self._quiet:
            self._stop = threading.Event()
            threading.Thread(target=self._beat, args=(self._stop,), daemon=True).start()
        try:
            yield
        finally:
            self._stages.pop()
            if outermost:
                self._stop.set()

    def _beat(self, stop: threading.Event) -> None:
        """Until ``stop``, a line wherever nothing was said for `_SILENCE` seconds; a bar says it by itself."""
        while not stop.wait(_SILENCE / 4):
            now = time.monotonic()
            stages = list(self._stages)
            if stages and not self._bars and now - self._said >= _SILENCE:
                name, start = stages[-1]
                self.say(f"  {name}: {duration(now - start)} so far".replace("\u00a0", " "))

    @contextmanager
    def track(self, label: str, total: int) -> Iterator[Track]:
        """A bar with done/total, rate and time left on a terminal; elsewhere a line at most every few seconds."""
        stage = self._stages[-1][0] if self._stages else ""
        own = stage and (label == _MAIN or label in stage)  # not "features: features"
        name = stage if own else ": ".join(filter(None, (stage, label)))
        if self._quiet:
            yield Track()
            return
        if not self._rich.is_terminal:
            yield _LineTrack(self, name, total)
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        if self._bars:  # one bar at a time: work within work is told by the outer one
            yield Track()
            return
        self._bars += 1
        try:
            with Bar(*columns, console=self._rich, transient=True) as bar:
                yield _BarTrack(bar, bar.add_task(name, total=total, rate="", note=""), self, name)
        finally:
            self._bars -= 1
            self._said = time.monotonic()


class _BarTrack(Track):
    def __init__(self, bar: Any, task: Any, console: Console, name: str) -> None:
        self._bar, self._task, self._console, self._name = bar, task, console, name
        self._noted = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self._bar.advance(self._task, steps)
        self._rate()

    def at(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)
        self._rate()

    def note(self, figures: str) -> None:
        self._bar.update(self._task, note=figures)
        if self._console.verbose or time.monotonic() - self._noted >= _EVERY:
            self._noted = time.monotonic()
            task = self._bar.tasks[0]
            self._console.say(f"  {self._name}: {int(task.completed):,} of {int(task.total):,}, {figures}")

    def _rate(self) -> None:
        speed = self._bar.tasks[0].speed
        self._bar.update(self._task, rate=f"{speed:,.0f}/s" if speed else "")


class _LineTrack(Track):
    """A line with done, total, rate and time left, and what was noted."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._console, self._name = console, name
        self._done, self._total = 0, total
        self._start = self._last = time.monotonic()
        self._figures = ""

    def advance(self, steps: int = 1) -> None:
        self.at(self._done + steps, self._total)

    def at(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        if time.monotonic() - self._last >= _EVERY and done < total:
            self._tell()

    def note(self, figures: str) -> None:
        self._figures = figures
        if self._console.verbose or time.monotonic() - self._last >= _EVERY:
            self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        self._last, spent = now, now - self._start
        figures = f", {self._figures}" if self._figures else ""
        left = ""
        if 0 < self._done < self._total and spent > 1:
            left = f", about {duration(spent * (self._total - self._done) / self._done)} left"
        self._console.say(f"  {self._name}: {self._done:,} of {self._total:,}{figures}{left}".replace("\u00a0", " "))
        self._figures = ""
