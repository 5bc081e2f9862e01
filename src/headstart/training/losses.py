"""What training makes small, by task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

#: (scores [batch, outputs], targets) -> mean loss.
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def loss_for(task: str, y: np.ndarray, outputs: int, *, balanced: bool = False) -> Loss:
    """Cross entropy, binary cross entropy a label, or squared error in units of the variance of ``y``.

    Args:
        y: the training targets, as the task encodes them.
        balanced: weigh classes by the inverse of their number among ``y``; labels are never weighed.

    All are plain means over the rows, weighed or not, so that a batch may be taken in parts; the weights of the rows
    of ``y`` have the mean 1.

    Targets of a classification may be class numbers [batch] or probabilities [batch, outputs], as mixup makes them.
    """
    if task == "classification":
        weight = _weights(y, outputs) if balanced else None
        return lambda scores, truth: F.cross_entropy(
            scores, truth, None if weight is None else weight.to(scores), reduction="none"
        ).mean()
    if task == "multilabel":
        return lambda scores, truth: F.binary_cross_entropy_with_logits(scores, truth.to(scores))
    variance = float(np.var(y, axis=0).mean()) or 1.0
    return lambda scores, truth: F.mse_loss(scores, truth.to(scores)) / variance


def targets(y: np.ndarray, task: str) -> torch.Tensor:
    """``y`` as a tensor: class numbers int64, else float32."""
    return torch.from_numpy(np.asarray(y, dtype=np.int64 if task == "classification" else np.float32))


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
