"""What all candidates of a run are made and compared on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.evaluation.metrics import METRICS
from headstart.progress import Progress
from headstart.settings import TrainingSettings
from headstart.strategies.holding import Holding
from headstart.tasks.task import Task
from headstart.training.finished import Finished
from headstart.training.options import Augmentation
from headstart.training.rows import TrainRows


@dataclass(frozen=True)
class Ground:
    """Base, rows and rules.

    Attributes:
        base: frozen, or where training starts.
        task: target coding.
        rows: the working rows, training rows first, with the base's features.
        holding: which of them are held out.
        units: [n] int: rows of one unit (equal contents, groups) are never parted.
        metric: to choose by.
        settings: of training.
        augmentation: of training rows, or None; ``augmented`` says it in words.
        retained: rows whose features are to stay, with the base's features, or None.
        seed: of everything drawn.
        progress: told how far it is.
        finished: the trainings of this run, kept until it ends.
        weighed: whether the user said how much classes count; if not, the metric does.
    """

    base: Base
    task: Task
    rows: TrainRows
    holding: Holding
    units: np.ndarray
    metric: str
    settings: TrainingSettings
    augmentation: Augmentation | None
    augmented: str
    retained: TrainRows | None
    seed: int
    progress: Progress
    finished: Finished = field(default_factory=Finished)
    weighed: bool = False

    @property
    def balanced(self) -> bool:
        """Whether classes are made to count the same, because the metric counts them so."""
        return self.metric == "balanced_accuracy" and not self.weighed

    @property
    def held_y(self) -> Any:
        """Targets of the held-out rows, in their order."""
        return self.rows.y[self.holding.rows]

    @property
    def held_units(self) -> np.ndarray:
        """Units of the held-out rows, in their order."""
        return np.asarray(self.units[self.holding.rows])

    def score(self, held: Any) -> float:
        """The metric of [h, outputs] on the held-out rows, or on the first ones where there are fewer answers."""
        return float(METRICS[self.metric].function(self.held_y[: len(held)], held))

    @property
    def per_class(self) -> int:
        """Working rows of the median class or label; all of them for regression."""
        counts = self.task.counts(self.rows.y, self.task.outputs)
        return len(self.rows) if counts is None else int(np.median(counts))
