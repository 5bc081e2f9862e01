"""What a training run is made of, whatever its phases, and what the held-out rows say of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from headstart.evaluation.metrics import METRICS
from headstart.progress import Progress
from headstart.ragged import flat, shaped
from headstart.training.options import TrainOptions
from headstart.training.processes import Processes, casting
from headstart.training.supply import Supply
from headstart.training.trainee import Trainee


@dataclass(frozen=True)
class Work:
    """One run, as each of the engine's parts knows it.

    Attributes:
        trainee: what is trained, in place.
        options: how.
        processes: device, precision, and the other processes if there are any.
        halves: [n] of 0 and 1, the half of each held-out row (see `headstart.training.crossing`); None without any.
        closing: what follows the steps, in looks at the held-out rows, for which time is kept.
        loading: seconds spent before the engine began, which count towards the run's.
        held_y: targets of the held-out rows, whose form their answers have; None without any.
    """

    trainee: Trainee
    options: TrainOptions
    processes: Processes
    progress: Progress
    halves: np.ndarray | None = None
    closing: float = 0.0
    loading: float = 0.0
    held_y: Any = None


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


@dataclass(frozen=True)
class Look:
    """What the held-out rows say.

    Attributes:
        answers: [n, outputs] probabilities, ragged of rows of several items, or the values of a regression.
        score: of the metric; nan where it is undefined.
        loss: mean, of a regression in units of the training targets' variance.
        halves: score and loss by each half of the rows alone.
    """

    answers: Any
    score: float
    loss: float
    halves: tuple[tuple[float, float], ...] = ()


def look(work: Work, held: Supply) -> Look:
    """Judge the weights by ``held``."""
    given, y, objective = scores(work, held), held.feed.rows.y, work.trainee.objective
    answers = objective.answers(given)

    def judged(rows: slice | np.ndarray) -> tuple[float, float]:
        if not len(y[rows]):
            return math.nan, math.nan
        whole = np.isfinite(flat(given[rows])).all()
        score = METRICS[work.options.metric].function(y[rows], answers[rows]) if whole else math.nan
        with torch.no_grad():
            summed, weight = objective.loss(torch.from_numpy(flat(given[rows])), objective.truth(y[rows]))
        return float(score), float(summed) / max(float(weight), 1e-12)

    halves = () if work.halves is None else tuple(judged(work.halves == number) for number in (0, 1))
    return Look(answers, *judged(slice(None)), halves)


def scores(work: Work, supply: Supply) -> Any:
    """[n, outputs] float32 of all rows of ``supply``, as they are; of a regression for standardised targets.

    Of rows of several items ragged, the scores of each item.
    """
    trainee, processes = work.trainee, work.processes
    trainee.eval()
    pieces = []
    with torch.inference_mode():
        for taken in supply.clean(work.progress):
            with casting(processes.device, processes.dtype):
                given, _ = trainee(taken.batch, supply.cut)
            pieces.append((taken.rows, given.to(torch.float32).cpu().numpy()))
    y = supply.feed.rows.y
    out = shaped(np.zeros((len(flat(y)), trainee.objective.outputs), np.float32), y)
    for rows, piece in processes.gather(pieces):
        out[rows] = shaped(piece, y[rows])
    return out
