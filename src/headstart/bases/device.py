"""The device to compute on, and what goes through it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import SettingError

if TYPE_CHECKING:
    import torch

#: Arrays whose first axis is the example; a `Run` makes features [batch, width] float32 of them.
Batch = tuple[np.ndarray, ...]
Run = Callable[[Batch], np.ndarray]


def device_name() -> str:
    """The device named by HEADSTART_DEVICE, or "auto"."""
    return os.environ.get("HEADSTART_DEVICE", "").strip() or "auto"


def device() -> torch.device:
    """The device to compute on: HEADSTART_DEVICE, else CUDA, MPS, CPU in that order.

    Raises:
        SettingError: HEADSTART_DEVICE names none, or one that this machine lacks.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = device_name()
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    kind = name.partition(":")[0]
    if not there.get(kind):
        have = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise SettingError(f"HEADSTART_DEVICE is {name!r}; this machine has {have} (auto takes the first).")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise SettingError(f"HEADSTART_DEVICE is {name!r}; write it as auto, cpu, cuda, cuda:0 or mps.") from error
