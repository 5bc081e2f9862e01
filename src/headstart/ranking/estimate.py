"""A number with its standard error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.evaluation.proportions import stratified_wilson
from headstart.heads.scoring import row_scores

_ONE_SD = 0.6827  # of a normal distribution within one standard deviation


@dataclass(frozen=True)
class Estimate:
    """A score and how sure it is.

    Attributes:
        value: the score, higher is better; nan where it is undefined.
        sd: its standard error, from the rows it is a mean of; nan where it is undefined.
    """

    value: float
    sd: float


#: What is undefined.
UNDEFINED = Estimate(float("nan"), float("nan"))


def of_scores(scores: np.ndarray, y: np.ndarray, task: str, metric: str) -> Estimate:
    """The ``metric`` of `Task.head_metrics` that held-out ``scores`` [n, outputs] have for ``y``.

    A mean of recalls has the error of each class's share: the rows' weights, which make up most of their variance where
    classes differ in size, are the same in every draw.
    """
    values = row_scores(scores, y, task, metric)
    if metric != "balanced_accuracy":
        return of_rows(values)
    low, high = stratified_wilson(values > 0, y, _ONE_SD)
    return Estimate(float(values.mean()), (high - low) / 2)


def of_rows(values: np.ndarray) -> Estimate:
    """The mean of ``values`` [n], one a row, with its standard error.

    Where rows are right (1) or wrong (0), two of each are added for the standard error alone (Agresti & Coull 1998):
    a few rows that are all right do not make a score certain, and a weight of one over its variance would be infinite.
    """
    value = float(values.mean())
    if np.isin(values, (0.0, 1.0)).all():
        values = np.append(values, (0.0, 0.0, 1.0, 1.0))
    if len(values) < 2:
        return Estimate(value, float("nan"))
    return Estimate(value, float(values.std(ddof=1) / len(values) ** 0.5))
