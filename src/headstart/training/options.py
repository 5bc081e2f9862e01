"""What a training run is told besides its recipe and its rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.modalities.types import Augmentation
from headstart.training.finished import Finished


@dataclass(frozen=True)
class TrainOptions:
    """How to train.

    Attributes:
        metric: that early stopping goes by.
        seed: of the order of rows, of dropout and of augmentation.
        batch: rows a step.
        augmentation: of training rows; None: none.
        views: augmented views of each row that are cached below the lowest thawed stage.
        cache_prefix: whether those stages' outputs are cached at all.
        mixup: strength (Zhang et al. 2018, their alpha); 0: none.
        balanced: weigh classes so that each counts the same.
        dropout: of the features before the head.
        weight_decay: of AdamW, on matrices.
        clip: greatest norm of the gradient.
        patience: looks without a better held-out score after which training stops.
        l2sp: strength of the pull back to the weights it started from (Li et al. 2018).
        replay: strength of the pull of retained inputs' features to what they were.
        seconds: that training may take; None: as many as it needs.
        keep: folder for checkpoints; None: none are kept.
        every: seconds between checkpoints.
        finished: where what this training comes to is noted, to be kept beyond its end; None: it is not.
        attempt: which try of the same training in one run this is, from 0: a longer one is not the one before.
    """

    metric: str
    seed: int = 0
    batch: int = 32
    augmentation: Augmentation | None = None
    views: int = 4
    cache_prefix: bool = True
    mixup: float = 0.0
    balanced: bool = False
    dropout: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    patience: int = 6
    l2sp: float = 0.0
    replay: float = 0.0
    seconds: float | None = None
    keep: Path | None = None
    every: float = 30.0
    finished: Finished | None = None
    attempt: int = 0

    def to_dict(self) -> dict[str, Any]:
        """What the result depends on, of JSON types: the key of the checkpoints."""
        left_out = {"seconds", "keep", "every", "finished", "augmentation", "cache_prefix"}
        left_out |= set() if self.attempt else {"attempt"}
        plain = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**plain, "augmentation": self.augmentation and self.augmentation.to_dict()}
