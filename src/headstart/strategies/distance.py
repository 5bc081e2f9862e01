"""How far data are from what a base was trained on, as the ladder weighs it; see `headstart.training.distance`."""

from __future__ import annotations

import sys

import numpy as np

from headstart.bases.base import Base
from headstart.modalities import get
from headstart.strategies.budget import Budget
from headstart.training.distance.fragmentation import fragmentation
from headstart.training.distance.own_answers import FAR, own_entropy
from headstart.training.distance.statistics import batch_norm_distance
from headstart.training.rows import TrainRows

_SOME = 1000  # rows looked at
_RUN = 64  # of which are run through the network again
#: Seconds of work of importing torch, which reading the base's own classifier takes; and of the network besides: its
#: library, its weights, and passing `_RUN` rows through it.
_TORCH, _NETWORK = 1.3, 2.5


def _loading() -> float:
    return _NETWORK + (0.0 if "torch" in sys.modules else _TORCH)


def distance(base: Base, rows: TrainRows, budget: Budget | None = None) -> tuple[float, str]:
    """0 (like the base's training data) to 1, and how it was measured; nan where it cannot be told.

    Pictures: how undecided the base's original classifier is. Texts: how many tokens the tokenizer needs for a word,
    beyond one. `plan.NEAR` and `FAR` were set on these two.

    Some classifiers are undecided about photos too (EfficientNet-Lite1 has 0.44 on insects, and 0.5 once they are
    noisy), so a base that remembers statistics of its inputs has to bear it out by those: else pictures are not taken
    to be farther than `FAR`. Nor are they where loading it would take half of what is left of the ``budget``; where
    reading the classifier would, nothing is measured.
    """
    index = np.linspace(0, len(rows) - 1, min(_SOME, len(rows))).astype(int)
    if get(base.modality).tokenised:
        found = fragmentation(base, [str(text) for text in rows.take(index).inputs])
        return found.value, found.how
    limited = budget is not None and budget.seconds is not None and "torch" not in sys.modules
    if budget and limited and not budget.allows(2 * budget.slower * _TORCH):
        return float("nan"), "not measured: reading the base's own classifier would take half of the time that is left"
    found = own_entropy(base, rows.vectors[index])
    if found.value > FAR and base.trainable and budget and not budget.allows(2 * budget.slower * _loading()):
        return FAR, f"{found.how}; no farther, as there is no time to bear it out by statistics of its inputs"
    if found.value > FAR and base.trainable:
        some = index[np.linspace(0, len(index) - 1, min(_RUN, len(index))).astype(int)]
        seen = batch_norm_distance(base, rows.take(some).inputs)
        if seen.told and not seen.warns:
            return FAR, f"{found.how}; no farther, as {seen.name} do not bear it out ({seen.value:.2f})"
    return found.value, found.how
