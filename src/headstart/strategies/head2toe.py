"""Head2Toe: the base stays frozen, a linear head is solved on features of all its stages (Evci et al. 2022)."""

from headstart.strategies.strategy import Strategy

STRATEGY = Strategy(
    "head2toe",
    "the base stays as it is; a linear classifier is fitted on chosen frozen features of all stages",
    "stages",
)
