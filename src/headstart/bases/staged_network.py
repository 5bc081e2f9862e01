"""The outputs of all stages of a network side by side."""

from __future__ import annotations

import torch

from headstart.bases.network import Network
from headstart.bases.stages import Stages
from headstart.bases.windowed import over_windows


class StagedNetwork(Network):
    """Features of every stage, input side first.

    ``forward(*batch)``: what the network takes -> [batch, sum of parts] float32: each stage's output averaged over
    positions or tokens (`Stages.every`), as it is. A block whose average is the network's own output, as the last one's
    is under mean pooling, counts once.

    Attributes:
        parts: widths of the stages' outputs; the last is that of the network's own.

    Raises:
        SettingError: the stages' outputs cannot be averaged.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._stages = Stages(network)
        with torch.no_grad():
            *lower, last = self._stages.every(network.example())
        self._kept = [i for i, part in enumerate(lower) if part.shape != last.shape or not torch.allclose(part, last)]
        self.parts = (*(lower[i].shape[1] for i in self._kept), last.shape[1])

    def forward(self, *batch: torch.Tensor) -> torch.Tensor:
        """One forward pass of the network; of texts in windows, the mean over them."""
        return self._each(*batch) if len(batch) == 1 else over_windows(self._each, *batch)

    def _each(self, *batch: torch.Tensor) -> torch.Tensor:
        found = self._stages.every(batch)
        return torch.cat([*(found[i] for i in self._kept), found[-1]], dim=1)

    def example(self) -> tuple[torch.Tensor, ...]:
        """The network's."""
        inner: Network = self.body  # type: ignore[assignment]
        return inner.example()
