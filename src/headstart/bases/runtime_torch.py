"""A base run by torch, on whatever device there is."""

from __future__ import annotations

import numpy as np
import torch

from headstart.bases.device import Batch, Run, device
from headstart.bases.fold import fold_batchnorm
from headstart.bases.network import Network


def torch_run(network: Network, *, folded: bool, half: bool) -> Run:
    """``network`` in eager mode, channels last.

    Args:
        folded: with each BatchNorm folded into the convolution before it.
        half: in bfloat16.
    """
    where = device()
    ready = fold_batchnorm(network) if folded else network
    ready = ready.to(where, torch.bfloat16 if half else torch.float32)
    ready.to(memory_format=torch.channels_last)

    def run(batch: Batch) -> np.ndarray:
        with torch.inference_mode():
            out: torch.Tensor = ready(*(torch.from_numpy(a).to(where) for a in batch))
        return out.cpu().numpy()

    return run
