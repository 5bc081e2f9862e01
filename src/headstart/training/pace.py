"""How fast a phase goes, and how many steps the time given allows."""

from __future__ import annotations

import time
from statistics import median

from headstart.training.processes import Processes

_SLACK = 0.05  # a plan is not changed for less than this share of it: single steps differ by more


class Pace:
    """The time spent by a run, and what is left for the steps of its phase.

    Args:
        seconds: that the run may take; None: as many as it needs.
        processes: the first one's clock counts for all.
        spent: seconds that went before a run was broken off.
    """

    def __init__(self, seconds: float | None, processes: Processes, spent: float = 0.0) -> None:
        self._seconds, self._processes = seconds, processes
        self._start = time.monotonic() - spent
        self._allowed = seconds or 0.0
        self._steps: list[float] = []
        self._looks: list[float] = []

    @property
    def spent(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._start

    def begin(self, steps: int, later: int) -> None:
        """A phase of ``steps`` begins, and ``later`` steps of other phases come after it."""
        self._steps = []
        if self._seconds is not None:
            spent = self.spent
            self._allowed = spent + (self._seconds - spent) * steps / max(1, steps + later)

    def stepped(self, seconds: float) -> None:
        """A step took ``seconds``, the wait for its batch included."""
        self._steps.append(seconds)

    def looked(self, seconds: float) -> None:
        """A look took ``seconds``."""
        self._looks.append(seconds)

    @property
    def over(self) -> bool:
        """Whether there is time for one more look and no more."""
        if self._seconds is None:
            return False
        return bool(self._processes.first_says(float(self.spent + self._look >= self._seconds)))

    def fitting(self, left: int, every: int) -> int:
        """How many of ``left`` steps can be made, with a look every ``every`` steps and one at the end.

        Single steps may take long, as one that begins a pass over the cached prefix does: the median counts.
        """
        if self._seconds is None or not self._steps:
            return left
        each = median(self._steps) + self._look / every
        fit = int((self._allowed - self.spent - self._look) / max(each, 1e-9))
        fit = int(self._processes.first_says(float(min(left, max(0, fit)))))
        return left if fit >= (1 - _SLACK) * left else fit

    @property
    def _look(self) -> float:
        return median(self._looks) if self._looks else 0.0
