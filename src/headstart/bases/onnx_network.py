"""An ONNX graph where a torch module is asked for: run by ONNX Runtime on the CPU, without parameters or gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from headstart.bases.device import Batch, Run
from headstart.bases.network import Network


class GraphBody(nn.Module):
    """Normalised pictures [batch, 3, height, width] -> features [batch, width] float32, on the device of the pictures.

    Args:
        run: the same for arrays.
    """

    def __init__(self, run: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__()
        self._run = run

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the graph."""
        return torch.from_numpy(self._run(x.detach().cpu().numpy())).to(x.device)


class OnnxNetwork(Network):
    """A graph that takes texts.

    ``forward(ids, mask)``: both [batch, tokens] int64 -> [batch, width] float32, on their device.
    """

    def __init__(self, run: Run, example: Batch) -> None:
        super().__init__(nn.Identity())
        self._run, self._example = run, example

    def forward(self, *batch: torch.Tensor) -> torch.Tensor:
        """Run the graph."""
        found = self._run(tuple(tensor.detach().cpu().numpy() for tensor in batch))
        return torch.from_numpy(found).to(batch[0].device)

    def example(self) -> tuple[torch.Tensor, ...]:
        """Two texts."""
        return tuple(torch.from_numpy(array) for array in self._example)
