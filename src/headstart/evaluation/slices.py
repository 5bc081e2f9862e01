"""The score by groups of rows, to find where the model is worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.errors import ColumnError
from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.metrics import get

#: Groups with fewer rows are listed without an interval.
LEAST_ROWS = 5


@dataclass(frozen=True)
class SliceScore:
    """The score of the rows where ``column`` is ``value``.

    Attributes:
        column: the slice column.
        value: its value, as text.
        n: rows in the group.
        interval: the score; its bounds are nan in groups under `LEAST_ROWS` rows.
    """

    column: str
    value: str
    n: int
    interval: Interval


def by_slice(
    metric: str,
    y: np.ndarray,
    p: np.ndarray,
    slices: Mapping[str, np.ndarray],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> list[SliceScore]:
    """``metric`` for every value of every column of ``slices`` [n], worst first.

    Groups too small for an interval come after the others, and groups where the metric is undefined last.
    """
    chosen = get(metric)
    y, p = np.asarray(y), np.asarray(p)
    found = []
    for column, values in slices.items():
        texts = np.array([str(value) for value in values], dtype=object)
        if len(texts) != len(y):
            raise ColumnError(f"slice column {column!r} has {len(texts)} rows where the scores have {len(y)}.")
        for value in sorted(set(texts)):
            rows = texts == value
            found.append(
                SliceScore(column, value, int(rows.sum()), _score(metric, y[rows], p[rows], level, draws, seed))
            )

    def order(score: SliceScore) -> tuple[bool, bool, float, str, str]:
        value = score.interval.value
        badness = value if chosen.higher_is_better else -value
        undefined = bool(np.isnan(value))
        return undefined, score.n < LEAST_ROWS, 0.0 if undefined else badness, score.column, score.value

    return sorted(found, key=order)


def _score(metric: str, y: np.ndarray, p: np.ndarray, level: float, draws: int, seed: int) -> Interval:
    if len(y) >= LEAST_ROWS:
        return score_interval(metric, y, p, level=level, draws=draws, seed=seed)
    return Interval(get(metric).function(y, p), float("nan"), float("nan"), level, len(y))
