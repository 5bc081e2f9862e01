"""The time a run may take, what is left of it, and what was left out to keep it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from headstart.progress import Progress

#: Of a budget, what measuring the base's speed may take at most.
MEASURING = 0.03
#: Clock over work of a whole run beyond which waiting is for something else than for processors; of a thread that does
#: nothing but work, beyond which it is chance.
BUSIEST, CROWDED = 4.0, 10.0
_MOMENT = 0.1  # seconds, some turns of a scheduler


@dataclass
class Budget:
    """Seconds for the whole run, counted from when this was made; see `from_start`.

    Attributes:
        seconds: None: no limit.
        kept_back: seconds set aside for what comes after the ladder whatever it finds: test, controls, hand-over.
        cut: what was left out or cut short for want of time, in words.
    """

    seconds: float | None
    kept_back: float = 0.0
    cut: list[str] = field(default_factory=list)
    _start: float = field(default_factory=lambda: time.monotonic())
    _work: float = field(default_factory=lambda: time.process_time())

    @classmethod
    def from_start(cls, seconds: float | None, began: float) -> Budget:
        """Counted from when the run ``began``, on `time.monotonic`'s scale, and so before its imports."""
        started = time.monotonic() - began > _MOMENT
        return cls(seconds, _start=began, _work=0.0 if started else time.process_time())

    def left(self) -> float | None:
        """Seconds that may still be used before what is kept back; None: no limit."""
        return None if self.seconds is None else self.seconds - self.kept_back - (time.monotonic() - self._start)

    def allows(self, seconds: float) -> bool:
        """Whether work of so many seconds fits."""
        left = self.left()
        return left is None or seconds <= left

    def leave_out(self, what: str, progress: Progress) -> None:
        """Keep and say ``what`` is left out or cut short for want of time."""
        self.cut.append(what)
        progress.say(f"  to keep the budget: {what}")

    @property
    def slower(self) -> float:
        """How much slower than alone on its machine one thread of this process is, from 1 to `CROWDED`.

        As it has been so far, clock over work, or as it is right now: work of several threads hides that each of them
        waits.
        """
        work = time.process_time() - self._work
        so_far = (time.monotonic() - self._start) / max(work, 1e-3)
        return max(1.0, min(BUSIEST, so_far), min(CROWDED, _waiting()))

    @property
    def measuring(self) -> float | None:
        """Seconds that measuring the base's speed may take; None: no limit."""
        return None if self.seconds is None else MEASURING * self.seconds


def _waiting() -> float:
    """Clock over work of a thread that does nothing but work for a moment."""
    start, work = time.monotonic(), time.thread_time()
    while time.monotonic() - start < _MOMENT:
        sum(range(1000))
    return (time.monotonic() - start) / max(time.thread_time() - work, 1e-3)
