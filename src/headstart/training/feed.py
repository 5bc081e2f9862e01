"""Training rows on their way to the base, as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from headstart.bases.base import Base
from headstart.modalities import get
from headstart.modalities.feed import Feed as Arrays
from headstart.modalities.types import Augmentation
from headstart.training.rows import TrainRows

Batch = tuple[torch.Tensor, ...]


class Feed:
    """What a modality's own feed (`headstart.modalities.feed`) gives, as tensors.

    Args:
        base: says how inputs are prepared.
        rows: what to feed.
        augmentation: None: rows as they are.
        seed: of order and augmentation.
    """

    def __init__(self, base: Base, rows: TrainRows, augmentation: Augmentation | None, seed: int) -> None:
        self.base, self.rows, self.augmentation, self.seed = base, rows, augmentation, seed
        self._arrays: Arrays = get(base.modality).feed(base, rows, augmentation, seed)

    @property
    def at_once(self) -> int:
        """See `headstart.modalities.feed.Feed`."""
        return self._arrays.at_once

    def order(self, epoch: int, batch: int) -> list[np.ndarray]:
        """See `headstart.modalities.feed.Feed.order`."""
        return self._arrays.order(epoch, batch)

    def relative_size(self) -> float:
        """See `headstart.modalities.feed.Feed.relative_size`."""
        return self._arrays.relative_size()

    def steady(self, batch: int) -> list[np.ndarray]:
        """See `headstart.modalities.feed.Feed.steady`."""
        return self._arrays.steady(batch)

    def sizes(self, batches: Sequence[np.ndarray]) -> list[float]:
        """See `headstart.modalities.feed.Feed.sizes`."""
        return self._arrays.sizes(batches)

    def in_parts(self, rows: int) -> float:
        """See `headstart.modalities.feed.Feed.in_parts`."""
        return self._arrays.in_parts(rows)

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[Batch]:
        """What the base takes for each of ``batches``; ``view`` seeds the augmentation, None means none."""
        for arrays in self._arrays.stream(batches, view):
            yield tuple(torch.from_numpy(array) for array in arrays)


def feed_for(base: Base, rows: TrainRows, augmentation: Augmentation | None, seed: int) -> Feed:
    """The feed of the base's modality."""
    return Feed(base, rows, augmentation, seed)
