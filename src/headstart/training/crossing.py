"""Which look answers which held-out rows, so that no row helps to choose the look that answers it.

The best of many looks does better on the rows that chose it than it will on others. So the held-out rows are dealt into
two halves; each half chooses a look, and that look answers the other half. Only the answers of the looks that lead so
far are kept, one array for both halves: memory does not grow with the number of looks.

What the halves choose is not independent: each chooses by rows that the other's choice is judged on, and a look that
both take was good on both. Over a fixed look that makes the variance of a gain up to 1 + 1/π times what its rows say
(two looks; fewer than that with more), which is what `SPREAD` makes good. Where both halves take the last look, nothing
was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.evaluation.metrics import METRICS
from headstart.heads.folds import deal

#: By which intervals of a gain are widened where looks were chosen: √(1 + 1/π).
SPREAD = math.sqrt(1 + 1 / math.pi)


def halves_of(y: Any, task: str, units: np.ndarray | None, seed: int) -> np.ndarray:
    """[n] of 0 and 1: held-out rows in two halves, classes spread evenly, rows of one unit ([n] int) never parted."""
    halves = np.zeros(len(y), np.int64)
    for number, rows in enumerate(deal(y, task, 2, seed=seed, groups=units) if len(y) else ()):
        halves[rows] = number
    return halves


def is_better(metric: str, score: float, loss: float, than_score: float, than_loss: float) -> bool:
    """Whether one look beats another: by the score, where that is equal by the loss; nan is worse than any number."""
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0

    def rank(score: float, loss: float) -> tuple[float, float]:
        return (-math.inf if math.isnan(score) else sign * score), (-math.inf if math.isnan(loss) else -loss)

    return rank(score, loss) > rank(than_score, than_loss)


def as_good(metric: str, last: float, best: float, rows: int) -> bool:
    """Whether the last look is as good as the best to within its standard error on so many rows.

    Its end, at a rate near 0, is then the better bet for other rows, and hardly a choice of these. Scores that have no
    such error must be equal.
    """
    error = math.sqrt(max(0.0, best * (1 - best)) / max(1, rows)) if METRICS[metric].unit_scale else 0.0
    return abs(best - last) <= error


@dataclass
class Mark:
    """The best look by some rows: after how many steps, its score and loss; and the score of the last look."""

    done: int = 0
    score: float = math.nan
    loss: float = math.nan
    last: float = math.nan


@dataclass
class Crossing:
    """The answers that serve as evidence.

    Attributes:
        halves: [n] of 0 and 1: the half of each held-out row.
        metric: that looks are chosen by.
        marks: the best look by each half.
        held: [n, outputs], or ragged: each half's rows answered by the look that the other half found best; None before
            the first.
        last: the last look's answers, in the same form.
    """

    halves: np.ndarray
    metric: str
    marks: list[Mark] = field(default_factory=lambda: [Mark(), Mark()])
    held: Any = None
    last: Any = None

    def see(self, done: int, answers: Any, seen: Sequence[tuple[float, float]]) -> None:
        """Take in a look after ``done`` steps: answers [n, outputs], and (score, loss) by each half's rows.

        A half without rows chooses by nothing: it takes the last look.
        """
        first, self.last = self.held is None, answers
        held = answers.copy() if self.held is None else self.held
        for number, (mark, (score, loss)) in enumerate(zip(self.marks, seen, strict=True)):
            mark.last = score
            empty = not (self.halves == number).any()
            if first or empty or is_better(self.metric, score, loss, mark.score, mark.loss):
                mark.done, mark.score, mark.loss = done, score, loss
                other = self.halves != number
                held[other] = answers[other]
        self.held = held

    def settle(self, done: int, finished: bool) -> bool:
        """Take the last look, after ``done`` steps, for halves by which it is as good as their best one.

        Not where training ended before its schedule, nor where a half found no look better than the start.

        Returns:
            Whether any row is answered by a look that was chosen among several.
        """
        chosen = False
        for number, mark in enumerate(self.marks):
            mine, other = self.halves == number, self.halves != number
            if not other.any() or self.held is None or self.last is None:
                continue
            if finished and mark.done and as_good(self.metric, mark.last, mark.score, int(mine.sum())):
                mark.done = done
                self.held[other] = self.last[other]
            chosen |= mark.done != done and bool(mine.any())
        return chosen
