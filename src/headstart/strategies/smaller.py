"""The same pictures at fewer pixels a side: a cheaper form of a training that does not fit at the base's own size."""

from __future__ import annotations

from dataclasses import replace

from headstart.bases.refitted import with_size
from headstart.bases.runtime import remembered
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec
from headstart.strategies.ground import Ground
from headstart.training.features import extract
from headstart.training.speed import Speed

#: Sides as shares of the base's own, the largest first: about half and a third of the work of a step.
SHARES = (0.71, 0.57)
_STEP, _LEAST = 32, 96  # pixels: sides are multiples of what networks halve their maps by, and photos need some
_EXPORT = 4.0  # seconds for exporting a graph and timing the runtimes of a base at a size that is new on this machine


def sides(ground: Ground) -> tuple[int, ...]:
    """Smaller sides that the base can be trained at, the largest first; none where it takes no pictures.

    Nor where some inputs' features are to stay, which are those of the base's own size.
    """
    spec = ground.base.spec
    if not isinstance(spec, ImageSpec) or ground.retained is not None:
        return ()
    asked = dict.fromkeys(round(share * spec.size / _STEP) * _STEP for share in SHARES)
    return tuple(side for side in asked if _LEAST <= side < spec.size and _takes(ground, side))


def ratio(ground: Ground, side: int) -> float:
    """Of a pass at the base's own size, the share that one at ``side`` pixels takes."""
    spec = ground.base.spec
    return (side / spec.size) ** 2 if isinstance(spec, ImageSpec) else 1.0


def seconds(ground: Ground, side: int, speed: Speed) -> float:
    """Predicted for the features at ``side`` of all working rows, which training starts from.

    Args:
        speed: at ``side``.
    """
    known = remembered(with_size(ground.base, side))
    choosing = 0.0 if known else _EXPORT + 3 * speed.opening
    return choosing + len(ground.rows) * speed.answering + speed.loading


def smaller(ground: Ground, side: int) -> Ground:
    """The ground with the base taking pictures of ``side`` pixels a side, and its features of them."""
    base = with_size(ground.base, side)
    found = extract(base, ground.rows.inputs, progress=ground.progress)
    return replace(ground, base=base, rows=replace(ground.rows, vectors=found.vectors))


def _takes(ground: Ground, side: int) -> bool:
    try:
        with_size(ground.base, side)
    except BaseError:
        return False
    return True
