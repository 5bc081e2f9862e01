"""Device, precision and processes: all that is asked of accelerate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import Base
from headstart.bases.device import device
from headstart.training.precision import training_dtype


class Processes:
    """The processes that train together: one, or as many as ``accelerate launch`` started.

    Attributes:
        device: of this process.
        dtype: that products are computed in.
        number, count: of this process, and how many there are.
    """

    def __init__(self, base: Base) -> None:
        from accelerate import Accelerator, DistributedDataParallelKwargs

        keep_freed_memory()
        where = device()
        # A base may hold weights that its pooled features do not pass through.
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        # Precision is left to `casting`: accelerate's would be one for the whole process, whatever the base.
        self._accelerator = Accelerator(cpu=where.type == "cpu", mixed_precision="no", kwargs_handlers=[unused])
        self.device: torch.device = where if self._accelerator.num_processes == 1 else self._accelerator.device
        self.dtype = training_dtype(base, self.device)
        self.number, self.count = self._accelerator.process_index, self._accelerator.num_processes

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.number == 0

    @property
    def world(self) -> tuple[int, int]:
        """(number, count)."""
        return self.number, self.count

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[Any, Any]:
        """Both on the device, gradients shared between the processes."""
        if self.count == 1:
            return model.to(self.device), optimizer
        prepared: tuple[Any, Any] = self._accelerator.prepare(model, optimizer)
        return prepared

    def unwrap(self, model: Any) -> Any:
        """The model itself."""
        return self._accelerator.unwrap_model(model) if self.count > 1 else model

    def backward(self, loss: torch.Tensor) -> None:
        """Gradients of ``loss``."""
        self._accelerator.backward(loss)

    def clip(self, model: Any, greatest: float) -> float:
        """Scale the gradient down to norm ``greatest``; its norm before."""
        moving = [p for p in model.parameters() if p.requires_grad]
        return float(self._accelerator.clip_grad_norm_(moving, greatest))

    @contextmanager
    def accumulating(self, model: Any, *, last: bool) -> Iterator[None]:
        """Gradients are shared between the processes only after the last part of a step."""
        if last or self.count == 1:
            yield
        else:
            with self._accelerator.no_sync(model):
                yield

    def gather(self, pieces: list[Any]) -> list[Any]:
        """The pieces of all processes."""
        from accelerate.utils import gather_object

        return pieces if self.count == 1 else list(gather_object(pieces))

    def mean(self, value: float) -> float:
        """The mean of ``value`` over the processes."""
        return value if self.count == 1 else float(np.mean(self.gather([value])))

    def first_says(self, value: float) -> float:
        """``value`` as the first process has it, for decisions that all must take alike."""
        return float(self.gather([value])[0])

    def free(self) -> None:
        """Give cached device memory back."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()

    def wait(self) -> None:
        """Until all processes are here."""
        self._accelerator.wait_for_everyone()
