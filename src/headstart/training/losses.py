"""What training makes small, by task."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional as F

from headstart.ragged import flat
from headstart.tasks import posed

#: (scores [batch, outputs], targets) -> the loss summed, and what it is summed over: how much the rows count for.
#: The mean of any rows, in however many parts and processes, is the sum of their sums over the sum of their weights: a
#: loss per token has as much weight as there are tokens, and parts of as many rows may have unlike weights.
Summed = tuple[torch.Tensor, torch.Tensor | float]


class Loss(Protocol):
    """See above; a row's loss is multiplied by its own weight among ``weights`` [batch], where there are some."""

    def __call__(self, scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor | None = None) -> Summed:
        """Of one batch."""


def loss_for(task: str, y: Any, outputs: int, *, balanced: bool = False) -> Loss:
    """Cross entropy a row, binary cross entropy a label, or squared error a value, of standardised targets.

    Of a task whose rows have several items, the loss that each item has: scores, targets and weights are then of items.

    Args:
        y: the training targets, as the task encodes them; may be ragged.
        balanced: weigh classes by the inverse of their number among ``y``; labels are never weighed. The weights of
            the rows of ``y`` have the mean 1, and a batch counts for as much as it has rows, weighed or not.

    Targets of a classification may be class numbers [batch] or probabilities [batch, outputs], as mixup makes them.
    """
    kind = posed(task)
    if kind.exclusive:
        weight = _weights(flat(y), outputs) if balanced else None
        return lambda scores, truth, weights=None: _summed(
            F.cross_entropy(scores, truth, None if weight is None else weight.to(scores), reduction="none"), weights
        )
    each = F.binary_cross_entropy_with_logits if kind.graded else F.mse_loss
    return lambda scores, truth, weights=None: _summed(each(scores, truth.to(scores), reduction="none"), weights)


def _summed(losses: torch.Tensor, weights: torch.Tensor | None) -> tuple[torch.Tensor, float]:
    count = float(losses.numel())
    if weights is not None:
        losses = losses * weights.to(losses).reshape(-1, *[1] * (losses.ndim - 1))
    return losses.sum(), count


def targets(y: Any, task: str) -> torch.Tensor:
    """``y`` as a tensor: class numbers int64, else float32; those of a regression standardised; of items one by one."""
    return torch.from_numpy(np.asarray(flat(y), dtype=posed(task).target_type))


def mixed(truth: torch.Tensor, partner: torch.Tensor, share: float, outputs: int) -> torch.Tensor:
    """Targets of inputs mixed with ``share`` of themselves and the rest of ``partner`` (Zhang et al. 2018)."""
    if truth.ndim == 1:
        truth, partner = (F.one_hot(t, outputs).to(torch.float32) for t in (truth, partner))
    return share * truth + (1 - share) * partner


def _weights(y: np.ndarray, outputs: int) -> torch.Tensor:
    counts = np.bincount(y, minlength=outputs)
    present = counts > 0
    weights = np.where(present, len(y) / (present.sum() * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights.astype(np.float32))
