"""How fast a phase goes, and how many steps the time given allows."""

from __future__ import annotations

import time
from statistics import median

from headstart.training.phase import LOOKING
from headstart.training.processes import Processes


class Pace:
    """The time spent by a run, and what is left for the steps of its phase.

    Args:
        seconds: that the run may take; None: as many as it needs.
        processes: the first one's clock counts for all.
        spent: seconds that went before a run was broken off.
        closing: looks that answering other rows comes to once the steps are done.
    """

    def __init__(self, seconds: float | None, processes: Processes, spent: float = 0.0, closing: float = 0.0) -> None:
        self._seconds, self._processes, self._closing = seconds, processes, closing
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
    def least(self) -> float:
        """Steps from one look to the next at least, so that looks take `LOOKING` of the steps' time and no more."""
        if self._seconds is None or not self._steps or not self._looks:
            return 0.0
        return self._processes.first_says(self._look / LOOKING / max(median(self._steps), 1e-9))

    @property
    def over(self) -> bool:
        """Whether there is time for one more look and no more."""
        if self._seconds is None:
            return False
        return bool(self._processes.first_says(float(self.spent + (1 + self._closing) * self._look >= self._seconds)))

    def fitting(self, left: int, every: int) -> int:
        """How many of ``left`` steps can be made, with a look every ``every`` steps and one at the end.

        Single steps may take long, as one that begins a pass over the cached prefix does: the median counts.
        """
        if self._seconds is None or not self._steps:
            return left
        each = median(self._steps) + self._look / every
        fit = int((self._allowed - self.spent - (1 + self._closing) * self._look) / max(each, 1e-9))
        return int(self._processes.first_says(float(min(left, max(0, fit)))))

    @property
    def _look(self) -> float:
        return median(self._looks) if self._looks else 0.0
