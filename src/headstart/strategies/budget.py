"""The time a run may take, and what is left of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Budget:
    """Seconds for the whole run, counted from when this was made.

    Attributes:
        seconds: None: no limit.
        kept_back: seconds set aside for what comes after the ladder: test, controls, hand-over.
    """

    seconds: float | None
    kept_back: float = 0.0
    _start: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Seconds that the ladder may still use; None: no limit."""
        return None if self.seconds is None else self.seconds - self.kept_back - (time.monotonic() - self._start)

    def allows(self, seconds: float) -> bool:
        """Whether work of so many seconds fits."""
        left = self.left()
        return left is None or seconds <= left

    def share(self, part: float, whole: float) -> float | None:
        """The seconds that work of predicted length ``part`` may take, of work of ``whole`` to come; None: no limit."""
        left = self.left()
        return None if left is None else max(0.0, left) * part / max(whole, 1e-9)
