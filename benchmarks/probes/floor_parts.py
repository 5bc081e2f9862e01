"""The parts of the floor, each timed alone: python floor_parts.py SOURCE…, with HEADSTART_CACHE of an earlier fit."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.runtime import Measured, build, remembered
from headstart.data.source import open_source
from headstart.modalities.image.modality import image_pieces
from headstart.modalities.text.modality import text_pieces
from headstart.settings import SourceSettings


def decoded(base: Base, inputs: np.ndarray) -> tuple[list[tuple[np.ndarray, ...]], float]:
    """Batches of every readable input, and the seconds from files to batches."""
    every, none = np.ones(len(inputs), dtype=bool), np.zeros(len(inputs), dtype=bool)
    spec: Any = base.spec
    text_base: Any = base
    start = time.perf_counter()
    if base.modality == "image":
        stream = image_pieces(inputs, spec, every, none, lambda row, reason: None)
    else:
        stream = text_pieces(inputs, text_base, np.flatnonzero(every), lambda row, reason: None)
    batches = [piece.batch for piece in stream if piece.batch is not None]
    seconds = time.perf_counter() - start
    stream.close()
    return batches, seconds


def forward(base: Base, measured: Measured, batches: list[tuple[np.ndarray, ...]]) -> float:
    """Seconds for one pass of all ``batches``, after a warm-up."""
    run = build(measured.name, base, None)
    run(batches[0])
    start = time.perf_counter()
    for batch in batches:
        run(batch)
    return time.perf_counter() - start


def main(sources: list[str]) -> dict[str, Any]:
    """Seconds of decoding and of the quickest runtime's forward pass."""
    tables = [open_source(source, SourceSettings()).table for source in sources]
    inputs = np.concatenate([table.inputs for table in tables])
    base = open_base(None, tables[0].modality)
    choice = remembered(base)
    if choice is None:
        sys.exit("the cache knows no runtimes for this base: fit once with the same HEADSTART_CACHE first.")
    keep_freed_memory()
    decoded(base, inputs[:16])  # imports the decoders
    batches, seconds = decoded(base, inputs)
    quickest = sorted((m for m in choice.usable if m.dtype == choice.dtype), key=lambda measured: -measured.rate)[:2]
    passes = {measured.name: forward(base, measured, batches) for measured in quickest}
    best = min(passes, key=passes.__getitem__)
    return {
        "decode": seconds,
        "forward": passes[best],
        "runtime": best,
        "count": sum(len(batch[0]) for batch in batches),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
