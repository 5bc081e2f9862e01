"""Seconds by step of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Adds up the wall-clock seconds of named steps.

    Attributes:
        seconds: step -> seconds, in the order in which steps began.
        start: when the clock was made, on `time.perf_counter`'s scale.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    start: float = field(default_factory=lambda: time.perf_counter())

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens within as ``name``."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def move(self, step: str, to: str, seconds: float) -> None:
        """Count ``seconds`` of ``step`` as ``to`` instead."""
        self.seconds[step] -= seconds
        self.seconds[to] = self.seconds.get(to, 0.0) + seconds

    @classmethod
    def from_start(cls, began: float) -> Clock:
        """Of a run that ``began`` at that time, on `time.monotonic`'s scale."""
        return cls(start=time.perf_counter() - (time.monotonic() - began))

    def total(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self.start
