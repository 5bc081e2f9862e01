"""A base for pictures of other channels or depth than it was trained on: its first layer adapted, values by levels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from headstart.bases.base import Base
from headstart.data.table import Fact
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec
from headstart.modalities.image.levels import Levels

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headstart.bases.network import Network


class ChannelsBase(Base):
    """An image ``base`` that takes ``channels`` instead of three, and lays values by ``levels``.

    The weights of its first convolution are those for red, green and blue, repeated and scaled by 3 / channels, as
    timm's `adapt_input_conv` does (Wightman 2019), and so are the means and deviations by which pixels are normalised
    (these not scaled). Name, source and licence stay the base's; the weights' hash is of both. With 3 channels only the
    levels are new. One-channel pictures need none of this: grey copied to three channels is what summing the weights
    over them gives.

    Args:
        base: of three channels.
        channels: 2 to 64.
        levels: values laid on 0 and 255: see `ImageSpec.levels`.
        facts: said of it before the work.

    Raises:
        SettingError: channels or levels that are not allowed.
        BaseError: the base takes other channels already.
    """

    spec: ImageSpec

    def __init__(self, base: Base, channels: int, levels: Levels = (), facts: tuple[Fact, ...] = ()) -> None:
        spec = cast(ImageSpec, base.spec)
        if spec.channels != 3:
            raise BaseError(
                f"base {base.identity.name!r} takes pictures of {spec.channels} channels, and the data have "
                f"{channels}; choose a base of three channels."
            )
        self.base, self.modality, self.width = base, base.modality, base.width
        self.trainable, self.facts, self.libraries = base.trainable, (*base.facts, *facts), base.libraries
        mean, std = (tuple(given[i % 3] for i in range(channels)) for given in (spec.mean, spec.std))
        self.spec = replace(spec, channels=channels, levels=levels, mean=mean, std=std)
        told = json.dumps([base.identity.weights, channels, levels])
        self.identity = replace(base.identity, weights=hashlib.sha256(told.encode()).hexdigest())

    def network(self) -> Network:
        """Load the base's weights and adapt the first layer.

        Raises:
            BaseError: see `Base.network`; or no convolution takes the pixels.
        """
        return self._adapted(self.base.network())

    def untrained(self) -> Network:
        """The base's, its first layer adapted alike."""
        return self._adapted(self.base.untrained())

    def _adapted(self, network: Network) -> Network:
        from headstart.bases.network import ImageNetwork

        if self.spec.channels != 3:
            adapt_first_layer(network, self.spec.channels, self.identity.name)
        return ImageNetwork(network.body, self.spec).eval()


def adapt_first_layer(network: Network, channels: int, name: str) -> None:
    """Have every convolution of ``network`` that takes the three colours take ``channels``, in place.

    Raises:
        BaseError: none does; ``name`` is the base's.
    """
    import torch
    from timm.models import adapt_input_conv

    first = _first_layers(network)
    if not first:
        raise BaseError(
            f"base {name!r} has no convolution that takes red, green and blue, so it cannot be adapted to {channels} "
            f"channels; choose another base, or reduce the pictures to three channels."
        )
    for path in first:
        layer: Any = network.get_submodule(path)
        layer.weight = torch.nn.Parameter(adapt_input_conv(channels, layer.weight.detach()).clone())
        layer.in_channels = channels
        _tell_owners(network, path, channels)


def _first_layers(network: Network) -> list[str]:
    """Dotted names of the convolutions that are given three channels, found by one pass of the network's example."""
    import torch
    from torch import nn

    found: list[str] = []

    def tell(name: str, given: torch.Tensor) -> None:
        if given.shape[1] == 3:
            found.append(name)

    with watching(network, nn.Conv2d, tell), torch.no_grad():
        network(*network.example())
    return [path for path in dict.fromkeys(found) if network.get_submodule(path).groups == 1]


@contextmanager
def watching(network: Network, kind: type[nn.Module], tell: Callable[[str, torch.Tensor], None]) -> Iterator[None]:
    """Within, ``tell(name, tensor)`` is called with what each module of ``kind`` is given first."""

    def hook(name: str) -> Any:
        def told(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            tell(name, inputs[0])

        return told

    hooks = [m.register_forward_pre_hook(hook(name)) for name, m in network.named_modules() if isinstance(m, kind)]
    try:
        yield
    finally:
        for one in hooks:
            one.remove()


def _tell_owners(network: Network, path: str, channels: int) -> None:
    """Modules around the layer that check the number of channels, as those of transformers do, are told the new one."""
    owner = path
    while owner:
        owner = owner.rpartition(".")[0]
        module: Any = network.get_submodule(owner)
        for name in ("num_channels", "in_chans"):
            if getattr(module, name, None) == 3:
                setattr(module, name, channels)
