"""Batches of texts that are read in windows: [batch, windows, tokens], windows that a text lacks being all padding."""

from __future__ import annotations

from collections.abc import Callable

import torch


def over_windows(
    run: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], ids: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Features [batch, width]: of texts in windows the mean of what ``run`` gives for them, a window a row.

    Args:
        run: from ids and mask, both [rows, tokens], to features [rows, width].
        ids, mask: both [batch, tokens], and ``run`` gives what comes; or both [batch, windows, tokens].
    """
    if ids.ndim == 2:
        return run(ids, mask)
    inputs = ids, mask
    found = spread(run(gathered(ids, inputs), gathered(mask, inputs)), inputs)  # [batch, windows, width]
    return found.sum(1) / _there(mask).sum(1, keepdim=True).clamp(min=1)  # a text may have no tokens


def gathered(values: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """``values`` [batch, windows, ...] of the windows that are there, [rows, ...]; as they are without windows.

    Args:
        inputs: what the network takes besides: ids and mask, both [batch, windows, tokens], or anything else.
    """
    return values[_there(inputs[1])] if _in_windows(inputs) else values


def spread(rows: torch.Tensor, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The inverse of `gathered`, zeros elsewhere."""
    if not _in_windows(inputs):
        return rows
    values = rows.new_zeros((*inputs[1].shape[:2], *rows.shape[1:]))
    return values.index_put((_there(inputs[1]),), rows)


def _in_windows(inputs: tuple[torch.Tensor, ...]) -> bool:
    return len(inputs) == 2 and inputs[1].ndim == 3


def _there(mask: torch.Tensor) -> torch.Tensor:
    """[batch, windows] bool: the windows that hold something."""
    return mask.any(-1)
