"""Training rows on their way to the base: ordered, augmented, batched, ahead of the compute."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from headstart.modalities.types import Reads

_GROUPED = 50  # batches within which inputs are sorted by length


class Rows(Protocol):
    """What is fed: inputs, and their content keys."""

    @property
    def inputs(self) -> Any:
        """[n]."""

    @property
    def keys(self) -> Any:
        """[n] str."""

    def __len__(self) -> int: ...


class Feed(ABC):
    """Rows of one part, prepared for the base.

    Args:
        base: says how inputs are prepared.
        rows: what to feed.
        augmentation: None: rows as they are.
        seed: of order and augmentation.

    Attributes:
        at_once: padded length of the inputs that pass through a network together; 1 where all are of one size.
    """

    at_once: int = 1

    def __init__(self, base: Reads, rows: Rows, augmentation: Any, seed: int) -> None:
        self.base, self.rows, self.augmentation, self.seed = base, rows, augmentation, seed

    def order(self, epoch: int, batch: int) -> list[np.ndarray]:
        """The rows of each batch of an epoch: all, shuffled, in as few batches as can be, of nearly one size."""
        return even(np.random.default_rng((self.seed, epoch)).permutation(len(self.rows)), batch)

    def relative_size(self) -> float:
        """The size of all rows, that of the first of `steady` being 1."""
        return len(self.rows)

    def steady(self, batch: int) -> list[np.ndarray]:
        """The rows of each batch where order does not matter."""
        return [np.arange(i, min(i + batch, len(self.rows))) for i in range(0, len(self.rows), batch)]

    def sizes(self, batches: Sequence[np.ndarray]) -> list[float]:
        """What a row of each of ``batches`` takes, padding included."""
        return [1.0] * len(batches)

    def in_parts(self, rows: int) -> float:
        """The share of a step of ``rows`` of the longest inputs that passes through a network at once."""
        return 1.0

    @abstractmethod
    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """What the base takes for each of ``batches``; ``view`` seeds the augmentation, None means none."""

    def view_seed(self, row: int, view: int) -> int:
        """The seed of one row's augmentation: by content, so that the order of rows does not matter."""
        text = f"{self.seed} {view} {self.rows.keys[row]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class RaggedFeed(Feed):
    """Inputs of unlike length; batches are of inputs of like length, so that next to nothing is spent on padding.

    Attributes:
        lengths: [n] of the rows as they are, in windows one after another.
    """

    lengths: np.ndarray

    def order(self, epoch: int, batch: int) -> list[np.ndarray]:
        """Shuffled, then sorted by length within `_GROUPED` batches, whose order is shuffled again."""
        rng = np.random.default_rng((self.seed, epoch))
        shuffled = rng.permutation(len(self.rows))
        batches = []
        for start in range(0, len(shuffled), batch * _GROUPED):
            part = shuffled[start : start + batch * _GROUPED]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += even(part, batch)
        return [batches[i] for i in rng.permutation(len(batches))]

    def steady(self, batch: int) -> list[np.ndarray]:
        """By length, and no more at once than ``at_once``."""
        order = np.argsort(self.lengths, kind="stable")
        batches: list[list[int]] = []
        for row in order.tolist():  # the longest of its batch so far
            last = batches[-1] if batches else []
            if 0 < len(last) < batch and (len(last) + 1) * self.lengths[row] <= self.at_once:
                last.append(row)
            else:
                batches.append([row])
        return [np.array(rows) for rows in batches]

    def relative_size(self) -> float:
        """See `Feed.relative_size`; an input's size is its length."""
        return float(self.lengths.sum() / max(1, self.lengths.min()))

    def sizes(self, batches: Sequence[np.ndarray]) -> list[float]:
        """The greatest length in each."""
        return [float(self.lengths[rows].max()) for rows in batches]

    def in_parts(self, rows: int) -> float:
        """See `Feed.in_parts`."""
        return min(1.0, self.at_once / (float(self.lengths.max()) * rows))


def even(rows: np.ndarray, batch: int) -> list[np.ndarray]:
    """``rows`` in batches of at most ``batch``, none more than one row smaller than another."""
    return np.array_split(rows, -(-len(rows) // batch)) if len(rows) else []
