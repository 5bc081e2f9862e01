"""Probe: the base stays frozen, only a linear head is solved on its pooled features."""

from headstart.strategies.strategy import Strategy

STRATEGY = Strategy("probe", "the base stays as it is; a linear classifier is fitted on its frozen features", "pooled")
