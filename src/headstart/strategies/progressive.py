"""Progressive: one more stage is thawed in each phase, from the top (Howard & Ruder 2018, gradual unfreezing)."""

from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "progressive",
    "the top stage is trained first, then one more with each phase, starting from the fitted linear classifier",
    "trained",
    Recipe(tuple(Phase(thaw=top, epochs=1.0, least_steps=40, at_most=True) for top in (1, 2, 3, 4))),
)
