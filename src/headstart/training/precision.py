"""The precision to train in on this machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from headstart.bases.base import Base
from headstart.bases.runtime import remembered


def training_dtype(base: Base, device: torch.device) -> torch.dtype:
    """bfloat16 on accelerators that have it, and on a CPU where it ran this base clearly faster; else float32.

    Weights stay in float32; only the products are computed in the smaller type (Micikevicius et al. 2018).
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    choice = remembered(base) if device.type == "cpu" else None
    return torch.bfloat16 if choice and choice.half_pays else torch.float32


def casting(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[None]:
    """A context in which products are computed in ``dtype``."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)
