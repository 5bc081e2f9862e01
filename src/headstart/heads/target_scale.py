"""The centre and scale of a regression's targets, which are taken out before anything is solved or trained.

A target's unit and zero are its owner's business: a Unix time of 1.7e9 s has 128 s between neighbours in float32, and a
learning rate that fits targets of 1 fits neither 1e5 nor 1e-4. So heads and networks learn values of mean 0 and
standard deviation 1, and what they give is put back into the target's own unit in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headstart.heads.linear import LinearHead
from headstart.tasks import get


@dataclass(frozen=True)
class TargetScale:
    """Mean and standard deviation of each column of a regression's targets; of no columns for other tasks.

    Attributes:
        centre: [outputs] float64, in the target's unit.
        scale: [outputs] float64, above 0; 1 for a column that does not vary.
    """

    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, task: str) -> TargetScale:
        """Of targets ``y`` as the task encodes them; classes and labels are left as they are."""
        if not get(task).values:
            return cls.none()
        y = np.asarray(y, np.float64)
        away = y - y[0]  # exact where targets lie far from 0, as their sum is not
        mean = away.mean(axis=0)
        away = np.abs(away - mean)
        most = away.max(axis=0)
        most = np.where(most > 0, most, 1.0)  # squares of the largest and the smallest numbers are none
        spread = most * np.sqrt(np.square(away / most).mean(axis=0))
        return cls(y[0] + mean, np.where(spread > 0, spread, 1.0))

    @classmethod
    def none(cls) -> TargetScale:
        """What leaves all as it is."""
        return cls(np.zeros(0), np.ones(0))

    def standardised(self, y: np.ndarray) -> np.ndarray:
        """Targets [n, outputs] in the target's unit, centred and scaled, float64."""
        return (np.asarray(y, np.float64) - self.centre) / self.scale if len(self.scale) else y

    def values(self, scores: np.ndarray) -> np.ndarray:
        """The inverse: scores [n, outputs] of standardised targets in the target's unit, float64."""
        return scores.astype(np.float64) * self.scale + self.centre if len(self.scale) else scores

    def head_of_values(self, head: LinearHead) -> LinearHead:
        """The head in the target's unit, float64, of one that gives standardised targets."""
        if not len(self.scale):
            return head
        weight, bias = head.weight.astype(np.float64), head.bias.astype(np.float64)
        return replace(head, weight=weight * self.scale, bias=bias * self.scale + self.centre)

    def head_of_scores(self, head: LinearHead) -> LinearHead:
        """The inverse of `head_of_values`."""
        if not len(self.scale):
            return head
        weight, bias = head.weight.astype(np.float64), head.bias.astype(np.float64)
        return replace(head, weight=weight / self.scale, bias=(bias - self.centre) / self.scale)
