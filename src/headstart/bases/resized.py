"""A base for pictures of another size than it was trained on: position embeddings interpolated, convolutions as is."""

from __future__ import annotations

import copy
import hashlib
import inspect
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from headstart.bases.base import Base
from headstart.data.table import Fact
from headstart.errors import BaseError, SettingError
from headstart.modalities.image import ImageSpec

if TYPE_CHECKING:
    from torch import nn

    from headstart.bases.network import Network

LEAST, MOST = 16, 2048  # pixels a side
_STEP = 32  # sizes tried to name those that a base can take
# How timm and transformers call absolute position embeddings: [1, tokens, width], [tokens, width] or [1, h, w, width].
_POSITIONS = ("pos_embed", "position_embeddings", "position_embedding.weight", "position_embeddings.weight")


class ResizedBase(Base):
    """An image ``base`` that takes pictures of ``size`` pixels a side.

    Position embeddings are interpolated, bicubically: timm's by its own `set_input_size`, those of transformers by its
    ``interpolate_pos_encoding``. What is left of a picture by the resize before the crop stays in proportion. Name,
    source and licence stay the base's; the weights' hash is of both.

    Raises:
        SettingError: a size that is no picture's, or the base takes no pictures.
    """

    spec: ImageSpec

    def __init__(self, base: Base, size: int) -> None:
        if not base.spec.side:
            raise SettingError(
                f"size {size} was asked for, but base {base.identity.name!r} takes no pictures; drop it."
            )
        if not LEAST <= size <= MOST:
            raise SettingError(f"size is {size}; it is a picture's side, from {LEAST} to {MOST} pixels.")
        spec = cast(ImageSpec, base.spec)
        self.base, self.modality, self.width = base, base.modality, base.width
        self.trainable, self.facts, self.libraries = base.trainable, base.facts, base.libraries
        self.spec = replace(spec, size=size, resize=max(size, round(spec.resize * size / spec.size)))
        told = f"{base.identity.weights} size {size}"
        self.identity = replace(base.identity, weights=hashlib.sha256(told.encode()).hexdigest())
        self._loaded: Network | None = None

    def network(self) -> Network:
        """Load the base's weights and make them take the size; tried with one pass.

        Raises:
            BaseError: see `Base.network`; or the base cannot take the size: which it can is said.
        """
        loaded, self._loaded = self._loaded, None
        return loaded or self._resized(self.base.network())

    def untrained(self) -> Network:
        """The base's, made to take the size alike."""
        return self._resized(self.base.untrained())

    def tried(self) -> ResizedBase:
        """The same, known to take the size, with a fact that says what was done for it.

        Raises:
            BaseError: it cannot take the size.
        """
        network = self.base.network()
        how = _how(network, self.spec.size)
        self._loaded = self._resized(network)
        size = f"{self.spec.size} rather than {cast(ImageSpec, self.base.spec).size} pixels a side"
        self.facts = (*self.base.facts, Fact("size", size, f"asked for; {how}"))
        return self

    def _resized(self, network: Network) -> Network:
        name, size = self.identity.name, self.spec.size
        patch = _patch(network)
        if size % patch:
            below = size // patch * patch
            fitting = " or ".join(str(side) for side in (below, below + patch) if LEAST <= side <= MOST)
            raise BaseError(
                f"size {size} is no multiple of {patch}, the side in pixels of the patches that base {name!r} cuts "
                f"pictures into; take {fitting}."
            )
        try:
            return _at(network, self.spec, self.width)
        except Exception as error:  # an architecture may fail in any way at a size that it was not made for
            sizes = ", ".join(str(side) for side in self._possible())
            raise BaseError(
                f"base {name!r} cannot take pictures of {size} pixels a side ({_words(error)}); it takes {sizes}."
            ) from error

    def _possible(self) -> list[int]:
        """The base's own size and those of two multiples of 32 on either side of the asked one that work."""
        own, near = cast(ImageSpec, self.base.spec).size, self.spec.size // _STEP
        sides = {(near + step) * _STEP for step in (-1, 0, 1, 2)} - {own, self.spec.size}
        network, works = self.base.network(), [own]
        for side in sorted(side for side in sides if LEAST <= side <= MOST):
            try:
                _at(copy.deepcopy(network), replace(self.spec, size=side, resize=side), self.width)
            except Exception:  # see above
                continue
            works.append(side)
        return sorted(works)


def _at(network: Network, spec: ImageSpec, width: int) -> Network:
    """``network`` made to take the size of ``spec``, in place, and tried."""
    import torch

    from headstart.bases.network import ImageNetwork

    body: Any = network.body
    if _can_be_set(body):
        body.set_input_size(img_size=(spec.size, spec.size))
    elif _interpolates(body):
        body.interpolate = True
    ready = ImageNetwork(body, spec).eval()
    with torch.no_grad():
        found = ready(*ready.example())
    if found.shape[1] != width:
        raise ValueError(f"it gives {found.shape[1]} features, not {width}")
    return ready


def _can_be_set(body: Any) -> bool:
    """Whether it is timm's and its size can be changed."""
    return callable(getattr(body, "set_input_size", None))


def _interpolates(body: nn.Module) -> bool:
    """Whether it is a model of transformers that interpolates its position embeddings where told to."""
    from headstart.bases.pooled import Pooled

    return isinstance(body, Pooled) and "interpolate_pos_encoding" in inspect.signature(body.body.forward).parameters


def _patch(network: Network) -> int:
    """Side in pixels of the patches that the first convolution cuts a picture into; 1 where it does not."""
    from torch import nn

    first = next((m for m in network.modules() if isinstance(m, nn.Conv2d)), None)
    if first is None or first.kernel_size != first.stride or first.padding not in ((0, 0), "valid"):
        return 1
    return int(first.stride[0])


def _how(network: Network, size: int) -> str:
    """What is done to ``network`` for it to take ``size``."""
    named = (tensor for name, tensor in network.named_parameters() if name.endswith(_POSITIONS))
    positions = next((tensor for tensor in named if tensor.ndim > 1), None)
    if positions is not None:
        tokens = positions.shape[0 if positions.ndim == 2 else 1]
        before = math.isqrt(tokens) if positions.ndim < 4 else tokens  # a class token makes it no greater
        after = size // _patch(network)
        return f"position embeddings interpolated from {before}×{before} to {after}×{after}"
    return "its windows are resized" if _can_be_set(network.body) else "its layers take any size"


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
