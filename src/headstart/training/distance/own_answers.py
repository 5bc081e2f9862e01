"""How undecided a base's original classifier is."""

from __future__ import annotations

import numpy as np

from headstart.bases.base import Base
from headstart.bases.own_head import own_head
from headstart.tasks import Classification
from headstart.training.distance.measured import Distance, untold

NAME = "own classifier's entropy"
#: From here on data are taken to be far from what the base knows; the ladder goes by it too.
FAR = 0.5


def own_entropy(base: Base, vectors: np.ndarray) -> Distance:
    """The mean entropy of the original classifier's answers over that of knowing nothing: 0 (sure) to 1.

        H = -1/n Σ_i Σ_c p_ic log p_ic / log(classes)

    A classifier is less sure of inputs unlike those it was trained on (Hendrycks & Gimpel 2017, arXiv:1610.02136,
    who use the largest probability).

    Args:
        vectors: [n, width], the base's features of the data.

    Raises:
        BaseError: the checkpoint cannot be loaded safely.
    """
    head = own_head(base)
    if head is None:
        return untold(NAME, "the base has no classifier of its own")
    weight, bias = head
    p = Classification.probabilities(vectors @ weight + bias)
    entropy = -(p * np.log(np.maximum(p, 1e-12))).sum(1).mean() / np.log(p.shape[1])
    return Distance(NAME, float(entropy), "how undecided the base's own classifier is about the pictures", FAR)
