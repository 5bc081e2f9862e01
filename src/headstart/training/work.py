"""What a training run is made of, whatever its phases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from headstart.progress import Progress
from headstart.training.losses import Loss, targets
from headstart.training.options import TrainOptions
from headstart.training.processes import Processes
from headstart.training.supply import Supply
from headstart.training.trainee import Trainee


@dataclass(frozen=True)
class Work:
    """One run, as each of the engine's parts knows it.

    Attributes:
        trainee: what is trained, in place.
        task: the name of one.
        loss: of scores and `truth`.
        options: how.
        processes: device, precision, and the other processes if there are any.
        halves: [n] of 0 and 1, the half of each held-out row (see `headstart.training.crossing`); None without any.
        closing: what follows the steps, in looks at the held-out rows, for which time is kept.
        loading: seconds spent before the engine began, which count towards the run's.
        held_y: targets of the held-out rows, whose form their answers have; None without any.
    """

    trainee: Trainee
    task: str
    loss: Loss
    options: TrainOptions
    processes: Processes
    progress: Progress
    halves: np.ndarray | None = None
    closing: float = 0.0
    loading: float = 0.0
    held_y: Any = None

    def truth(self, y: Any) -> torch.Tensor:
        """Targets as the task encodes them in the form that ``loss`` takes, a regression's standardised.

        Of ragged rows those of their items.
        """
        return targets(self.trainee.target_scale.standardised(y), self.task)


@dataclass(frozen=True)
class Parts:
    """What the engine draws on in one phase.

    Attributes:
        train: training rows.
        held: rows it is looked at by; None: it runs to the end of its schedule unseen.
        retained: rows whose features are to stay, or None.
    """

    train: Supply
    held: Supply | None
    retained: Supply | None = None
