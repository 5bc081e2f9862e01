"""Learning rates: by stage, and over the steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from headstart.training.phase import Phase


def factor(step: int, total: int, warmup: float) -> float:
    """Share of the greatest rate at ``step`` of ``total``: a linear rise, then half a cosine down to 0.

    As in Loshchilov & Hutter (2017), without restarts.
    """
    rising = max(1, round(warmup * total))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, total - rising)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def groups(
    head: Sequence[nn.Parameter],
    body: Mapping[int, Sequence[nn.Parameter]],
    phase: Phase,
    weight_decay: float,
    body_decay: float,
) -> list[dict[str, Any]]:
    """AdamW's parameter groups: ``rate`` is each group's greatest learning rate.

    Args:
        head: the head's parameters.
        body: trained parameters by depth: 0 the top stage, 1 the one below …
        weight_decay, body_decay: of the head's and the base's matrices.

    Vectors (biases, scales of normalisation layers) are not decayed, as is usual since BERT's training code.
    """
    made = []
    top = phase.rate * phase.body
    rates = [(phase.rate, weight_decay, head), *((top * phase.decay**d, body_decay, body[d]) for d in sorted(body))]
    for rate, decay, parameters in rates:
        for decayed in (True, False):
            members = [p for p in parameters if (p.ndim > 1) == decayed]
            if members:
                made.append({"params": members, "rate": rate, "weight_decay": decay if decayed else 0.0})
    return made
