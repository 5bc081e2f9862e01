"""Features once: every input's vectors from the cache, and only what is missing from the base."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import POOLED, Base
from headstart.bases.folder import TransformersTextBase
from headstart.bases.runtime import Choice, Run, build, choose, remembered
from headstart.modalities import get as get_modality
from headstart.modalities.image import CLASSICAL_VERSION, CLASSICAL_WIDTH, ImageSpec
from headstart.modalities.modality import Unreadable
from headstart.progress import Progress
from headstart.training.cache import FeatureCache, Space, prune, size_limit
from headstart.training.streams import Piece, Pieces, image_pieces, text_pieces, threads

_ROWS_PER_COMMIT = 256  # a killed run loses at most these


@dataclass
class Extracted:
    """The features of n inputs.

    Attributes:
        vectors: [n, width] float32 of the base; zeros in rejected rows.
        classical: [n, d] float32 for the control, or None.
        rejected: row -> reason.
        keys: [n] content hashes (hex); "" where the input could not even be read.
        choice: the runtime.
        computed: how many went through the base now.
        seconds: reading, decoding and the base's forward passes.
        loading: seconds spent importing libraries and loading weights; decoding goes on beside it.
        choosing: seconds spent measuring runtimes, the first time on a machine.
    """

    vectors: np.ndarray
    classical: np.ndarray | None
    rejected: dict[int, str]
    keys: np.ndarray
    choice: Choice
    computed: int = 0
    seconds: float = 0.0
    loading: float = 0.0
    choosing: float = 0.0

    @property
    def kept(self) -> np.ndarray:
        """[n] bool: the rows that were not rejected."""
        mask = np.ones(len(self.keys), dtype=bool)
        mask[list(self.rejected)] = False
        return mask


def content_keys(inputs: Sequence[Any] | np.ndarray, modality: str) -> tuple[np.ndarray, dict[int, str]]:
    """Content hashes [n] str of ``inputs``, read on threads, and the rows that cannot be read with the reason."""
    room = get_modality(modality)

    def key(value: Any) -> str | Unreadable:
        try:
            return room.content_key(value)
        except Unreadable as error:
            return error

    with ThreadPoolExecutor(threads()) as pool:
        results = list(pool.map(key, inputs)) if modality == "image" else [key(value) for value in inputs]
    rejected = {i: str(r) for i, r in enumerate(results) if isinstance(r, Unreadable)}
    return np.array(["" if isinstance(r, Unreadable) else r for r in results], dtype=object), rejected


@dataclass
class _Work:
    """The extraction under way: what is wanted of each row, and where results go."""

    keys: np.ndarray
    out: Extracted
    for_base: np.ndarray
    for_classical: np.ndarray
    pending: dict[str, tuple[list[str], list[np.ndarray]]] = field(default_factory=dict)


def extract(
    base: Base,
    inputs: Sequence[Any] | np.ndarray,
    *,
    classical: bool = False,
    progress: Progress | None = None,
) -> Extracted:
    """The base's features (and, for images, the control's classical ones) of ``inputs``.

    One decode of each input that is missing anywhere, one forward pass of each that the base has not seen; equal
    inputs count once. Unreadable inputs are set aside in ``rejected``.

    Raises:
        BaseError: where the base is needed and cannot be loaded.
        OutputError: where the cache cannot be written.
    """
    start = time.perf_counter()
    keys, rejected = content_keys(inputs, base.modality)
    classical = classical and base.modality == "image"
    readable = keys != ""
    width = CLASSICAL_WIDTH if classical else 0
    out = Extracted(
        np.zeros((len(keys), base.width), np.float32),
        np.zeros((len(keys), width), np.float32) if classical else None,
        rejected,
        keys,
        Choice(""),
    )
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    work = _Work(keys, out, first & readable, first & readable if classical else np.zeros(len(keys), dtype=bool))
    with ExitStack() as stack:
        _run(base, inputs, work, stack, progress or Progress())
    _share(keys, first, out)
    out.seconds = time.perf_counter() - start - out.loading - out.choosing
    return out


def space_of(base: Base, choice: Choice) -> Space:
    """The cache space of a base's pooled output under a runtime."""
    return Space(base.identity.name, base.identity.weights, POOLED, base.preprocessing(), choice.dtype, base.width)


def _classical_space(spec: ImageSpec) -> Space:
    """Classical features depend on the picture as decoded for the base, not on its weights."""
    return Space("classical", f"v{CLASSICAL_VERSION}", "classical", _json(spec), "float32", CLASSICAL_WIDTH)


def _json(spec: ImageSpec) -> str:
    shape = {key: value for key, value in spec.to_dict().items() if key not in ("mean", "std")}
    return json.dumps(shape, sort_keys=True)


def _run(base: Base, inputs: Sequence[Any] | np.ndarray, work: _Work, stack: ExitStack, progress: Progress) -> None:
    out = work.out
    caches: dict[str, FeatureCache] = {}
    if out.classical is not None:
        caches["classical"] = stack.enter_context(FeatureCache(_classical_space(cast(ImageSpec, base.spec))))
        work.for_classical &= ~_fill(caches["classical"], work.keys, out.classical)
    choice = remembered(base.identity)
    if choice:
        caches["base"] = stack.enter_context(FeatureCache(space_of(base, choice)))
        work.for_base &= ~_fill(caches["base"], work.keys, out.vectors)
        out.choice = choice
    if not (work.for_base | work.for_classical).any():
        return
    stream = _stream(base, inputs, work)  # decoding starts here, beside the loading of the base
    run: Run | None = None
    if work.for_base.any():
        run = _ready(base, stream, work)
        if not choice:
            caches["base"] = stack.enter_context(FeatureCache(space_of(base, out.choice)))
            work.for_base &= ~_fill(caches["base"], work.keys, out.vectors)
    try:
        _consume(stream, run, work, caches, progress)
    finally:
        stream.close()
    prune(size_limit(), keep=[cache.path for cache in caches.values()])


def _fill(cache: FeatureCache, keys: np.ndarray, into: np.ndarray) -> np.ndarray:
    """Copy what the cache has into ``into`` [n, width]; the mask of those rows."""
    readable = np.flatnonzero(keys != "")
    found, vectors = cache.get([str(key) for key in keys[readable]])
    mask = np.zeros(len(keys), dtype=bool)
    mask[readable] = found
    into[mask] = vectors[found]
    return mask


def _stream(base: Base, inputs: Sequence[Any] | np.ndarray, work: _Work) -> Pieces:
    def reject(row: int, reason: str) -> None:
        same = work.keys == work.keys[row]
        work.out.rejected.update({int(i): reason for i in np.flatnonzero(same)})

    if base.modality == "image":
        return image_pieces(inputs, cast(ImageSpec, base.spec), work.for_base.copy(), work.for_classical.copy(), reject)
    return text_pieces(inputs, cast(TransformersTextBase, base), np.flatnonzero(work.for_base), reject)


def _ready(base: Base, stream: Pieces, work: _Work) -> Run:
    """Load the base and its runtime, which is chosen on the stream's own inputs the first time on this machine."""
    start = time.perf_counter()
    keep_freed_memory()
    network = base.network()
    out = work.out
    out.loading = time.perf_counter() - start
    if out.choice.name:
        return build(out.choice, network)
    first = list(itertools.islice(stream, 1)) if base.modality == "image" else _middle(stream)
    stream.settle()
    start = time.perf_counter()
    sample = next((piece.batch for piece in first if piece.batch is not None), None)
    rows = 8 if base.modality == "image" else 32
    ready = tuple(a[:rows] for a in sample) if sample else tuple(t.numpy() for t in network.example())
    out.choice, run = choose(network, base.identity, ready)
    out.choosing = time.perf_counter() - start
    stream.put_back(first)
    return run


def _middle(stream: Pieces) -> list[Piece]:
    """All text pieces (token ids are small), one of middling length first."""
    pieces = list(stream)
    middle = len(pieces) // 2
    return pieces[middle:] + pieces[:middle]


def _consume(stream: Pieces, run: Run | None, work: _Work, caches: dict[str, FeatureCache], progress: Progress) -> None:
    out = work.out
    wanted = int((work.for_base | work.for_classical).sum())
    before = len(out.rejected)
    with progress.track("features", wanted) as track:
        try:
            for piece in stream:
                if piece.classical is not None and out.classical is not None:
                    out.classical[piece.rows] = piece.classical
                    _keep("classical", piece.rows, piece.classical, work, caches)
                needed = work.for_base[piece.rows]
                if run and piece.batch is not None and needed.any():
                    vectors = run(tuple(a[needed] for a in piece.batch))
                    out.vectors[piece.rows[needed]] = vectors
                    out.computed += int(needed.sum())
                    _keep("base", piece.rows[needed], vectors, work, caches)
                track.advance(len(piece.rows) + len(out.rejected) - before)
                before = len(out.rejected)
        finally:  # on Ctrl-C too: what was computed is kept
            for name, cache in caches.items():
                _commit(work, name, cache)


def _keep(name: str, rows: np.ndarray, vectors: np.ndarray, work: _Work, caches: dict[str, FeatureCache]) -> None:
    keys, kept = work.pending.setdefault(name, ([], []))
    keys.extend(work.keys[rows])
    kept.append(vectors)
    if len(keys) >= _ROWS_PER_COMMIT:
        _commit(work, name, caches[name])


def _commit(work: _Work, name: str, cache: FeatureCache) -> None:
    keys, kept = work.pending.pop(name, ([], []))
    if keys:
        cache.put(keys, np.concatenate(kept))


def _share(keys: np.ndarray, first: np.ndarray, out: Extracted) -> None:
    """Give rows that repeat an input the vectors of its first row."""
    row_of = {key: i for i, key in zip(np.flatnonzero(first), keys[first], strict=True)}
    for i in np.flatnonzero(~first & (keys != "")):
        out.vectors[i] = out.vectors[row_of[keys[i]]]
        if out.classical is not None:
            out.classical[i] = out.classical[row_of[keys[i]]]
