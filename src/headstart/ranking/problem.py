"""Features and targets as every score takes them, and whether they can say anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads.solve import checked
from headstart.heads.target_scale import TargetScale
from headstart.tasks import Classification, Multilabel, Regression, get


@dataclass(frozen=True)
class Problem:
    """Checked features and targets.

    Attributes:
        x: [n, d] float32.
        y: [n] int64 classes, [n, outputs] 0/1 labels or [n, outputs] values, each column put to mean 0 and
            variance 1: no score depends on a target's unit.
        task: "classification", "multilabel" or "regression".
        outputs: classes, labels or values a row.
    """

    x: np.ndarray
    y: np.ndarray
    task: str
    outputs: int

    @property
    def defined(self) -> bool:
        """Whether a score can say anything: not all rows have the same features, nor all the same targets."""
        return bool((self.x != self.x[0]).any() and (self.y != self.y[0]).any())


def problem(features: np.ndarray, y: np.ndarray, task: str | None = None) -> Problem:
    """``features`` [n, d] with ``y`` as the tasks encode it: [n] int, [n] or [n, 1] float, [n, labels] 0/1.

    ``task`` None: told from ``y``; whole numbers in one dimension are classes, several columns are labels.

    Raises:
        SettingError: shapes or values that do not fit, features or targets that are not finite.
    """
    y = np.asarray(y)
    task = _told(y) if task is None else task
    if get(task).values and y.ndim == 1:
        y = y[:, None]
    x, y, outputs = checked(features, y, task, None)
    return Problem(x, TargetScale.of(y, task).standardised(y), task, outputs)


def _told(y: np.ndarray) -> str:
    if y.ndim == 1:
        return (Classification if np.issubdtype(y.dtype, np.integer) else Regression).name
    return (Multilabel if y.shape[1] > 1 else Regression).name
