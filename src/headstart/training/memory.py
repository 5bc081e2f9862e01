"""What training holds in memory: tensors kept for the way back, copies of the weights, and the libraries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from headstart.files import write_atomically
from headstart.modalities import get

if TYPE_CHECKING:
    import torch
    from torch import nn

    from headstart.training.recipe import Recipe
    from headstart.training.speed import Speed

_FORMAT = 1


@dataclass
class Saved:
    """Bytes of the tensors that passes kept for their way back, the weights themselves left out."""

    bytes: int = 0


@contextmanager
def saved_bytes(model: nn.Module) -> Iterator[Saved]:
    """Count what forward passes within keep for the way back; a tensor that several operations keep counts once."""
    import torch

    saved = Saved()
    seen = {p.untyped_storage().data_ptr() for p in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in seen:
            seen.add(place)
            saved.bytes += tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield saved


@dataclass(frozen=True)
class Libraries:
    """What a fresh process has spent before it does anything.

    Attributes:
        light_seconds, light_bytes: with what a probe on cached features needs.
        seconds, bytes: with what training needs.
    """

    light_seconds: float
    light_bytes: int
    seconds: float
    bytes: int


_LIGHT = "headstart.cli", "headstart.flow.fit.fit", "sklearn.linear_model", "sklearn.feature_extraction.text"
# Linux counts the starting process's memory into ru_maxrss, VmHWM is the process's own.
_SCRIPT = """
import importlib, json, resource, sys, time
def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
told = []
for names in json.loads(sys.argv[1]):
    for name in names:
        importlib.import_module(name)
    told += [time.process_time(), peak()]
print(json.dumps(told))
"""


def libraries(modality: str) -> Libraries:
    """Measured in a fresh process, once for this machine and these versions: about the seconds that it tells."""
    from headstart.bases.runtime import machine_path

    file = machine_path(f".{modality}.libraries.json")
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values.pop("format") == _FORMAT:
            return Libraries(**values)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = _measured(modality)
    write_atomically(file, json.dumps({"format": _FORMAT, **asdict(found)}))
    return found


def _measured(modality: str) -> Libraries:
    names = json.dumps([_LIGHT, get(modality).libraries])
    command = [sys.executable, "-c", _SCRIPT, names]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return Libraries(told[0], int(told[1]), told[2], int(told[3]))


_NETWORKS = 4  # copies of all weights: the network, what it began with, and those that it is compared with
_MOVING = 6  # copies of what moves: gradient, AdamW's two, the best, the last look's, and those handed on
_CHECKPOINT = 12  # more of them while a checkpoint is written: five copied, and the file twice as it is put together
_KEPT = 1.25  # the allocator's share: room between tensors of unlike batches is not given back
_MEASURED = 16  # rows of the step that an accelerator's memory was measured on


def training_bytes(
    speed: Speed, recipe: Recipe, batch: int, found: Libraries, *, control: bool, checkpoints: bool
) -> int:
    """Bytes at the peak of a process that trains ``recipe`` in batches of ``batch``; an accelerator's own memory there.

    Args:
        found: what the libraries take.
        control: whether the same network is trained from random weights beside it: then all weights move.
        checkpoints: whether a run lasts so long that some are written.
    """
    if speed.memory:
        return speed.memory + max(0, batch - _MEASURED) * speed.saved
    moving = speed.weights if control else max((speed.moving(phase) for phase in recipe.phases), default=0)
    share = 1.0 if control else speed.share_saved(recipe)
    copies = _NETWORKS * speed.weights + (_MOVING + _CHECKPOINT * checkpoints) * moving
    return int(found.bytes + 4 * copies + _KEPT * batch * speed.saved * share)
