"""Looks at a run: the held-out rows judged by the weights as they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from headstart.evaluation.metrics import METRICS
from headstart.ragged import flat, shaped
from headstart.tasks import get
from headstart.training.precision import casting
from headstart.training.supply import Supply
from headstart.training.work import Work


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
    given, y = scores(work, held), held.feed.rows.y
    answers = get(work.task).probabilities(work.trainee.target_scale.values(given))

    def judged(rows: slice | np.ndarray) -> tuple[float, float]:
        if not len(y[rows]):
            return math.nan, math.nan
        whole = np.isfinite(flat(given[rows])).all()
        score = METRICS[work.options.metric].function(y[rows], answers[rows]) if whole else math.nan
        with torch.no_grad():
            summed, weight = work.loss(torch.from_numpy(flat(given[rows])), work.truth(y[rows]))
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
    out = shaped(np.zeros((len(flat(y)), trainee.head.out_features), np.float32), y)
    for rows, piece in processes.gather(pieces):
        out[rows] = shaped(piece, y[rows])
    return out
