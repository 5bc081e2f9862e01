"""Candidates compared on the same held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.heads.scoring import Metric, balance, best_factor, choose, row_scores
from headstart.tasks import get


@dataclass(frozen=True)
class Terms:
    """What every candidate is judged by.

    Attributes:
        y: the targets of all n rows, as `solve` takes them; those of a regression standardised.
        task: "classification", "multilabel" or "regression".
        outputs: number of scores a row.
        metric: a name of `Task.head_metrics`, or a callable.
        parts: row indices of each held-out part.
        balanced: whether classes count the same.
    """

    y: np.ndarray
    task: str
    outputs: int
    metric: str | Metric
    parts: list[np.ndarray]
    balanced: bool

    @property
    def held(self) -> np.ndarray:
        """Indices of all rows that some part holds out, part after part."""
        return np.concatenate(self.parts)

    def values(self, scores: np.ndarray, y: np.ndarray) -> np.ndarray:
        """One value a row, the metric their mean; a callable gives one value, so only exact ties tie."""
        if callable(self.metric):
            return np.array([float(self.metric(scores, y))])
        return row_scores(scores, y, self.task, self.metric)

    def loss(self, scores: np.ndarray, y: np.ndarray) -> float:
        """Mean log loss (squared error for a regression), classes counting the same where balanced."""
        losses = get(self.task).row_losses(scores, y)
        return float((losses * balance(y)).mean() if self.balanced else losses.mean())


@dataclass(frozen=True)
class Candidate:
    """One way of solving and what it gave.

    Attributes:
        kind: "ridge", "lda" or "logistic".
        settings: what that solver was set to.
        scores: [rows held out, outputs], in the order of `Terms.held`.
        seconds: what it took.
        start: a warm start for the fit on all rows, where that is iterative.
    """

    kind: str
    settings: dict[str, Any]
    scores: np.ndarray
    seconds: float
    start: np.ndarray | None = None


@dataclass(frozen=True)
class Tried:
    """One candidate: its solver, what that was set to, its held-out score, and the seconds it took."""

    kind: str
    settings: dict[str, Any]
    valid_score: float
    seconds: float


def compare(terms: Terms, found: list[Candidate]) -> tuple[int, tuple[Tried, ...]]:
    """The index of the chosen candidate, and the record of all, each with its factor (see `solve`) in its settings."""
    y = terms.y[terms.held]
    factors = [best_factor(c.scores, y, terms.task) if get(terms.task).graded else 1.0 for c in found]
    scaled = [c.scores * np.float32(f) for c, f in zip(found, factors, strict=True)]
    values = [terms.values(scores, y) for scores in scaled]
    chosen = choose(values, [terms.loss(scores, y) for scores in scaled])
    tried = tuple(
        Tried(c.kind, {**c.settings, "balanced": terms.balanced, "factor": f}, float(v.mean()), c.seconds)
        for c, f, v in zip(found, factors, values, strict=True)
    )
    return chosen, tried


def best_setting(
    terms: Terms,
    rows: np.ndarray,
    grid: Iterable[float],
    scores_at: Callable[[float], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], float],
) -> float:
    """The value of ``grid`` whose ``scores_at`` [len(rows), outputs] are best on ``rows``, near-ties by ``loss``."""
    tried, values, losses = list(grid), [], []
    for value in tried:
        scores = scores_at(value)
        values.append(terms.values(scores, terms.y[rows]))
        losses.append(loss(scores, rows))
    return tried[choose(values, losses)]
