"""Checkpoints of a training run: safe files, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from headstart.files import moved_into_place
from headstart.training.finished import FILE as FINISHED
from headstart.training.position import Position

_FILE = "checkpoint.safetensors"
_MODEL, _BEST, _BACK, _OPTIMIZER = "model.", "best.", "back.", "optimizer."
_ANSWERS = "answers."

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Saved:
    """All that a run goes on from.

    Attributes:
        position: where it stands.
        model: the weights that moved, and all buffers.
        best: those of the best look; empty before the first.
        back: those that a divergence goes back to; may be ``best`` itself.
        answers: to the held-out rows, by name: of the best look, the last one, and crossed; empty before the first.
        moments: the optimiser's state; empty when given to `Checkpoints.save`.
    """

    position: Position
    model: Tensors
    best: Tensors
    back: Tensors
    answers: dict[str, np.ndarray]
    moments: Tensors = field(default_factory=dict)


class Checkpoints:
    """The newest checkpoint of one run in a folder of its own.

    The folder's name must hold all that the run depends on; a checkpoint that cannot be read is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, run: Saved, optimizer: torch.optim.Optimizer) -> None:
        """Keep everything needed to go on; the one before is replaced in one move."""
        from safetensors.torch import save_file

        parts = {_MODEL: run.model, _BEST: run.best, _OPTIMIZER: _flat(optimizer)}
        if run.back is not run.best:
            parts[_BACK] = run.back
        tensors = {f"{part}{name}": tensor for part, own in parts.items() for name, tensor in own.items()}
        tensors |= {f"{_ANSWERS}{name}": torch.from_numpy(one) for name, one in run.answers.items()}
        with moved_into_place(self.folder / _FILE) as aside:
            save_file(_apart(tensors), aside, {"position": json.dumps(run.position.to_dict())})

    def load(self) -> Saved | None:
        """The newest checkpoint; None where there is none."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.folder / _FILE, framework="pt") as file:
                position = Position.from_dict(json.loads(file.metadata()["position"]))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            return None
        model, best, back, moments = (_under(tensors, part) for part in (_MODEL, _BEST, _BACK, _OPTIMIZER))
        answers = {name: tensor.numpy() for name, tensor in _under(tensors, _ANSWERS).items()}
        return Saved(position, model, best, back or best, answers, moments)

    def clear(self) -> None:
        """Remove the checkpoint, once its run is done; what that came to stays."""
        with contextlib.suppress(OSError):
            for file in self.folder.iterdir():
                if file.name != FINISHED:
                    file.unlink()
            self.folder.rmdir()


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _apart(tensors: Tensors) -> Tensors:
    """On the CPU, each with memory of its own, as safetensors has them; only those that share it are copied."""
    found, seen = {}, set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        memory = own.untyped_storage().data_ptr()
        found[name] = own.clone() if memory in seen else own
        seen.add(memory)
    return found


def _flat(optimizer: torch.optim.Optimizer) -> Tensors:
    """AdamW's state by number of the parameter and name of the moment."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(value) for i, moments in state.items() for name, value in moments.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Lay a checkpoint's moments into a fresh ``optimizer`` over the same parameters.

    In the parameters' own memory layout: with another one the update would differ in the last digits.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        number, _, moment = name.partition(".")
        like = parameters[int(number)]
        laid_out = torch.empty_like(like, dtype=tensor.dtype).copy_(tensor) if tensor.shape == like.shape else tensor
        state.setdefault(int(number), {})[moment] = laid_out
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def tensors_of(model: nn.Module, names: set[str]) -> Tensors:
    """Copies of the named weights, and of all buffers, of ``model``."""
    state = model.state_dict()
    buffers = {name for name, _ in model.named_buffers()}
    return {name: tensor.detach().clone() for name, tensor in state.items() if name in names or name in buffers}


def lay_in(model: nn.Module, tensors: Tensors) -> None:
    """Copy ``tensors`` into ``model`` in place."""
    state = model.state_dict()
    with torch.no_grad():
        for name, tensor in tensors.items():
            state[name].copy_(tensor)
