"""The chance of taking a rung that gains nothing, shared out over the rungs that are tried one after another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Spending:
    """What each rung may spend of the chance allowed for the whole ladder.

    The fallback procedure of Wiens & Dmitrienko (2005): every planned rung has an equal share, and what a rung that was
    taken had is passed on to the next one. Then the chance that any rung is taken which gains nothing is at most
    ``whole``, whichever of them gain something.

    Attributes:
        whole: the chance allowed in all.
        rungs: that share it.
    """

    whole: float
    rungs: int
    _passed: float = 0.0

    @property
    def level(self) -> float:
        """The one-sided level of the next rung's comparison."""
        return 1 - (self.whole / max(1, self.rungs) + self._passed)

    def spent(self, *, freely: bool) -> None:
        """The next rung is done with; ``freely``: it was taken, or not compared, so that its share is passed on."""
        self._passed = 1 - self.level if freely else 0.0
