"""Training rows on their way to the base: ordered, augmented, batched, ahead of the compute."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import cast

import numpy as np
import torch

from headstart.bases.base import Base
from headstart.modalities import get as get_modality
from headstart.modalities.image import ImageSpec
from headstart.modalities.image_augment import ImageAugmentation, augmented
from headstart.modalities.text_augment import TextAugmentation, augmented_text
from headstart.training.options import Augmentation
from headstart.training.rows import TrainRows
from headstart.training.streams import Ahead, window
from headstart.training.tokens import TOKENS_AT_ONCE, TokenIds, Tokens

_GROUPED = 50  # batches within which texts are sorted by length

Batch = tuple[torch.Tensor, ...]


class Feed(ABC):
    """Rows of one part, prepared for the base.

    Args:
        base: says how inputs are prepared.
        rows: what to feed.
        augmentation: None: rows as they are.
        seed: of order and augmentation.
    """

    def __init__(self, base: Base, rows: TrainRows, augmentation: Augmentation | None, seed: int) -> None:
        self.base, self.rows, self.augmentation, self.seed = base, rows, augmentation, seed

    def order(self, epoch: int, batch: int) -> list[np.ndarray]:
        """The rows of each batch of an epoch: all, shuffled, in as few batches as can be, of nearly one size."""
        return _even(np.random.default_rng((self.seed, epoch)).permutation(len(self.rows)), batch)

    def relative_size(self) -> float:
        """The size of all rows, that of the first of `steady` being 1."""
        return len(self.rows)

    def steady(self, batch: int) -> list[np.ndarray]:
        """The rows of each batch where order does not matter."""
        return [np.arange(i, min(i + batch, len(self.rows))) for i in range(0, len(self.rows), batch)]

    @abstractmethod
    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[Batch]:
        """What the base takes for each of ``batches``; ``view`` seeds the augmentation, None means none."""

    def view_seed(self, row: int, view: int) -> int:
        """The seed of one row's augmentation: by content, so that the order of rows does not matter."""
        text = f"{self.seed} {view} {self.rows.keys[row]}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


class ImageFeed(Feed):
    """Pictures, decoded on threads ahead of the compute."""

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[Batch]:
        """Pixels [batch, size, size, channels] uint8."""
        modality, spec = get_modality("image"), cast(ImageSpec, self.base.spec)
        how = cast(ImageAugmentation, self.augmentation)

        def pixels(row: int) -> np.ndarray:
            value = self.rows.inputs[row]
            if view is None or how is None:
                return cast(np.ndarray, modality.decode(value, spec))
            return augmented(value, spec, how, self.view_seed(row, view))

        ahead = Ahead(pixels, [int(row) for rows in batches for row in rows], window(spec))
        try:
            for rows in batches:
                yield (torch.from_numpy(np.stack([next(ahead)[1] for _ in rows])),)
        finally:
            ahead.close()


class TextFeed(Feed):
    """Texts as token ids; batches are of texts of like length, so that next to nothing is spent on padding."""

    def __init__(self, base: Base, rows: TrainRows, augmentation: Augmentation | None, seed: int) -> None:
        super().__init__(base, rows, augmentation, seed)
        self._tokens = Tokens(base)
        self._clean = self._tokens.ids([str(text) for text in rows.inputs])
        self.lengths = self._clean.sizes
        self._view: tuple[int, TokenIds] | None = None

    def order(self, epoch: int, batch: int) -> list[np.ndarray]:
        """Shuffled, then sorted by length within `_GROUPED` batches, whose order is shuffled again."""
        rng = np.random.default_rng((self.seed, epoch))
        shuffled = rng.permutation(len(self.rows))
        batches = []
        for start in range(0, len(shuffled), batch * _GROUPED):
            part = shuffled[start : start + batch * _GROUPED]
            part = part[np.argsort(self.lengths[part], kind="stable")]
            batches += _even(part, batch)
        return [batches[i] for i in rng.permutation(len(batches))]

    def steady(self, batch: int) -> list[np.ndarray]:
        """By length, and no more at once than `TOKENS_AT_ONCE`."""
        order = np.argsort(self.lengths, kind="stable")
        batches: list[list[int]] = []
        for row in order.tolist():  # the longest of its batch so far
            last = batches[-1] if batches else []
            if 0 < len(last) < batch and (len(last) + 1) * self.lengths[row] <= TOKENS_AT_ONCE:
                last.append(row)
            else:
                batches.append([row])
        return [np.array(rows) for rows in batches]

    def relative_size(self) -> float:
        """See `Feed.relative_size`; a text's size is its length."""
        return float(self.lengths.sum() / max(1, self.lengths.min()))

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[Batch]:
        """Ids and mask, both [batch, longest] int64, or [batch, windows, longest] where a text is read in windows."""
        tokens = self._of_view(view)
        for rows in batches:
            ids, mask = self._tokens.padded([tokens[row] for row in rows])
            yield torch.from_numpy(ids), torch.from_numpy(mask)

    def _of_view(self, view: int | None) -> TokenIds:
        if view is None or self.augmentation is None:
            return self._clean
        if self._view is None or self._view[0] != view:
            how = cast(TextAugmentation, self.augmentation)
            texts = [
                augmented_text(str(text), how, self.view_seed(row, view)) for row, text in enumerate(self.rows.inputs)
            ]
            self._view = view, self._tokens.ids(texts)
        return self._view[1]


def _even(rows: np.ndarray, batch: int) -> list[np.ndarray]:
    """``rows`` in batches of at most ``batch``, none more than one row smaller than another."""
    return np.array_split(rows, -(-len(rows) // batch)) if len(rows) else []


def feed_for(base: Base, rows: TrainRows, augmentation: Augmentation | None, seed: int) -> Feed:
    """The feed of the base's modality."""
    return (ImageFeed if base.modality == "image" else TextFeed)(base, rows, augmentation, seed)
