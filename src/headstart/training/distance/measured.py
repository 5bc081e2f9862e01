"""One measure of how far data are from what a base was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Distance:
    """What one measure says. Measures have scales of their own; only values of one name compare.

    Attributes:
        name: of the measure.
        value: higher is farther; nan where it cannot be told.
        how: what was measured, or why it cannot be told, for the reader.
        far: from this value on the data are far; nan where no value says so.
    """

    name: str
    value: float
    how: str
    far: float = float("nan")

    @property
    def told(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    @property
    def warns(self) -> bool:
        """Whether the data are far by this measure."""
        return self.value >= self.far


def untold(name: str, why: str) -> Distance:
    """A measure that cannot be taken."""
    return Distance(name, float("nan"), f"not measured: {why}")
