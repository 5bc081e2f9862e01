"""How far data are from what a base was trained on, as the ladder weighs it; see `headstart.training.distance`."""

from __future__ import annotations

import numpy as np

from headstart.bases.base import Base
from headstart.training.distance.fragmentation import fragmentation
from headstart.training.distance.own_answers import own_entropy
from headstart.training.rows import TrainRows

_SOME = 1000  # rows looked at


def distance(base: Base, rows: TrainRows) -> tuple[float, str]:
    """0 (like the base's training data) to 1, and how it was measured; nan where it cannot be told.

    Pictures: how undecided the base's original classifier is. Texts: how many tokens the tokenizer needs for a word,
    beyond one. `plan.NEAR` and `plan.FAR` were set on these two.
    """
    index = np.linspace(0, len(rows) - 1, min(_SOME, len(rows))).astype(int)
    if base.modality == "text":
        found = fragmentation(base, [str(text) for text in rows.take(index).inputs])
    else:
        found = own_entropy(base, rows.vectors[index])
    return found.value, found.how
