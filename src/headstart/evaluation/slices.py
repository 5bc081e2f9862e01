"""The score by groups of rows, to find where the model is worst.

Who looks at many groups finds a bad one by chance, so intervals are widened for the number of groups looked at: with m
of them each is one of level 1 − (1 − level) / m (Bonferroni; Dunn 1961, "Multiple comparisons among means"), and all m
hold their true scores together with probability ``level``. Numbers are cut into thirds of these rows, so
that a slice has rows enough to be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.errors import ColumnError, SettingError
from headstart.evaluation.answers import Answers, answers
from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.metrics import Metric, get

#: Groups with fewer rows are listed without an interval.
LEAST_ROWS = 5
_MANY_SMALL = 100  # such groups of a column from which on they are told as one
_PARTS = 3
_LEAST = _PARTS * LEAST_ROWS  # rows under which no third could have an interval
_CLUSTERS, _CLUSTER_ROWS = 8, 30  # clusters at most, and rows for each on average at least
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
    known = {"classification": "accuracy", "multilabel": "subset_accuracy", "regression": "mae"}
    return known.get(task, metric)


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


# --- slices that nobody named: properties of inputs, such as the length of a text, and clusters of features ---


def properties(
    told: Mapping[str, np.ndarray],
    units: Mapping[str, tuple[str, int]],
    vectors: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Column -> [n] str, ready for `headstart.evaluation.slices.by_slice`.

    Columns that do not tell rows apart are left out; under 15 rows there are none.

    Args:
        told: property -> [n] float (nan where it cannot be told) or str.
        units: property -> its unit, and the digits behind the point that it is shown with.
        vectors: [n, d] features to cluster, or None.
        names: [n] true labels, by which clusters are told apart for the reader, or None.

    Raises:
        SettingError: ``vectors`` that are not finite.
    """
    if min((len(values) for values in told.values()), default=_LEAST) < _LEAST:
        return {}
    columns = {name: binned(values, *units.get(name, ("", 2))) for name, values in told.items()}
    if vectors is not None and len(vectors) >= 2 * _CLUSTER_ROWS:
        columns["cluster"] = clusters(vectors, names, seed=seed)
    return {name: values for name, values in columns.items() if len(set(values)) > 1}


def binned(values: np.ndarray, unit: str = "", digits: int = 2) -> np.ndarray:
    """[n] str: text as it is, numbers as the third they lie in, such as "1–34 characters".

    Equal numbers share a bin, so there may be fewer than three; nan becomes "not known".
    """
    values = np.asarray(values)
    if values.dtype.kind not in "fiu":
        return values.astype(str)
    known = np.isfinite(values.astype(float))
    out = np.full(len(values), "not known", dtype=object)
    if known.any():
        out[known] = _thirds(values[known].astype(float), unit, digits)
    return out.astype(str)


def clusters(vectors: np.ndarray, names: Sequence[str] | None = None, *, seed: int = 0) -> np.ndarray:
    """[n] str: the k-means cluster of every row of ``vectors`` [n, d] on the sphere, at most eight of them.

    With ``names`` [n], each is told by its two most frequent ones, as in "2: ants, bees"; else by its number.

    Raises:
        SettingError: ``vectors`` that are not finite.
    """
    from scipy.cluster.vq import kmeans2

    vectors = np.asarray(vectors, dtype=np.float32)
    if not np.isfinite(vectors).all():
        raise SettingError("features to cluster hold values that are not finite numbers; compute them anew.")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    k = int(np.clip(min(len(vectors) // _CLUSTER_ROWS, _distinct(vectors, _CLUSTERS)), 1, _CLUSTERS))
    _, which = kmeans2(vectors / np.maximum(length, 1e-12), k, minit="++", seed=np.random.default_rng(seed))
    titles = {int(number): _title(int(number), which, names) for number in np.unique(which)}
    return np.array([titles[int(number)] for number in which], dtype=str)


def _distinct(vectors: np.ndarray, most: int) -> int:
    """How many different rows there are, counted up to ``most``."""
    seen: set[bytes] = set()
    for row in vectors:
        seen.add(row.tobytes())
        if len(seen) == most:
            break
    return len(seen)


def _thirds(values: np.ndarray, unit: str, digits: int) -> np.ndarray:
    """The bin of every value by the least and the greatest value in it, as shown."""
    shown = np.round(values, digits)
    edges = np.unique(np.quantile(shown, np.arange(1, _PARTS) / _PARTS, method="lower"))
    which = np.searchsorted(edges, shown, side="left")
    out = np.empty(len(values), dtype=object)
    for part in np.unique(which):
        rows = which == part
        low, high = (f"{bound:.{digits}f}" for bound in (shown[rows].min(), shown[rows].max()))
        between = "–" if shown.min() >= 0 else " to "  # a dash before a minus sign cannot be read
        out[rows] = f"{low if low == high else f'{low}{between}{high}'} {unit}".rstrip()
    return out


def _title(number: int, which: np.ndarray, names: Sequence[str] | None) -> str:
    if names is None:
        return str(number + 1)
    counts = Counter(str(name) for name, own in zip(names, which, strict=True) if own == number)
    common = sorted(counts, key=lambda name: (-counts[name], name))
    return f"{number + 1}: {', '.join(common[:2])}{' …' if len(common) > 2 else ''}"
