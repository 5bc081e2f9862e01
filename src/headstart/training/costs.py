"""What a strategy costs: seconds, memory, and bytes on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NAN = float("nan")


@dataclass(frozen=True)
class Cost:
    """Predicted for a whole run of one strategy on features that are cached.

    Attributes:
        strategy: its name.
        seconds: of the process, where training pays and stops when it usually does; nan where it is left out.
        memory: bytes at the peak of the process; on an accelerator, of its own memory.
        least: seconds where no step of training makes anything better, and the probe is handed over after all.
        at_most: seconds where every phase runs to the end of its schedule.
        disk: bytes of the cached prefix.
        left_out: why the strategy does not apply; "" where it does.
        parts: seconds by what they are spent on, in the order of a run.
    """

    strategy: str
    seconds: float
    memory: int
    least: float = 0.0
    at_most: float = 0.0
    disk: int = 0
    left_out: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "parts": dict(self.parts)}


def not_for(strategy: str, reason: str) -> Cost:
    """The cost of a strategy that does not apply."""
    return Cost(strategy, _NAN, 0, _NAN, _NAN, 0, reason)
