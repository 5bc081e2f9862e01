"""What recorded results on other tasks say of bases before this task's rows are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

_SWEEPS = 1000
_FEWEST = 2  # data sets and bases, under which nothing can be told of variances
_FREEDOM = 3  # degrees of freedom, under which Student's t has no variance


@dataclass(frozen=True)
class Recorded:
    """One result of one base.

    Attributes:
        data: the data set; its tasks (few-shot cuts, further runs) count as one, for they are not independent.
        task: within which scores compare: the same rows, metric and way of judging.
        modality: "image" or "text".
        kind: "classification", "multilabel" or "regression".
        base: its name.
        score: in points: 100 times the metric, higher is better.
    """

    data: str
    task: str
    modality: str
    kind: str
    base: str
    score: float


@dataclass(frozen=True)
class Belief:
    """What is thought of some bases, in points of the task's score above or below their mean.

    Attributes:
        mean: [bases].
        variance: [bases]; infinite where nothing is known.
    """

    mean: np.ndarray
    variance: np.ndarray


@cache
def shipped() -> tuple[Recorded, ...]:
    """The results in ``recorded.json``, measured by ``python -m benchmarks bases`` on data sets that were at hand."""
    text = files("headstart.ranking").joinpath("recorded.json").read_text(encoding="utf-8")
    return tuple(Recorded(**row) for row in json.loads(text)["results"])


def belief(records: Iterable[Recorded], bases: Sequence[str], *, modality: str, kind: str) -> Belief:
    """The prior of ``bases`` on a task of ``kind`` that is not among ``records``.

    Empirical Bayes with variances by the method of moments (Efron & Morris 1975; Henderson 1953). A base b has on data
    set t the centred score

        c_tb = u_b + e_tb,  u_b ~ N(0, τ²),  e_tb ~ N(0, σ²)

    where centring takes out a level of each task by least squares, so that tasks on which not every base was tried do
    not favour some. σ² is the variance within bases between data sets, τ² that of the bases' means less what σ² makes
    of it, at least 0. With n_b data sets of mean c_b the base is thought to have, on a new one,

        mean = c_b · τ² / (τ² + σ²/n_b)
        variance = σ² + 1 / (1/τ² + n_b/σ²)

    A base without records has mean 0 and variance τ² + σ². All variances are ν / (ν - 2) times that, as those of a
    Student's t are where σ² is itself estimated, with ν degrees of freedom: two data sets on which two bases happen
    to differ by the same must not outweigh a task's own rows. With ν of 2 or fewer they are infinite.

    Returns:
        as long as ``bases``.
    """
    known = [record for record in records if (record.modality, record.kind) == (modality, kind)]
    names, cells = _cells(known)
    unknown = Belief(np.zeros(len(bases)), np.full(len(bases), np.inf))
    if min(cells.shape) < _FEWEST:
        return unknown
    counts = np.isfinite(cells).sum(axis=0)
    means = np.nanmean(cells, axis=0)
    freedom = int(counts.sum()) - len(cells) - len(names) + 1
    if freedom < _FREEDOM:
        return unknown
    within = float(np.nansum((cells - means) ** 2)) / freedom
    spread = float((counts * means**2).sum() / (len(names) - 1))
    typical = (counts.sum() - (counts**2).sum() / counts.sum()) / (len(names) - 1)
    between = max(0.0, (spread - within) / typical)
    found = {name: _shrunk(float(means[i]), int(counts[i]), between, within) for i, name in enumerate(names)}
    pairs = [found.get(base, (0.0, between + within)) for base in bases]
    wider = freedom / (freedom - 2)
    return Belief(np.array([mean for mean, _ in pairs]), wider * np.array([variance for _, variance in pairs]))


def _shrunk(mean: float, count: int, between: float, within: float) -> tuple[float, float]:
    """Mean and variance of one base on a new data set."""
    if between == 0:
        return 0.0, within
    if within == 0:
        return mean, 0.0
    share = between / (between + within / count)
    return share * mean, within + 1 / (1 / between + count / within)


def _cells(records: Sequence[Recorded]) -> tuple[list[str], np.ndarray]:
    """The bases, and [data sets, bases] their centred scores, nan where there is none.

    Only tasks with two bases or more say anything; scores of one base on one task are meaned, tasks of a data set too.
    """
    scores: dict[tuple[str, str], dict[str, list[float]]] = {}
    for record in records:
        scores.setdefault((record.data, record.task), {}).setdefault(record.base, []).append(record.score)
    tasks = {key: {base: float(np.mean(s)) for base, s in row.items()} for key, row in scores.items() if len(row) > 1}
    names = sorted({base for row in tasks.values() for base in row})
    if not names:
        return [], np.zeros((0, 0))
    table = np.array([[row.get(name, np.nan) for name in names] for row in tasks.values()]).reshape(-1, len(names))
    centred = _centred(table)
    data = np.array([key[0] for key in tasks])
    sets = [centred[data == name] for name in dict.fromkeys(data.tolist())]
    rows = [_column_means(one) for one in sets]
    return names, np.array(rows)


def _column_means(table: np.ndarray) -> np.ndarray:
    """[bases]: means of the finite values of each column; nan where there are none."""
    known = np.isfinite(table)
    counts = known.sum(axis=0)
    sums = np.where(known, table, 0.0).sum(axis=0)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _centred(table: np.ndarray) -> np.ndarray:
    """``table`` [tasks, bases] less the level of each task, by least squares in a level a task and an effect a base.

    With nothing missing that is each row less its mean; else levels and effects in turn until neither moves.
    """
    if np.isfinite(table).all():
        return table - table.mean(axis=1, keepdims=True)
    effects = np.zeros(table.shape[1])
    for _ in range(_SWEEPS):
        levels = np.nanmean(table - effects, axis=1, keepdims=True)
        new = np.nanmean(table - levels, axis=0)
        new -= new.mean()
        if np.abs(new - effects).max() < 1e-9:
            break
        effects = new
    return table - levels


def to_record(values: dict[str, Any]) -> Recorded:
    """One result from plain values; `TypeError` or `ValueError` where they are none."""
    return Recorded(
        **{name: str(values[name]) for name in ("data", "task", "modality", "kind", "base")},
        score=float(values["score"]),
    )
