"""Scratch: the same network from random weights. It borrows nothing: as a control it shows what borrowing is worth."""

from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "scratch",
    "the same network is trained from random weights: no pretrained weights are used",
    "trained",
    Recipe((Phase(thaw=1.0, epochs=5, body=1.0, decay=1.0, statistics=True),), scratch=True),
)
