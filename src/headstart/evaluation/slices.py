"""The score by groups of rows, to find where the model is worst.

Who looks at many groups finds a bad one by chance, so intervals are widened for the number of groups looked at: with m
of them each is one of level 1 − (1 − level) / m (Bonferroni; Dunn 1961, "Multiple comparisons among means"), and all m
hold their true scores together with probability ``level``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.errors import ColumnError
from headstart.evaluation.answers import Answers, answers
from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.metrics import Metric, get

#: Groups with fewer rows are listed without an interval.
LEAST_ROWS = 5
_MANY_SMALL = 100  # such groups of a column from which on they are told as one
_MOST_DRAWS = 8000  # of metrics that are bootstrapped: wide percentiles lie among few draws


@dataclass(frozen=True)
class SliceScore:
    """The score of the rows where ``column`` is ``value``.

    Attributes:
        column: the slice column, or the property of the inputs.
        value: its value, as text; of a column with more than 100 values of fewer than `LEAST_ROWS` rows, how many of
            these were put together.
        n: rows in the group.
        interval: the score; its level is the corrected one, its bounds are nan in groups under `LEAST_ROWS` rows.
        looked_at: the number of groups with an interval, for which it is corrected.
    """

    column: str
    value: str
    n: int
    interval: Interval
    looked_at: int


def slice_metric(metric: str, task: str) -> str:
    """What slices of a run judged by ``metric`` are scored with: a mean over rows, which means the same in each.

    R² goes by the spread of a slice's own targets, balanced accuracy and F1 by the classes that happen to be in it, so
    that a slice can be worse than all rows without a single answer in it being worse.
    """
    if get(metric).mean:
        return metric
    return {"classification": "accuracy", "multilabel": "subset_accuracy"}.get(task, "mae")


def by_slice(
    metric: str | Metric,
    y: Answers | np.ndarray,
    p: Answers | np.ndarray,
    slices: Mapping[str, np.ndarray],
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> list[SliceScore]:
    """``metric`` for every value of every column [n] of ``slices``, worst first.

    All intervals are corrected together. Groups too small for an interval come after the others, and groups where
    the metric is undefined last. Where a column has more than 100 groups too small (a number of its own in every row,
    say), their rows are one group. ``units`` [n]: codes of rows that are not independent.

    Raises:
        ColumnError: a column of another length.
    """
    chosen = get(metric)
    truth, said = answers(y), answers(p)
    groups = _groups(slices, len(y))
    looked_at = sum(1 for *_, rows in groups if len(rows) >= LEAST_ROWS)
    corrected = 1 - (1 - level) / max(1, looked_at)
    draws = max(draws, min(_MOST_DRAWS, draws * looked_at))
    code = np.arange(len(y)) if units is None else np.asarray(units)

    def score(rows: np.ndarray) -> Interval:
        some = truth.take(rows), said.take(rows)
        if len(rows) < LEAST_ROWS:
            return Interval(chosen.function(*some), float("nan"), float("nan"), corrected, len(rows))
        return score_interval(metric, *some, units=code[rows], level=corrected, draws=draws, seed=seed)

    scores = [SliceScore(column, value, len(rows), score(rows), looked_at) for column, value, rows in groups]
    return sorted(scores, key=lambda score: _order(score, chosen))


def _groups(columns: Mapping[str, np.ndarray], n: int) -> list[tuple[str, str, np.ndarray]]:
    """Column, value and row numbers of every group."""
    groups = []
    for column, values in columns.items():
        rows_of: dict[str, list[int]] = {}
        for row, value in enumerate(values):
            rows_of.setdefault(str(value), []).append(row)
        count = sum(map(len, rows_of.values()))
        if count != n:
            raise ColumnError(f"slice column {column!r} has {count} rows where the scores have {n}.")
        groups += [(column, value, np.array(rows)) for value, rows in _small_together(rows_of)]
    return groups


def _small_together(rows_of: dict[str, list[int]]) -> list[tuple[str, list[int]]]:
    """The groups by value; where there are many too small for an interval, these as one."""
    small = [value for value, rows in rows_of.items() if len(rows) < LEAST_ROWS]
    if len(small) <= _MANY_SMALL:
        return sorted(rows_of.items())
    together = sorted(row for value in small for row in rows_of.pop(value))
    return [*sorted(rows_of.items()), (f"{len(small):,} values of fewer than {LEAST_ROWS} rows each", together)]


def _order(score: SliceScore, metric: Metric) -> tuple[bool, bool, float, str, str]:
    value = score.interval.value
    undefined = bool(np.isnan(value))
    badness = value if metric.higher_is_better else -value
    return undefined, score.n < LEAST_ROWS, 0.0 if undefined else badness, score.column, score.value
