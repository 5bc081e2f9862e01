"""Phases: stretches of training as data, which the engine runs one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from headstart.errors import SettingError

#: Which weights of the thawed stages move: all, those of normalisation layers and all biases, or adapters'.
Moves = Literal["all", "norm", "adapter"]

#: Looks of a phase: once an epoch, but so often at least, and so often at most where epochs are short.
LOOKS, MOST_LOOKS = 6, 20


#: Share of the seconds of steps that looks may take where a schedule was shortened for want of time.
LOOKING = 0.25


def look_every(steps: int, per_epoch: int, least: float = 0.0) -> int:
    """Steps from one look at the held-out rows to the next, in a phase of ``steps``.

    Args:
        least: steps that one look is to be worth at least: where time is short, as many as take a look's seconds,
            divided by `LOOKING`. There is a look at the end in any case.
    """
    usual = max(-(-steps // MOST_LOOKS), min(per_epoch, -(-steps // LOOKS)))
    return min(steps, max(usual, math.ceil(least)))


@dataclass(frozen=True)
class Phase:
    """One stretch of training: what moves, how fast, for how long.

    Attributes:
        thaw: the top stages that move: a count (0: the head alone), or a share of the stages above 0 and up to 1.0.
        moves: which weights of theirs.
        epochs: passes over the training rows.
        least_steps: optimiser steps at least, by more passes where rows are few.
        rate: AdamW's greatest learning rate for the head.
        body: the top stage's rate as a share of the head's.
        decay: each stage's rate as a share of the one above's (Howard & Ruder 2018; 0.75 as in Bao et al. 2022).
        statistics: whether BatchNorm of the thawed stages goes by each batch, and its running statistics follow. Where
            a solved head is started from they stay the base's: by the batch's the features would be others at once
            (digits, 160 rows: held-out loss 0.38 before the first step and 4.2 after ten; docs/log.md).
        warmup: share of the steps over which the rate rises, before it falls along a cosine.
        at_most: whether a base of fewer stages than ``thaw`` has all of its own moved, instead of being refused.
    """

    thaw: int | float
    moves: Moves = "all"
    epochs: float = 3.0
    least_steps: int = 80
    rate: float = 1e-3
    body: float = 0.1
    decay: float = 0.75
    statistics: bool = False
    warmup: float = 0.1
    at_most: bool = False

    def thawed(self, stages: int) -> int:
        """How many of ``stages`` move.

        Raises:
            SettingError: more than there are.
        """
        count = max(1, round(self.thaw * stages)) if isinstance(self.thaw, float) else self.thaw
        count = min(count, stages) if self.at_most else count
        if not 0 <= count <= stages or self.thaw < 0:
            raise SettingError(f"unfreeze is {self.thaw}; this base has {stages} stages, so it is from 0 to {stages}.")
        return count

    def steps(self, rows: int, batch: int) -> int:
        """Optimiser steps over ``rows`` in batches of ``batch``."""
        return max(1, self.least_steps, round(self.epochs * -(-rows // batch)))

    def shortened(self, share: float) -> Phase:
        """The phase with a share of its steps, over which the rate still rises and falls whole."""
        return replace(self, epochs=self.epochs * share, least_steps=round(self.least_steps * share))


def factor(step: int, total: int, warmup: float) -> float:
    """Share of the greatest rate at ``step`` of ``total``: a linear rise, then half a cosine down to 0.

    As in Loshchilov & Hutter (2017), without restarts.
    """
    rising = max(1, round(warmup * total))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
