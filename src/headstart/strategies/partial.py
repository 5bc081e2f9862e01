"""Partial: the top third of the stages is trained from the solved head on; what lies below is computed once."""

from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "partial",
    "the top stages are trained, starting from the fitted linear classifier; the stages below stay as they are",
    "trained",
    Recipe((Phase(thaw=1 / 3, epochs=5),)),
)
