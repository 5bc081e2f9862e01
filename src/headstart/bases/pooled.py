"""An image model of transformers reduced to one vector a picture."""

from __future__ import annotations

import torch
from torch import nn


class Pooled(nn.Module):
    """Picture [batch, 3, height, width] -> [batch, width]: the class token, else the mean over positions.

    The model's own pooler is not used: many checkpoints lack its weights, and it would then be random.

    Attributes:
        interpolate: position embeddings are interpolated for pictures of another size than the model's.
    """

    interpolate = False

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the body and pool."""
        other = {"interpolate_pos_encoding": True} if self.interpolate else {}
        out = self.body(pixel_values=x, **other)
        hidden: torch.Tensor = out.last_hidden_state
        if hidden.ndim == 4:  # convolutional: [batch, width, height, width]
            return hidden.mean((2, 3))
        has_class_token = getattr(getattr(self.body, "embeddings", None), "cls_token", None) is not None
        return hidden[:, 0] if has_class_token else hidden.mean(1)
