"""The learning curve of the probe on prepared features: only working rows are learnt from and held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.data.strata import strata
from headstart.errors import LabelError
from headstart.evaluation.class_gains import ClassGain, class_gains
from headstart.evaluation.extrapolation import Extrapolation, extrapolate
from headstart.evaluation.learning_curve import LEAST_RANGE, Curve, Draw, plan
from headstart.evaluation.learning_curve import measure as measure_curve
from headstart.flow.preparation import Prepared, Rows
from headstart.heads import scoring
from headstart.heads.solve import solve
from headstart.progress import Progress, Track
from headstart.tasks.task import Task

_FEWEST = 10  # rows that the smallest size has
_SPAN = 16  # times the smallest size that the largest is at most; smaller ones say little of large ones
_LEARNT = 0.8  # share of the rows that the largest size is about


@dataclass(frozen=True)
class Curved:
    """A curve and what follows from it.

    Attributes:
        metric: that scores are in, the mean of a value a row.
        curve: None where there are too few rows for one.
        ahead: its continuation; None where there is no curve.
        refused: why nothing is foretold; "" where it is.
        classes: gains of classes or labels, the greatest first; none for regression.
    """

    metric: str
    curve: Curve | None
    ahead: Extrapolation | None
    refused: str
    classes: list[ClassGain]


def curve_of(prepared: Prepared, metric: str, *, seed: int = 0, progress: Progress | None = None) -> Curved:
    """The probe's curve over the working rows, by ``metric`` where heads know it, else by the task's first.

    Log loss is not carried on: the shapes are those of a score that 1 bounds.

    Each size of each draw solves a head anew, its kind and settings chosen on its own rows, as a run would.
    """
    rows, task = prepared.working(), prepared.task
    known = [name for name in task.head_metrics if name != "log_loss"]
    metric = metric if metric in known else known[0]
    units = rows.units()
    try:
        draws = plan(strata(rows.table), units, least_rows(len(np.unique(units)), task.outputs), seed=seed)
    except LabelError as error:
        return Curved(metric, None, None, str(error).rstrip("."), [])
    with (progress or Progress()).track("learning curve", sum(len(draw.train) for draw in draws)) as track:
        judge = _Judge(rows, units, task, metric, seed, track)
        curve = measure_curve(draws, units, judge.values)
    ahead = extrapolate(curve, len(rows), _chance(rows.y, task, metric), seed=seed)
    return Curved(metric, curve, ahead, ahead.refused, _classes(curve, draws, judge))


class _Judge:
    """Solves heads, judges the held-out rows, and remembers which labels were found."""

    def __init__(self, rows: Rows, units: np.ndarray, task: Task, metric: str, seed: int, track: Track) -> None:
        self._rows, self._task, self._metric, self._seed, self._track = rows, task, metric, seed, track
        self._units = None if len(np.unique(units)) == len(units) else units
        self.found: list[np.ndarray] = []  # a fit each: [h] or [h, labels] bool

    def values(self, train: np.ndarray, held: np.ndarray) -> np.ndarray:
        """[h] values of the held-out rows whose mean is the metric."""
        x, y, task = self._rows.vectors, self._rows.y, self._task
        solved = solve(
            x[train],
            y[train],
            task.name,
            seed=self._seed,
            metric=self._metric,
            balanced=self._metric == "balanced_accuracy",
            outputs=task.outputs,
            groups=None if self._units is None else self._units[train],
        )
        scores = solved.head.scores(x[held])
        if task.exclusive:
            self.found.append(scores.argmax(axis=1) == y[held])
        elif task.several:
            self.found.append((scores > 0) & (y[held] > 0))
        self._track.advance()
        return scoring.row_scores(scores, y[held], task.name, self._metric)

    def pairs(self, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(position among ``held``, class or label) of every label that these rows have."""
        y = self._rows.y[held]
        if self._task.several:
            row, label = np.nonzero(y > 0)
            return row, label
        return np.arange(len(y)), y


def least_rows(units: int, classes: int) -> int:
    """Rows of the smallest size: two of each class where that leaves room for a curve, one where it does not."""
    most = _LEARNT * units
    per_class = 2 if LEAST_RANGE * 2 * classes <= most else 1
    return max(_FEWEST, per_class * classes, round(most / _SPAN))


def _chance(y: np.ndarray, task: Task, metric: str) -> float:
    """The score of knowing nothing but the shares of the classes."""
    if not task.exclusive:
        return 0.0
    shares = np.bincount(y, minlength=task.outputs) / len(y)
    return 1 / task.outputs if metric == "balanced_accuracy" else float(shares.max())


def _classes(curve: Curve, draws: list[Draw], judge: _Judge) -> list[ClassGain]:
    """Gains from about a quarter of the largest size to all of it, a row counting once however often it was held."""
    if not judge.found:
        return []
    sizes = len(curve.sizes)
    early = int(np.abs(np.log(curve.sizes / curve.sizes[-1] * LEAST_RANGE)).argmin())
    key: list[np.ndarray] = []
    before: list[np.ndarray] = []
    after: list[np.ndarray] = []
    for i, draw in enumerate(draws):
        row, label = judge.pairs(draw.held)
        small, large = judge.found[i * sizes + early], judge.found[(i + 1) * sizes - 1]
        pick = (row,) if small.ndim == 1 else (row, label)
        key.append(np.stack([draw.held[row], label]))
        before.append(small[pick])
        after.append(large[pick])
    pairs, which = np.unique(np.concatenate(key, axis=1), axis=1, return_inverse=True)
    which = which.reshape(-1)
    times = np.bincount(which)
    once, more = (np.bincount(which, np.concatenate(part)) / times for part in (before, after))
    return class_gains(pairs[1], once, more)
