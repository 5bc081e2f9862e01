"""How well each class or label is found, and how far its name can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.proportions import wilson
from headstart.evaluation.units import Units, share_bounds

_NAN = float("nan")


@dataclass(frozen=True)
class ClassMetric:
    """One class or label.

    Attributes:
        output: its column among the probabilities.
        n: rows that have it.
        precision: of the rows given it, the share that have it; nan where none was given it.
        recall: of the rows that have it, the share given it; nan where none has it.
    """

    output: int
    n: int
    precision: Interval
    recall: Interval


def per_class(
    y: np.ndarray, p: np.ndarray, *, units: np.ndarray | None = None, level: float = 0.95
) -> list[ClassMetric]:
    """Precision and recall of every class (``y`` [n] int) or label (``y`` [n, k] of 0/1) of ``p`` [n, k].

    A class is given where it is the most probable, a label from 0.5. Each has Wilson's interval on the rows it rests
    on, at ``level`` one by one: of 77 classes some four lie outside. ``units`` [n]: codes of rows that belong together.
    """
    y, p = np.asarray(y), np.asarray(p)
    together = Units.of(units, len(y))
    if not together.alone:
        return [_of_units(output, y, p, together, level) for output in range(p.shape[1])]
    if y.ndim == 2:
        truth, given = y > 0.5, p >= 0.5
        hits, has, said = ((part.sum(axis=0)) for part in (truth & given, truth, given))
    else:
        k, answer = p.shape[1], np.argmax(p, axis=1)
        hits, has, said = (np.bincount(part, minlength=k) for part in (y[answer == y], y, answer))
    return [
        ClassMetric(output, int(n), _share(hit, given, level), _share(hit, n, level))
        for output, (hit, n, given) in enumerate(zip(hits, has, said, strict=True))
    ]


def _of_units(output: int, y: np.ndarray, p: np.ndarray, units: Units, level: float) -> ClassMetric:
    if y.ndim == 2:
        has, given = y[:, output] > 0.5, p[:, output] >= 0.5
    else:
        has, given = y == output, np.argmax(p, axis=1) == output
    precision, recall = (_interval((has & given)[rows].astype(float), units.take(rows), level) for rows in (given, has))
    return ClassMetric(output, int(has.sum()), precision, recall)


def _interval(hits: np.ndarray, units: Units, level: float) -> Interval:
    value = float(hits.mean()) if len(hits) else _NAN
    return Interval(value, *share_bounds(hits, level, units), level, len(hits), units.count)


def _share(hits: int, n: int, level: float) -> Interval:
    if n == 0:
        return Interval(_NAN, _NAN, _NAN, level, 0)
    return Interval(float(hits / n), *wilson(float(hits / n), float(n), level), level, int(n))
