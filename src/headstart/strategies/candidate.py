"""What a strategy gives: one candidate to compare on validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads.linear import LinearHead
from headstart.heads.solve import Tried


@dataclass(frozen=True)
class Candidate:
    """One (base, strategy) solved on the training rows.

    Attributes:
        base, strategy: names.
        head: on the base's pooled features.
        valid: [n_valid, outputs] probabilities (regression: values) on the validation rows.
        valid_score: the run's metric on them.
        tried: the heads compared within the training rows.
        seconds: solving; features are counted once for all candidates of a base.
    """

    base: str
    strategy: str
    head: LinearHead
    valid: np.ndarray
    valid_score: float
    tried: tuple[Tried, ...]
    seconds: float
