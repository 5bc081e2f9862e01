"""Features of a network that was trained a moment ago: one pass over inputs, nothing cached."""

from __future__ import annotations

from typing import Any

import torch

from headstart.bases.base import Base
from headstart.bases.device import device
from headstart.bases.network import Network
from headstart.progress import Progress
from headstart.ragged import shaped
from headstart.training.features import blank
from headstart.training.feed import feed_for
from headstart.training.rows import TrainRows

_BATCH = 32


def pooled(base: Base, network: Network, rows: TrainRows, progress: Progress | None = None) -> Any:
    """[n, width] float32 by ``network``, whose inputs ``base`` prepares; in eval mode and float32.

    Ragged where the network gives a vector for each item of an input.
    """
    feed, where = feed_for(base, rows, None, 0), device()
    batches = feed.steady(_BATCH)
    network.to(where).eval()
    out = blank(base, rows.inputs, base.width)
    with torch.inference_mode(), (progress or Progress()).track("features", len(rows)) as track:
        for members, batch in zip(batches, feed.stream(batches, None), strict=True):
            found = network(*(tensor.to(where) for tensor in batch)).cpu().numpy()
            out[members] = shaped(found, out[members])
            track.advance(len(members))
    return out
