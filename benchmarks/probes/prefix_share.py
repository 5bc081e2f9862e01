"""Share of a forward pass that a prefix takes: python prefix_share.py MODALITY INPUTS.json STAGE.

STAGE is the name of the prefix's last stage. Eager float32 in eval mode, on one thread pool, as in training on a CPU.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.catalogue import open_base
from headstart.bases.stages import Stages
from headstart.modalities.image.modality import image_pieces
from headstart.modalities.text.modality import text_pieces

_ROUNDS = 5


def batch_of(modality: str, inputs: list[str]) -> tuple[torch.Tensor, ...]:
    """The first batch of ``inputs``, as the network takes it."""
    base: Any = open_base(None, modality)
    values = np.array(inputs, dtype=object)
    every, none = np.ones(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    if modality == "image":
        stream = image_pieces(values, base.spec, every, none, lambda row, reason: None)
    else:
        stream = text_pieces(values, base, np.flatnonzero(every), lambda row, reason: None)
    piece = next(iter(stream))
    stream.close()
    if piece.batch is None:
        sys.exit("the inputs made no batch.")
    return tuple(torch.from_numpy(array) for array in piece.batch)


def seconds(work: Callable[[], Any]) -> float:
    """Of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(modality: str, listing: Path, stage: str) -> dict[str, Any]:
    """The share, and which of how many stages it covers."""
    batch = batch_of(modality, json.loads(listing.read_text(encoding="utf-8")))
    keep_freed_memory()
    network = open_base(None, modality).network().eval()
    stages = Stages(network)
    k = [found.name for found in stages.stages].index(stage) + 1
    with torch.inference_mode():
        state = stages.prefix(batch, k)
        stages.suffix(state, k)
        # the rest itself, not the whole less the prefix: where little is left, noise in the prefix would be all of it
        pairs = [
            (seconds(lambda: stages.prefix(batch, k)), seconds(lambda: stages.suffix(state, k))) for _ in range(_ROUNDS)
        ]
    share = statistics.median(below / (below + rest) for below, rest in pairs)
    return {"share": share, "stages": k, "of": len(stages.stages)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
