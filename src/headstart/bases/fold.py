"""BatchNorm folded into the convolution before it: the same function in fewer passes over memory."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batchnorm(network: nn.Module) -> nn.Module:
    """A copy of ``network`` (in eval mode) with each BatchNorm folded into the convolution registered just before it.

    Registration order is not dataflow, so a fold can be wrong in an unusual architecture; the caller must check
    the outputs against the original's (`headstart.bases.runtime` does).
    """
    folded = copy.deepcopy(network)
    _fold(folded)
    return folded


def _fold(module: nn.Module) -> None:
    before: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if before and isinstance(before[1], nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
            if before[1].out_channels == child.num_features:
                setattr(module, before[0], fuse_conv_bn_eval(before[1], child))
                setattr(module, name, _activation(child))
        else:
            _fold(child)
        before = (name, child)


def _activation(norm: nn.BatchNorm2d) -> nn.Module:
    """What a BatchNorm does besides normalising: timm's BatchNormAct2d drops and activates too."""
    after = [part for part in (getattr(norm, "drop", None), getattr(norm, "act", None)) if part is not None]
    return nn.Sequential(*after) if after else nn.Identity()
