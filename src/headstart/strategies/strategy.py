"""What a strategy is: data for one engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headstart.training.recipe import Recipe

#: What the strategy's head stands on: the base's pooled output, that of every stage, or a base that was trained.
Features = Literal["pooled", "stages", "trained"]


@dataclass(frozen=True)
class Strategy:
    """How much of a base to adapt.

    Attributes:
        name: as in ``--strategy``.
        summary: one sentence for people.
        features: what the head stands on.
        recipe: how the base is trained; None where only a head is solved.
    """

    name: str
    summary: str
    features: Features
    recipe: Recipe | None = None
