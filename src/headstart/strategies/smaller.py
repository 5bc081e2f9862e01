"""The same pictures at fewer pixels a side: a cheaper form of a training that does not fit at the base's own size."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from headstart.bases.base import Base
from headstart.bases.refitted import with_size
from headstart.bases.runtime import remembered
from headstart.errors import BaseError
from headstart.strategies.ground import Ground
from headstart.strategies.holding import Holding
from headstart.training.features import extract
from headstart.training.speed import Speed

#: Sides as shares of the base's own, the largest first: about half and a third of the work of a step.
SHARES = (0.71, 0.57)
_STEP, _LEAST = 32, 96  # pixels: sides are multiples of what networks halve their maps by, and photos need some
EXPORT = 4.0  # seconds for exporting a graph and timing the runtimes of a base at a size that is new on this machine


class Smaller:
    """What a ground comes to at fewer pixels a side. Whether the base takes a side is tried once, when first asked.

    Args:
        own: the ground at the base's own size.
    """

    def __init__(self, own: Ground) -> None:
        self.own = own

    @cached_property
    def bases(self) -> dict[int, Base]:
        """Side -> the base taking such pictures, the largest side first; none where it takes no pictures.

        Nor where some inputs' features are to stay, which are those of the base's own size.
        """
        ground, spec, found = self.own, self.own.base.spec, dict[int, Base]()
        if not spec.side or ground.retained is not None:
            return found
        for side in dict.fromkeys(round(share * spec.side / _STEP) * _STEP for share in SHARES):
            if _LEAST <= side < spec.side:
                with suppress(BaseError):
                    found[side] = with_size(ground.base, side)
        return found

    def on(self, holding: Holding) -> Smaller:
        """The same where fewer rows are held out; what was found of the base's sides stays found."""
        made = Smaller(replace(self.own, holding=holding))
        if "bases" in vars(self):
            made.bases = self.bases
        return made

    def speed(self, side: int, own: Speed) -> Speed:
        """At ``side``, where ``own`` is the speed at the base's own size: a pass takes as long as it has pixels."""
        full = self.own.base.spec.side
        return own.scaled((side / full) ** 2) if full else own

    def seconds(self, side: int, speed: Speed) -> float:
        """Predicted for the features of all working rows, which training starts from, at the ``speed`` of ``side``."""
        choosing = 0.0 if remembered(self.bases[side]) else EXPORT + 3 * speed.opening
        return choosing + len(self.own.rows) * speed.answering + speed.loading

    def ground(self, side: int) -> Ground:
        """The ground with the base taking pictures of ``side`` pixels a side, and its features of them."""
        ground, base = self.own, self.bases[side]
        found = extract(base, ground.rows.inputs, progress=ground.progress)
        return replace(ground, base=base, rows=replace(ground.rows, vectors=found.vectors))
