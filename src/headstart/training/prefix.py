"""The cached prefix: what the frozen stages below the lowest thawed one give, computed once and kept on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from headstart.bases.stages import State
from headstart.modalities import get
from headstart.progress import Progress
from headstart.training.cache import FeatureCache, Space
from headstart.training.cache_use import size_limit
from headstart.training.extraction import bound
from headstart.training.features import first_of_each
from headstart.training.feed import Batch, Feed
from headstart.training.processes import casting
from headstart.training.trainee import Trainee

_BATCH = 16  # rows a forward pass; the states of one batch are written at once
_SHARE = 0.5  # of the cache's limit that one prefix may take
_TAGS = {torch.float32: b"f", torch.bfloat16: b"b"}
_DTYPES = {tag[0]: dtype for dtype, tag in _TAGS.items()}


class PrefixFeed:
    """A feed whose batches are the states above ``cut``, in place of the inputs.

    Args:
        feed: of the same rows.
        trainee: whose stages below ``cut`` are frozen.
        cut: stages computed once.
        weights: hash of the frozen weights: part of the cache's key.
        views: how many augmented views of each row are kept; an epoch takes view ``epoch % views``.
        where, dtype: device and precision of the pass.
        world: (number, count) of the processes that fill the cache together.
    """

    def __init__(
        self,
        feed: Feed,
        trainee: Trainee,
        cut: int,
        weights: str,
        views: int,
        where: torch.device,
        dtype: torch.dtype,
        world: tuple[int, int] = (0, 1),
    ) -> None:
        self.feed, self.trainee, self.cut, self.views = feed, trainee, cut, views
        self._weights, self._where, self._dtype, self._world = weights, where, dtype, world

    def space(self, view: int | None) -> Space:
        """Where one view's states are kept."""
        feed = self.feed
        how = feed.augmentation.to_dict() if feed.augmentation and view is not None else None
        keys = {"inputs": json.loads(feed.base.preprocessing()), "augmentation": how}
        if how:
            keys["view"] = [feed.seed, view]
        name = self.trainee.stages.stages[self.cut - 1].name
        preprocessing, dtype = json.dumps(keys, sort_keys=True), str(self._dtype).removeprefix("torch.")
        base, stage = feed.base, f"up to {name}"
        return Space(base.identity.name, self._weights, stage, preprocessing, dtype, 0, base.computed_by())

    def fits(self) -> bool:
        """Whether all views' states take at most half of what the cache may hold."""
        state = self._states(next(self.feed.stream(self.feed.steady(1)[:1], None)))
        size = state.hidden.element_size() * state.hidden.numel() * self.feed.relative_size()
        return size * (self.views if self.feed.augmentation else 1) <= _SHARE * size_limit()

    def stream(self, batches: list[np.ndarray], view: int | None, progress: Progress | None = None) -> Iterator[State]:
        """The states of each of ``batches``, in the training device's memory."""
        self._fill(view, progress or Progress())
        inputs = self.feed.stream(batches, view) if get(self.feed.base.modality).masked else iter([()] * len(batches))
        with FeatureCache(self.space(view)) as cache:
            for rows, batch in zip(batches, inputs, strict=True):
                kept = self._blobs(cache, rows, view)
                tensors = self.trainee.stages.beside(tuple(tensor.to(self._where) for tensor in batch))
                yield State(self._stacked([kept[str(self.feed.rows.keys[row])] for row in rows], tensors), tensors)

    def _blobs(self, cache: FeatureCache, rows: np.ndarray, view: int | None) -> dict[str, bytes | memoryview]:
        """The states of ``rows`` by key; those that are gone from the cache since they were computed, again.

        Another process trims the same file to its own needs, prunes it away, or it is damaged.
        """
        keys = self.feed.rows.keys
        kept: dict[str, bytes | memoryview] = {**cache.blobs([str(keys[row]) for row in rows])}
        gone = np.array([row for row in rows if str(keys[row]) not in kept], dtype=int)
        if len(gone):
            (batch,) = self.feed.stream([gone], view)
            kept |= self._keep(cache, gone, batch)
        return kept

    def _keep(self, cache: FeatureCache, rows: np.ndarray, batch: Batch) -> dict[str, bytes | memoryview]:
        """Compute the states of ``rows``, whose inputs are ``batch``, and keep them."""
        keys, blobs = [str(self.feed.rows.keys[row]) for row in rows], _packed(self._states(batch))
        cache.put_blobs(keys, blobs)
        return dict(zip(keys, blobs, strict=True))

    def _fill(self, view: int | None, progress: Progress) -> None:
        """Compute what the cache lacks of one view: this process's share, then what the others have not come to."""
        number, count = self._world
        with FeatureCache(self.space(view)) as cache:
            if count > 1:
                self._compute(cache, self._missing(cache)[number::count], view, progress)
            missing = self._missing(cache)
            self._compute(cache, missing, view, progress)
            if missing:
                bound([cache], size_limit(), keep=[str(key) for key in self.feed.rows.keys])

    def _missing(self, cache: FeatureCache) -> list[np.ndarray]:
        """Batches of the rows whose states are not cached, of equal rows the first."""
        keys = self.feed.rows.keys
        missing = ~cache.holds([str(key) for key in keys])
        missing[np.flatnonzero(missing)] = first_of_each(keys[missing])
        return [kept for b in self.feed.steady(_BATCH) if len(kept := b[missing[b]])]

    def _compute(self, cache: FeatureCache, batches: list[np.ndarray], view: int | None, progress: Progress) -> None:
        if not batches:
            return
        with progress.track("features of the frozen stages", sum(len(b) for b in batches)) as track:
            for members, batch in zip(batches, self.feed.stream(batches, view), strict=True):
                self._keep(cache, members, batch)
                track.advance(len(members))

    def _states(self, batch: Batch) -> State:
        self.trainee.eval()
        with torch.no_grad(), casting(self._where, self._dtype):
            return self.trainee.stages.prefix(tuple(tensor.to(self._where) for tensor in batch), self.cut)

    def _stacked(self, blobs: Sequence[bytes | memoryview], inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """States of one shape, or of as many positions as ``inputs`` have, zeros standing for padding."""
        hidden = [_unpacked(blob) for blob in blobs]
        if inputs:
            mask = inputs[-1].bool()
            there = torch.cat(hidden).to(self._where)  # [positions, width]
            padded = there.new_zeros((*mask.shape, there.shape[1]))
            padded[mask] = there
            return padded
        stacked = torch.stack(hidden).to(self._where)
        return stacked.contiguous(memory_format=torch.channels_last) if stacked.ndim == 4 else stacked


def _packed(state: State) -> list[bytes]:
    """Each row's state as bytes: dtype, number of axes, shape, values; padding left out."""
    hidden = state.hidden.to("cpu").contiguous()
    masks = [None] * len(hidden) if state.mask is None else list(state.mask.to("cpu").bool())
    packed = []
    for row, mask in zip(hidden, masks, strict=True):
        kept = row if mask is None else row[mask]
        raw = kept.contiguous().view(torch.int16 if kept.dtype == torch.bfloat16 else torch.int32).numpy()
        header = _TAGS[kept.dtype] + np.array([kept.ndim, *kept.shape], dtype="<i4").tobytes()
        packed.append(header + raw.tobytes())
    return packed


def _unpacked(blob: bytes | memoryview) -> torch.Tensor:
    dtype = _DTYPES[blob[0]]
    axes = int(np.frombuffer(blob, "<i4", 1, 1)[0])
    shape = np.frombuffer(blob, "<i4", axes, 5).tolist()
    raw = np.frombuffer(blob, "<i2" if dtype == torch.bfloat16 else "<i4", offset=5 + 4 * axes).reshape(shape)
    return torch.from_numpy(raw.copy()).view(dtype)
