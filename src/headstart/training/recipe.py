"""Recipes: what a strategy tells the engine, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headstart.bases.adapters import Lora
from headstart.training.phase import Phase


@dataclass(frozen=True)
class Recipe:
    """One way to train a base.

    Attributes:
        phases: run in order, each from where the one before ended.
        lora: adapters to add to the base; None trains weights of its own.
        scratch: begin from random weights and a head of zeros, borrowing nothing.
        rates: factors of every phase's rate, tried in short; the best by held-out loss goes on. (1.0,) tries none.
    """

    phases: tuple[Phase, ...]
    lora: Lora | None = None
    scratch: bool = False
    rates: tuple[float, ...] = (1.0,)

    def shortened(self, shares: tuple[float, ...]) -> Recipe:
        """The phases with a share each of their steps; those with none are left out."""
        kept = (phase.shortened(share) for phase, share in zip(self.phases, shares, strict=True) if share > 0)
        return replace(self, phases=tuple(kept))

    def then(self, other: Recipe) -> Recipe:
        """This recipe with ``other``'s phases after its own: what a rung that starts from another comes to."""
        return Recipe(self.phases + other.phases, other.lora or self.lora, self.scratch, other.rates)
