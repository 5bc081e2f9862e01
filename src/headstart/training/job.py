"""What to train, and what came of it: plain values, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.bases.base import Base
from headstart.bases.changes import Changes
from headstart.cachedir import cache_root
from headstart.evaluation.diagnosis import CurvePoint
from headstart.heads.linear import LinearHead
from headstart.ragged import Ragged
from headstart.training.options import TrainOptions
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows


def training_root() -> Path:
    """The folder of checkpoints."""
    return cache_root() / "training"


@dataclass(frozen=True)
class Job:
    """What to train.

    Attributes:
        base: to start from.
        recipe: how.
        task, outputs: of the head.
        train: rows to train on.
        held: rows to stop by, or None: train to the end of the schedule.
        head: to start from; None for a head of zeros.
        start: changes to the base that an earlier run made, to start from.
        retained: rows whose features are to stay, or None.
    """

    base: Base
    recipe: Recipe
    task: str
    outputs: int
    train: TrainRows
    held: TrainRows | None
    head: LinearHead | None
    options: TrainOptions
    start: Changes | None = None
    retained: TrainRows | None = None


@dataclass(frozen=True)
class Trained:
    """What a run came to.

    Attributes:
        changes: what differs from the base.
        head: on the changed base's pooled features.
        held: [n_held, outputs] probabilities of the held-out rows, none by a look that it helped to choose (see
            `headstart.training.crossing`): the evidence; ragged where rows have several items; None without such rows.
        kept: [n_held, outputs] the same by the weights kept, which these rows chose among the looks.
        chosen: whether any of ``held`` is by a look that was chosen among several.
        score, loss: of those rows by the weights kept; nan without.
        train_score: of some training rows by the weights kept, as they are; nan without held-out rows.
        curve: the looks.
        shares: of each phase's steps, up to the weights kept; what is worth repeating on other rows.
        steps, epochs: up to the weights kept.
        rate_factor: of the rates, as a sweep chose it.
        thawed, weights: how many weights moved at most, and how many there are.
        prefix: last stage of the cached prefix in the first phase; "" where there was none.
        rows_per_second: through optimiser steps.
        seconds: in optimiser steps.
        before: seconds spent on it by runs that were broken off.
    """

    changes: Changes
    head: LinearHead
    held: np.ndarray | Ragged | None
    kept: np.ndarray | Ragged | None
    chosen: bool
    score: float
    loss: float
    train_score: float
    curve: tuple[CurvePoint, ...]
    shares: tuple[float, ...]
    steps: int
    epochs: float
    rate_factor: float
    thawed: int
    weights: int
    prefix: str
    rows_per_second: float
    seconds: float
    rollbacks: int
    halvings: int
    stopped: str
    before: float = 0.0
