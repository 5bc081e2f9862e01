"""Features once: every input's vectors from the cache, and only what is missing from the base."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.modalities import get as get_modality
from headstart.modalities.stream import threads
from headstart.modalities.types import Unreadable
from headstart.progress import Progress
from headstart.ragged import Ragged, offsets_of, scattered
from headstart.training.extracted import Extracted
from headstart.training.extraction import Extraction, Served


def extract(
    base: Base,
    inputs: Sequence[Any] | np.ndarray,
    *,
    classical: bool = False,
    served: Served | None = None,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> Extracted:
    """The base's features (and, where there are such, the baseline's classical ones) of ``inputs``.

    One decode of each input that is missing anywhere, one forward pass of each that the base has not seen; equal
    inputs count once. Unreadable inputs are set aside in ``rejected``.

    Args:
        base: the frozen base.
        inputs: n paths, PIL images, arrays or texts.
        classical: also give the classical features, where there are such.
        served: of a saved model: the precision of its features, what runs its base, and no need for a cache.
        progress: told how far it is.
        seconds: that it may take; None: as many as it needs.

    Raises:
        SettingError: it cannot be done in that time; what was computed is kept.
        BaseError: where the base is needed and cannot be loaded.
        OutputError: where the cache cannot be written, and the features are not ``served``.
    """
    start = time.perf_counter()
    keys, rejected = content_keys(inputs, base.modality)
    modality, count = get_modality(base.modality), len(keys)
    wanted = modality.classical if classical else None
    out = Extracted(
        blank(base, inputs, base.width, keys != ""),
        np.zeros((count, wanted.width), np.float32) if wanted else None,
        rejected,
        keys,
        read=np.zeros((count, 2), np.float32) if modality.long else None,
    )
    first = first_of_each(keys)
    until = None if seconds is None else start + seconds
    Extraction(base, inputs, out, first & (keys != ""), served=served, until=until).run(progress or Progress())
    _share(keys, first, out)
    out.vectors = without(out.vectors, out.kept)
    out.seconds = time.perf_counter() - start - out.loading - out.choosing
    return out


def blank(base: Base, inputs: Sequence[Any] | np.ndarray, width: int, readable: np.ndarray | None = None) -> Any:
    """Zeros in the form of the features of ``inputs`` [n] by ``base``: [n, width] float32, or ragged.

    Args:
        readable: [n] bool; other inputs have no items. None: all are.
    """
    counts = get_modality(base.modality).counts(inputs, base.spec)
    if counts is None:
        return np.zeros((len(inputs), width), np.float32)
    offsets = offsets_of(counts if readable is None else np.where(readable, counts, 0))
    return Ragged(np.zeros((offsets[-1], width), np.float32), offsets)


def without(vectors: Any, kept: np.ndarray) -> Any:
    """``vectors`` whose rows have items only where ``kept`` [n]; an array, whose other rows are zeros, as it is."""
    if not isinstance(vectors, Ragged) or not vectors.counts[~kept].any():
        return vectors
    return scattered(vectors[kept], kept)


def first_of_each(keys: np.ndarray) -> np.ndarray:
    """[n] bool: the first row of each of ``keys`` [n]."""
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    return first


def content_keys(inputs: Sequence[Any] | np.ndarray, modality: str) -> tuple[np.ndarray, dict[int, str]]:
    """Content hashes [n] str of ``inputs``, read on threads, and the rows that cannot be read with the reason."""
    room = get_modality(modality)

    def key(value: Any) -> str | Unreadable:
        try:
            return room.content_key(value)
        except Unreadable as error:
            return error

    with ThreadPoolExecutor(threads()) as pool:
        results = list(pool.map(key, inputs)) if room.files else [key(value) for value in inputs]
    rejected = {i: str(r) for i, r in enumerate(results) if isinstance(r, Unreadable)}
    return np.array(["" if isinstance(r, Unreadable) else r for r in results], dtype=object), rejected


def _share(keys: np.ndarray, first: np.ndarray, out: Extracted) -> None:
    """Give rows that repeat an input the vectors of its first row."""
    row_of = {key: i for i, key in zip(np.flatnonzero(first), keys[first], strict=True)}
    again = np.flatnonzero(~first & (keys != ""))
    out.vectors[again] = out.vectors[np.array([row_of[keys[i]] for i in again], int)]
    for i in again:
        if out.read is not None:
            out.read[i] = out.read[row_of[keys[i]]]
        if out.classical is not None:
            out.classical[i] = out.classical[row_of[keys[i]]]
