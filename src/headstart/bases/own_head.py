"""A base's original classifier, to tell whether an adapted base still gives the answers the base gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.bases.base import Base
from headstart.bases.channels import ChannelsBase
from headstart.bases.embedded import EfficientNetLite
from headstart.bases.resized import ResizedBase
from headstart.bases.timm_base import TimmBase

if TYPE_CHECKING:
    import torch

Head = tuple[np.ndarray, np.ndarray]

_TOLERANCE = 1e-3  # of the logits' spread: far above float32's noise, far below another head's difference


def own_head(base: Base) -> Head | None:
    """The classifier that ``base`` was trained with: weight [width, classes] and bias [classes], float32.

    Original logits are ``features @ weight + bias``, for pooled features [n, width]. None where the checkpoint has
    no classifier, or none that is one matrix on the pooled features; for folders of timm that is tried out on
    random pixels with the whole model.

    Raises:
        BaseError: the checkpoint cannot be loaded safely; see `Base.network`.
    """
    while isinstance(base, ChannelsBase | ResizedBase):  # other inputs, the same features
        base = base.base
    if isinstance(base, EfficientNetLite):
        return _lite_head(base)
    return _timm_head(base) if isinstance(base, TimmBase) else None


def _lite_head(base: EfficientNetLite) -> Head:
    import torch

    state = torch.load(base.file, map_location="cpu", weights_only=True)
    return _head(state["_fc.weight"], state["_fc.bias"])


def _timm_head(base: TimmBase) -> Head | None:
    import torch

    features = base.network().body  # refuses what is damaged or does not fit
    state = base.state()
    name = _classifier(base, features)
    weight = state.get(f"{name}.weight")
    if weight is None or weight.ndim != 2:
        return None
    head = _head(weight, state.get(f"{name}.bias", torch.zeros(len(weight))))
    return head if _gives_the_logits(head, base, features, state) else None


def _head(weight: torch.Tensor, bias: torch.Tensor) -> Head:
    """From a linear layer's [classes, width] and [classes]."""
    return np.ascontiguousarray(weight.detach().float().numpy().T), bias.detach().float().numpy()


def _classifier(base: TimmBase, features: torch.nn.Module) -> str | None:
    """The classifier's name in the model, as the folder or else timm says; None where there are several."""
    given = base.config.get("pretrained_cfg", {}).get("classifier")
    name = given or getattr(features, "pretrained_cfg", {}).get("classifier")
    return name if isinstance(name, str) else None


def _gives_the_logits(head: Head, base: TimmBase, features: torch.nn.Module, state: dict[str, torch.Tensor]) -> bool:
    """Whether ``head`` on the output of ``features`` is the whole model's output."""
    import torch

    whole = base.body(len(head[1])).eval()
    try:
        whole.load_state_dict(state)
    except RuntimeError:  # the file's tensors are not this model's: its head is of another kind
        return False
    pixels = torch.randn(2, 3, base.spec.size, base.spec.size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, pooled = whole(pixels).numpy(), features(pixels).numpy()
    if pooled.shape[1] != len(head[0]) or expected.shape != (len(pooled), len(head[1])):
        return False
    return bool(np.abs(pooled @ head[0] + head[1] - expected).max() <= _TOLERANCE * expected.std())
