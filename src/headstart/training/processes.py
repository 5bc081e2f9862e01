"""Device, precision and processes: all that is asked of accelerate, which is its state and nothing else.

Not its `Accelerator`: precision and gradient accumulation of that are one for the whole process, so that a program that
has one of its own would change how a base is trained here, or be changed by it. Precision is left to `casting`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import Base
from headstart.bases.device import device
from headstart.bases.runtime import remembered

#: What launchers set for each of their processes.
_LAUNCHED = ("LOCAL_RANK", "RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")


class Processes:
    """The processes that train together: one, or as many as ``accelerate launch`` started.

    Attributes:
        device: of this process.
        dtype: that products are computed in.
        number, count: of this process, and how many there are.
    """

    def __init__(self, base: Base) -> None:
        keep_freed_memory()
        self.device: torch.device = device()
        self.number, self.count = 0, 1
        if torch.distributed.is_initialized() or any(name in os.environ for name in _LAUNCHED):
            from accelerate import PartialState

            state = PartialState(cpu=self.device.type == "cpu")
            self.number, self.count = state.process_index, state.num_processes
            self.device = state.device if self.count > 1 else self.device
        self.dtype = training_dtype(base, self.device)

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.number == 0

    @property
    def world(self) -> tuple[int, int]:
        """(number, count)."""
        return self.number, self.count

    def prepare(self, model: nn.Module) -> Any:
        """The model on the device, its gradients averaged over the processes."""
        model = model.to(self.device)
        if self.count == 1:
            return model
        own = None if self.device.type == "cpu" else [self.device]
        # A base may hold weights that its pooled features do not pass through.
        return DistributedDataParallel(model, device_ids=own, find_unused_parameters=True)

    def clip(self, model: Any, greatest: float) -> float:
        """Scale the gradient down to norm ``greatest``; its norm before."""
        moving = [p for p in model.parameters() if p.requires_grad]
        return float(torch.nn.utils.clip_grad_norm_(moving, greatest))

    @contextmanager
    def accumulating(self, model: Any, *, last: bool) -> Iterator[None]:
        """Gradients are shared between the processes only after the last part of a step."""
        if last or self.count == 1:
            yield
        else:
            with model.no_sync():
                yield

    def gather(self, pieces: list[Any]) -> list[Any]:
        """The pieces of all processes."""
        if self.count == 1:
            return pieces
        found: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(found, pieces)
        return [piece for own in found for piece in own]

    def total(self, value: float) -> float:
        """The sum of ``value`` over the processes."""
        if self.count == 1:
            return value
        summed = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(summed)
        return float(summed)

    def first_says(self, value: float) -> float:
        """``value`` as the first process has it, for decisions that all must take alike."""
        return float(self.gather([value])[0])

    def free(self) -> None:
        """Give cached device memory back."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()


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
