"""The tensors within what modules take and give: tuples, lists and dictionaries of tensors and other things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def mapped(value: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    """``value`` with every tensor replaced by ``change(tensor)``, in order; all else as it is."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(mapped(part, change) for part in value)
    if type(value) is dict:
        return {key: mapped(part, change) for key, part in value.items()}
    return value


def first_tensor(value: Any) -> torch.Tensor | None:
    """The first tensor in ``value``; None where there is none."""
    found: list[torch.Tensor] = []
    mapped(value, found.append)
    return found[0] if found else None


def with_first(value: Any, tensor: torch.Tensor) -> Any:
    """``value`` with ``tensor`` in the place of its first tensor."""
    waiting = [tensor]
    return mapped(value, lambda old: waiting.pop() if waiting else old)


def shapes(value: Any) -> Any:
    """``value`` with every tensor replaced by one of the meta device: shape and dtype without the numbers."""
    return mapped(value, lambda t: torch.empty_like(t, device="meta"))
