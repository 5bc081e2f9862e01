"""Starting a network's own forward pass at a boundary between stages, and stopping it at one.

The forward code is the model's own, so masks, rotary positions and all it prepares for its layers are too. Hooks and
replaced forwards are taken back whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch

from headstart.bases.nested import first_tensor, mapped, with_first
from headstart.bases.network import Network
from headstart.bases.stage_finding import Unit

Forward = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Boundary:
    """Where the tensor between two stages is seen: the first one a module takes or gives, in its ``call``-th call."""

    module: str
    side: Literal["input", "output"]
    call: int


class _Reached(Exception):
    """Ends a forward pass at a boundary, with the tensor found there."""

    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__()
        self.tensor = tensor


@contextmanager
def watched(network: Network, boundary: Boundary, see: Callable[[torch.Tensor], torch.Tensor | None]) -> Iterator[None]:
    """Within, a forward pass shows ``see`` the tensor at ``boundary``; a tensor that ``see`` gives takes its place."""
    calls = 0

    def hook(value: Any) -> Any:
        nonlocal calls
        calls += 1
        tensor = first_tensor(value) if calls == boundary.call else None
        instead = None if tensor is None else see(tensor)
        return None if instead is None else with_first(value, instead)

    module = network.get_submodule(boundary.module)
    if boundary.side == "input":
        handle = module.register_forward_pre_hook(lambda _, args, kwargs: hook((args, kwargs)), with_kwargs=True)
    else:
        handle = module.register_forward_hook(lambda _, args, output: hook(output))
    try:
        yield
    finally:
        handle.remove()


def stop_at(network: Network, boundary: Boundary, forward: Forward) -> torch.Tensor:
    """Run ``forward`` as far as ``boundary``; the tensor there."""

    def stop(tensor: torch.Tensor) -> None:
        raise _Reached(tensor)

    try:
        with watched(network, boundary, stop):
            forward()
    except _Reached as reached:
        return reached.tensor
    raise RuntimeError(f"the forward pass did not come to the {boundary.side} of {boundary.module}")


@contextmanager
def started_at(
    network: Network, boundary: Boundary, hidden: torch.Tensor, below: Iterable[Unit], frozen: Iterable[str]
) -> Iterator[None]:
    """Within, a forward pass does no work in the units ``below`` and goes on from ``hidden`` at ``boundary``.

    Args:
        below: units that stand still until the boundary is reached; called again after it, they work.
        frozen: names of parameters that get no gradient.
    """
    passed = False

    def enter(_: torch.Tensor) -> torch.Tensor:
        nonlocal passed
        passed = True
        return hidden

    with ExitStack() as undo:
        for unit in below:
            undo.enter_context(_idle(network, unit, hidden, lambda: passed))
        undo.enter_context(_frozen(network, frozen))
        undo.enter_context(watched(network, boundary, enter))
        yield


@contextmanager
def _idle(network: Network, unit: Unit, hidden: torch.Tensor, passed: Callable[[], bool]) -> Iterator[None]:
    """Within, ``unit`` gives something of the right form until ``passed()``.

    For pictures that is zeros of the shape seen, which take no memory; for texts, whose length varies, its own input.
    """
    module = network.get_submodule(unit.name)
    real, own = module.forward, module.__dict__.get("forward")

    def zeros(spot: torch.Tensor) -> torch.Tensor:
        dtype = hidden.dtype if spot.is_floating_point() else spot.dtype
        shape = [len(hidden), *spot.shape[1:]]
        return torch.zeros((), dtype=dtype, device=hidden.device).expand(shape)

    def forward(*args: Any, **kwargs: Any) -> Any:
        if passed():
            return real(*args, **kwargs)
        return mapped(unit.gives, zeros if network.fixed else lambda _: first_tensor((args, kwargs)))

    module.__dict__["forward"] = forward
    try:
        yield
    finally:
        if own is None:
            del module.__dict__["forward"]
        else:
            module.__dict__["forward"] = own


@contextmanager
def _frozen(network: Network, names: Iterable[str]) -> Iterator[None]:
    """Within, the named parameters ask for no gradient: what later stages share with earlier ones stays fixed too."""
    thawed = [p for p in map(network.get_parameter, names) if p.requires_grad]
    for parameter in thawed:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in thawed:
            parameter.requires_grad_(True)
