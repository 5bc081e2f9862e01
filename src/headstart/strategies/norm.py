"""Norm: only normalisation layers and biases are trained (Ben Zaken et al. 2022, BitFit; Frankle et al. 2021)."""

from headstart.strategies.strategy import Strategy
from headstart.training.phase import Phase
from headstart.training.recipe import Recipe

STRATEGY = Strategy(
    "norm",
    "only normalisation layers and biases are trained, starting from the fitted linear classifier",
    "trained",
    Recipe((Phase(thaw=1.0, moves="norm", epochs=3, body=1.0, decay=0.9),)),
)
