"""The chance of taking a rung that gains nothing, shared out over the rungs that are tried one after another."""

from __future__ import annotations

from dataclasses import dataclass

#: Of a rung's share, what all further tries have: they come when the first has failed, which tells against them.
FURTHER = 0.5
_LEFT = 0.25  # of it, what a further try leaves to the next


@dataclass
class Spending:
    """What each rung may spend of the chance allowed for the whole ladder.

    The fallback procedure of Wiens & Dmitrienko (2005): every planned rung has an equal share, and what a rung that was
    taken had is passed on to the next one. Then the chance that any rung is taken which gains nothing is at most
    ``whole``, whichever of them gain something.

    Where a budget may leave time for further tries of rungs that were not taken, these have half a rung's share
    together, and what the last rung passed on: each spends three quarters of what is left of it, as there is seldom
    more than one.

    Attributes:
        whole: the chance allowed in all.
        rungs: that share it.
        further: whether further tries share it too.
    """

    whole: float
    rungs: int
    further: bool = False
    _passed: float = 0.0
    _tried: int = 0

    @property
    def _share(self) -> float:
        """Of one rung."""
        return self.whole / (max(1, self.rungs) + (FURTHER if self.further else 0.0))

    @property
    def level(self) -> float:
        """The one-sided level of the next rung's comparison."""
        return 1 - (self._share + self._passed)

    def spent(self, *, freely: bool) -> None:
        """The next rung is done with; ``freely``: it was taken, or not compared, so that its share is passed on."""
        self._passed = 1 - self.level if freely else 0.0

    def once_more(self) -> float:
        """The one-sided level of the next further try, which is spent by that; 1: nothing is left for one."""
        self._tried += 1
        left = self._passed + (FURTHER * self._share if self.further else 0.0)
        return 1 - left * (1 - _LEFT) * _LEFT ** (self._tried - 1)
