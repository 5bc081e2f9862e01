"""Batches for one phase: from the inputs, or from the cached prefix where nothing below some stage moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from headstart.bases.stages import State
from headstart.progress import Progress
from headstart.training.feed import Batch, Feed
from headstart.training.prefix import PrefixFeed
from headstart.training.trainee import Trainee


class Taken(NamedTuple):
    """One batch, or this process's share of it.

    Attributes:
        rows: [b] int, numbers of the rows.
        batch: prepared inputs, or states above the cut.
    """

    rows: np.ndarray
    batch: Batch | State


_CLEAN_BATCH = 32  # rows a forward pass without gradients


class Supply:
    """Batches of one part's rows.

    Args:
        feed: of the rows.
        trainee: its stages below ``cut`` give the states.
        cut: 0: batches are prepared inputs; else states above this cut.
        weights: hash of the frozen weights, or None: states are computed anew each time.
        views: augmented views of a row; None: every epoch has its own.
        world: (number, count) of the processes that share the rows of a batch.
    """

    def __init__(
        self,
        feed: Feed,
        trainee: Trainee,
        cut: int,
        weights: str | None,
        views: int | None,
        where: torch.device,
        dtype: torch.dtype,
        world: tuple[int, int] = (0, 1),
    ) -> None:
        self.feed, self.cut, self.views, self._where, self._world = feed, cut, views, where, world
        self.prefix = (
            PrefixFeed(feed, trainee, cut, weights, views or 1, where, dtype, world) if cut and weights else None
        )
        if self.prefix and not self.prefix.fits():
            self.prefix = None

    def batches(self, batch: int) -> int:
        """How many an epoch has, of at most ``batch`` rows."""
        return -(-len(self.feed.rows) // batch)

    def epoch(self, epoch: int, batch: int, start: int, progress: Progress) -> Iterator[Taken]:
        """The batches of an epoch from number ``start`` on; this process's share of each."""
        batches = self.feed.order(epoch, batch)[start:]
        number, count = self._world
        shares = [rows[number::count] if len(rows) >= count else rows for rows in batches]
        view = None if self.feed.augmentation is None else epoch % self.views if self.views else epoch
        return map(Taken, shares, self._stream(shares, view, progress))

    def clean(self, progress: Progress) -> Iterator[Taken]:
        """All rows as they are, once, in any order."""
        number, count = self._world
        batches = self.feed.steady(_CLEAN_BATCH)[number::count]
        return map(Taken, batches, self._stream(batches, None, progress))

    def _stream(self, batches: list[np.ndarray], view: int | None, progress: Progress) -> Iterator[Batch | State]:
        if self.prefix:
            yield from self.prefix.stream(batches, view, progress)
            return
        for batch in self.feed.stream(batches, view):
            yield tuple(tensor.to(self._where) for tensor in batch)
