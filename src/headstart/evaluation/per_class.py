"""How well each class or label is found, how far its name can be trusted, and which are taken for which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.metric import ratio
from headstart.evaluation.units import Units, share_bounds

_POINTS = 100  # of a curve: more cannot be told apart on a page
_LEVEL = 0.95
_NAN = float("nan")


@dataclass(frozen=True)
class ClassMetric:
    """One class or label.

    Attributes:
        output: its column among the probabilities.
        n: rows that have it.
        precision: of the rows given it, the share that have it; nan where none was given it.
        recall: of the rows that have it, the share given it; nan where none has it.
        f1: where it is told; None: it is not.
    """

    output: int
    n: int
    precision: Interval
    recall: Interval
    f1: Interval | None = None


def per_class(
    y: np.ndarray, p: np.ndarray, *, units: np.ndarray | None = None, level: float = 0.95
) -> list[ClassMetric]:
    """Precision and recall of every class (``y`` [n] int) or label (``y`` [n, k] of 0/1) of ``p`` [n, k].

    A class is given where it is the most probable, a label from 0.5. Each has Wilson's interval on the rows it rests
    on, at ``level`` one by one: of 77 classes some four lie outside. ``units`` [n]: codes of rows that belong together.
    """
    y, p = np.asarray(y), np.asarray(p)
    together, answer = Units.of(units, len(y)), None if y.ndim == 2 else np.argmax(p, axis=1)
    found = []
    for output in range(p.shape[1]):
        has = y == output if answer is not None else y[:, output] > 0.5
        given = answer == output if answer is not None else p[:, output] >= 0.5
        precision, recall = (share(has & given, rows, together, level) for rows in (given, has))
        found.append(ClassMetric(output, int(has.sum()), precision, recall))
    return found


def share(hits: np.ndarray, rows: np.ndarray, units: Units, level: float) -> Interval:
    """The share of ``hits`` [n] bool among some ``rows`` [n] bool; nan where there are none."""
    some = hits[rows].astype(float)
    value = float(some.mean()) if len(some) else _NAN
    return Interval(value, *share_bounds(some, level, units.take(rows)), level, len(some), units.count)


@dataclass(frozen=True)
class Confusion:
    """Counts of truth against prediction.

    Attributes:
        matrix: [k, k] int; rows are the true classes, columns the predicted ones.
        precision: [k] share of the rows predicted as a class that are of it; nan where none is predicted.
        recall: [k] share of a class's rows that are predicted as it; nan where it has no rows.
        support: [k] int, rows of each class.
    """

    matrix: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    support: np.ndarray


def confusion(y: np.ndarray, p: np.ndarray) -> Confusion:
    """The confusion of class numbers ``y`` [n] with the most probable classes of ``p`` [n, k]."""
    k = np.shape(p)[1]
    y = np.asarray(y, dtype=np.int64)
    matrix = np.bincount(y * k + np.argmax(p, axis=1), minlength=k * k).reshape(k, k)
    hits, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return Confusion(matrix, ratio(hits, predicted), ratio(hits, support), support)


# --- two classes, one of which is looked for: what a threshold gives, and what every other would ---


@dataclass(frozen=True)
class TwoClasses:
    """How one class is told from the other on n rows.

    Attributes:
        n: rows of the class.
        precision, recall, specificity, f1: of the answers given; each with its interval.
        auroc, average_precision: of the order that its probability puts the rows in.
        roc: [m, 3] false positive rate, recall and threshold, rising.
        precision_recall: [m, 3] recall, precision and threshold, from the greatest threshold down.
    """

    n: int
    precision: Interval
    recall: Interval
    specificity: Interval
    f1: Interval
    auroc: Interval
    average_precision: Interval
    roc: np.ndarray
    precision_recall: np.ndarray


def two_classes(
    truth: np.ndarray,
    score: np.ndarray,
    given: np.ndarray,
    *,
    units: np.ndarray | None = None,
    seed: int = 0,
) -> TwoClasses:
    """What ``score`` [n], the probability of the class, and the answers ``given`` [n] bool are worth.

    Args:
        truth: [n] bool: the rows of the class.
        units: [n] codes: rows of one unit are not independent.
    """
    truth, given, score = np.asarray(truth, bool), np.asarray(given, bool), np.asarray(score)
    together, hit = Units.of(units, len(truth)), truth & given

    def metric(name: str, column: np.ndarray) -> Interval:
        y = truth.astype(float)[:, None]
        return score_interval(name, y, column.astype(float)[:, None], units=units, level=_LEVEL, seed=seed)

    return TwoClasses(
        int(truth.sum()),
        share(hit, given, together, _LEVEL),
        share(hit, truth, together, _LEVEL),
        share(~given, ~truth, together, _LEVEL),
        metric("f1_macro", given),
        metric("auroc", score),
        metric("average_precision", score),
        *curves(truth, score),
    )


def curves(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ROC and precision-recall curve, at most 100 points each; none where all rows are of one class."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return np.zeros((0, 3)), np.zeros((0, 3))
    order = np.argsort(-score, kind="stable")
    ordered = score[order].astype(float)
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits = np.cumsum(truth[order])[last]
    false = last + 1 - hits
    recall, fall_out, threshold = hits / positives, false / negatives, ordered[last]
    roc = np.concatenate([[[0.0, 0.0, 1.0]], np.column_stack([fall_out, recall, threshold])])
    precision = np.column_stack([recall, hits / (last + 1), threshold])
    return roc[_corners(roc)], precision[_spread(precision)]


def _corners(points: np.ndarray) -> np.ndarray:
    """The points at which the steps turn, evenly thinned by the way along the curve."""
    step = np.diff(points[:, :2], axis=0)
    turns = np.abs(step[1:, 0] * step[:-1, 1] - step[1:, 1] * step[:-1, 0]) > 0
    kept = np.flatnonzero(np.concatenate([[True], turns, [True]]))
    return kept[_spread(points[kept])]


def _spread(points: np.ndarray) -> np.ndarray:
    """At most `_POINTS` of them, the first and the last among them, evenly along the curve."""
    if len(points) <= _POINTS:
        return np.arange(len(points))
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(points[:, :2], axis=0)).sum(axis=1))])
    return np.unique(np.searchsorted(way, np.linspace(0, way[-1], _POINTS)).clip(0, len(points) - 1))
