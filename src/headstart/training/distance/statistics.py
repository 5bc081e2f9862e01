"""What BatchNorm layers remember of the training data, against the same numbers of other data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.base import Base
from headstart.modalities import get
from headstart.training.distance.measured import Distance, untold

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "BatchNorm statistics"
FAR = 2.0  # photos of ants and bees give 0.2, blood cells, spectrograms and digits 3.6 to 11 (docs/log.md, 31)


def batch_norm_distance(base: Base, inputs: Sequence[Any] | np.ndarray) -> Distance:
    """Jeffreys' divergence of what BatchNorm layers get from what they remember, a channel, in nats; 0 is alike.

    A BatchNorm layer keeps mean m0 and variance v0 of each of its channels over the training data. With m and v those
    of ``inputs`` (over pictures and places, the network in eval mode), both with the layer's epsilon added to the
    variance, as the layer does:

        D = KL(N(m, v) | N(m0, v0)) + KL(N(m0, v0) | N(m, v)) = 1/2 [(v + (m - m0)²) / v0 + (v0 + (m - m0)²) / v - 2]

    meaned over channels, then over layers. Schneider et al. 2020 (arXiv:2006.16971) measure shifts by such statistics;
    Yin et al. 2020 (DeepInversion, arXiv:1912.08795) draw the training data back from them. A channel that hardly
    varies in the data counts much, which is what tells plain drawings from photos.

    Args:
        inputs: pictures as the base's modality takes them; some 100 are enough. Unreadable ones are left out.

    Raises:
        BaseError: the checkpoint cannot be loaded safely.
    """
    from headstart.bases.device import device

    network = base.network().to(device()).eval()
    seen = {layer: _Moments() for layer in _layers(network)}
    if not seen:
        return untold(NAME, "the base has no BatchNorm")
    hooks = [layer.register_forward_pre_hook(_watch(moments)) for layer, moments in seen.items()]
    _run(network, base, inputs)
    for hook in hooks:
        hook.remove()
    values = [_divergence(layer, moments) for layer, moments in seen.items() if moments.count]
    if not values:
        return untold(NAME, "no picture can be read")
    how = f"how unlike those of its training data the statistics of the base's {len(values)} BatchNorm layers are"
    return Distance(NAME, float(np.mean(values)), how, FAR)


def _layers(network: nn.Module) -> list[nn.Module]:
    """The layers that remember statistics."""
    from torch.nn.modules.batchnorm import _BatchNorm

    return [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_var is not None]


class _Moments:
    """Count, sum and sum of squares [channels], float64, of all that a layer was given."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Any = 0.0
        self.squares: Any = 0.0

    def add(self, x: torch.Tensor) -> None:
        """``x`` [batch, channels, …]; variance before sum of squares, as float32 squares of large means cancel."""
        import torch

        places = [axis for axis in range(x.ndim) if axis != 1]
        count = x.numel() // x.shape[1]
        variance, mean = (v.cpu().double() for v in torch.var_mean(x.float(), places, correction=0))
        self.count += count
        self.total = self.total + count * mean
        self.squares = self.squares + count * (variance + mean**2)


def _watch(moments: _Moments) -> Any:
    def look(layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        moments.add(given[0])

    return look


def _run(network: nn.Module, base: Base, inputs: Sequence[Any] | np.ndarray) -> None:
    import torch

    from headstart.bases.device import device

    every, none = np.ones(len(inputs), bool), np.zeros(len(inputs), bool)
    stream = get(base.modality).stream(inputs, base, every, none, lambda row, reason: None)
    with closing(stream), torch.inference_mode():
        for piece in stream:
            if piece.batch is not None:
                network(*(torch.from_numpy(one).to(device()) for one in piece.batch))


def _divergence(layer: Any, moments: _Moments) -> float:
    m = moments.total / moments.count
    v = (moments.squares / moments.count - m**2).clamp(min=0) + layer.eps
    m0, v0 = layer.running_mean.cpu().double(), layer.running_var.cpu().double() + layer.eps
    apart = (m - m0) ** 2
    return float((0.5 * ((v + apart) / v0 + (v0 + apart) / v - 2)).mean())
