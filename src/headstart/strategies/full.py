"""Full: every stage is trained, from the solved head on (LP-FT: Kumar et al. 2022)."""

from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "full",
    "every stage is trained, starting from the fitted linear classifier",
    "trained",
    Recipe((Phase(thaw=1.0, epochs=3),)),
)
