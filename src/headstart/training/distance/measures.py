"""Every measure that a base and its data allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.evaluation.shift import proxy_a_distance
from headstart.modalities import get
from headstart.training.distance.fragmentation import fragmentation
from headstart.training.distance.masked_tokens import masked_token_loss
from headstart.training.distance.measured import Distance, untold
from headstart.training.distance.own_answers import own_entropy
from headstart.training.distance.statistics import NAME as STATISTICS
from headstart.training.distance.statistics import batch_norm_distance

REFERENCE = "proxy A-distance"
_TELLS = "how well a classifier tells the data from the sample of what the base was trained on: 0 not at all, 2 always"
_RUN = 128  # inputs that a network is run on
_READ = 1000  # inputs whose features or tokens are looked at


def distances(
    base: Base,
    inputs: Sequence[Any] | np.ndarray,
    vectors: np.ndarray,
    *,
    reference: np.ndarray | None = None,
    seed: int = 0,
) -> tuple[Distance, ...]:
    """How far ``inputs`` are from what ``base`` was trained on, by every measure of their modality.

    None of them decides anything: data may be far and learnt all the same. Those that cannot be told say why.

    Args:
        inputs: n paths, PIL images, arrays or texts; 128 of them, evenly spread, are run through the network.
        vectors: [n, width], their features from the base.
        reference: [m, width], features of inputs like those that the base was trained on, where there are any.
        seed: of the tokens hidden and the folds of the classifier.

    Raises:
        BaseError: the checkpoint cannot be loaded safely.
        SettingError: features that do not fit together or are not finite.
    """
    some = [inputs[i] for i in _spread(len(inputs), _RUN)]
    if get(base.modality).tokenised:
        many = [str(inputs[i]) for i in _spread(len(inputs), _READ)]
        own = (fragmentation(base, many), masked_token_loss(base, [str(text) for text in some], seed))
    else:
        own = (own_entropy(base, vectors[_spread(len(vectors), _READ)]), _statistics(base, some))
    return (*own, _from_reference(reference, vectors, seed))


def unlike(found: Sequence[Distance]) -> str:
    """The clause that says by which measures the data are far; "" where none says so."""
    far = [f"{one.name} {one.value:.2f}, different from {one.far:g} on" for one in found if one.warns]
    return f"the data are different from the pretraining data ({'; '.join(far)})" if far else ""


def warning(found: Sequence[Distance]) -> str:
    """One sentence where a measure says that the data are far; "" where none does."""
    clause = unlike(found)
    if not clause:
        return ""
    return (
        f"{clause[0].upper()}{clause[1:]}: expect less from its frozen features, and compare it with the baselines "
        "before relying on it."
    )


def _statistics(base: Base, inputs: Sequence[Any]) -> Distance:
    if not base.trainable:
        return untold(STATISTICS, "the base is a graph that cannot be looked into")
    return batch_norm_distance(base, inputs)


def _spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` of ``count`` rows, evenly spread."""
    return np.linspace(0, count - 1, min(most, count)).astype(int)


def _from_reference(reference: np.ndarray | None, vectors: np.ndarray, seed: int) -> Distance:
    if reference is None:
        return untold(REFERENCE, "there is no sample of what the base was trained on")
    value = proxy_a_distance(reference, vectors, seed).value
    if np.isnan(value):
        return untold(REFERENCE, f"{min(len(reference), len(vectors))} rows of a side are too few")
    return Distance(REFERENCE, value, _TELLS)
