"""Looks at a run: the held-out rows judged by the weights as they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from headstart.evaluation.metrics import METRICS
from headstart.heads.linear import probabilities
from headstart.training.precision import casting
from headstart.training.supply import Supply
from headstart.training.work import Work


@dataclass(frozen=True)
class Look:
    """What the held-out rows say.

    Attributes:
        answers: [n, outputs] probabilities, or the values of a regression.
        score: of the metric; nan where it is undefined.
        loss: mean, of a regression in units of the training targets' variance.
    """

    answers: np.ndarray
    score: float
    loss: float


def look(work: Work, held: Supply) -> Look:
    """Judge the weights by ``held``."""
    given, y = scores(work, held), held.feed.rows.y
    answers = probabilities(work.trainee.target_scale.values(given), work.task)
    score = METRICS[work.options.metric].function(y, answers) if np.isfinite(given).all() else math.nan
    with torch.no_grad():
        summed, weight = work.loss(torch.from_numpy(given), work.truth(y))
    return Look(answers, float(score), float(summed) / max(float(weight), 1e-12))


def scores(work: Work, supply: Supply) -> np.ndarray:
    """[n, outputs] float32 of all rows of ``supply``, as they are; of a regression for standardised targets."""
    trainee, processes = work.trainee, work.processes
    trainee.eval()
    pieces = []
    with torch.inference_mode():
        for taken in supply.clean(work.progress):
            with casting(processes.device, processes.dtype):
                given, _ = trainee(taken.batch, supply.cut)
            pieces.append((taken.rows, given.to(torch.float32).cpu().numpy()))
    out = np.zeros((len(supply.feed.rows), trainee.head.out_features), np.float32)
    for rows, piece in processes.gather(pieces):
        out[rows] = piece
    return out


def is_better(metric: str, score: float, loss: float, than_score: float, than_loss: float) -> bool:
    """Whether one look beats another: by the score, where that is equal by the loss; nan is worse than any number."""
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0

    def rank(score: float, loss: float) -> tuple[float, float]:
        return (-math.inf if math.isnan(score) else sign * score), (-math.inf if math.isnan(loss) else -loss)

    return rank(score, loss) > rank(than_score, than_loss)


def chance(task: str, outputs: int) -> float:
    """The loss of an answer that knows nothing."""
    if task == "regression":
        return 1.0
    return math.log(outputs if task == "classification" else 2)
