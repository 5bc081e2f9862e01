"""Batches of inputs that are read in windows: [batch, windows, …], windows that an input lacks being all padding."""

from __future__ import annotations

from collections.abc import Callable

import torch


def over_windows(
    run: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], values: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Features [batch, width]: of inputs in windows the mean of what ``run`` gives for them, a window a row.

    Args:
        run: from values [rows, length, ...] and mask [rows, length] to features [rows, width].
        values, mask: [batch, length, ...] (token ids, frames, samples or states) and [batch, length], and ``run`` gives
            what comes; or [batch, windows, length, ...] and [batch, windows, length].
    """
    if mask.ndim == 2:
        return run(values, mask)
    found = spread(run(gathered(values, mask), gathered(mask, mask)), mask)  # [batch, windows, width]
    return found.sum(1) / _there(mask).sum(1, keepdim=True).clamp(min=1)  # a text may have no tokens


def gathered(values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """``values`` [batch, windows, ...] of the windows that are there, [rows, ...]; as they are without windows.

    Args:
        mask: [batch, windows, length]; [batch, length] or None: no windows.
    """
    return values[_there(mask)] if mask is not None and mask.ndim == 3 else values


def spread(rows: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The inverse of `gathered`, zeros elsewhere."""
    if mask is None or mask.ndim != 3:
        return rows
    values = rows.new_zeros((*mask.shape[:2], *rows.shape[1:]))
    return values.index_put((_there(mask),), rows)


def _there(mask: torch.Tensor) -> torch.Tensor:
    """[batch, windows] bool: the windows that hold something."""
    return mask.any(-1)
