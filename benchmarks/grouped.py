"""Whether intervals hold where rows come in groups, or classes have few rows: tables of `benchmarks.simulations`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from benchmarks.benchmark import Table
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.metrics import get
from headstart.evaluation.proportions import wilson

_BOOTSTRAP = 400  # draws inside each interval
_POPULATION = 4000  # groups, or rows of each class for few classes, that stand for all there will ever be
_METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "auroc", "log_loss", "brier")
_MARGIN = 1.5  # by which the true class's score is above the others' on average
_OWN = 0.5  # standard deviation of what two equal models add to each score of a row
_OF_ONE = 50  # draws of each population of few rows a class
_QUICK = 12_000  # rows times classes up to which a draw is quick
MORE = 4  # times as many draws where they are quick, so that chance does not decide

#: (groups, rows of each, standard deviation of a group's margin): correlations within groups of 0.1 and of 0.3 or so.
GROUPS = ((5, 40, 0.6), (10, 20, 0.6), (20, 20, 0.6), (100, 5, 0.6), (20, 20, 1.3))
#: Rows of each class.
FEW = ((77, 1), (77, 2), (77, 5), (500, 1), (10, 5), (10, 30))


@dataclass(frozen=True)
class Held:
    """How often 95 % intervals held the truth, and how often equal models were called different."""

    held: float
    naive: float  # the same, taking rows for independent; nan where they are
    different: float


def grouped_rows(
    rng: np.random.Generator, groups: int, rows: int, spread: float, classes: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth [n], scores [n, classes] and group [n]: the true class leads by a margin of the group's own."""
    group = np.repeat(np.arange(groups), rows)
    y = rng.integers(0, classes, groups * rows)
    scores = rng.normal(size=(groups * rows, classes))
    scores[np.arange(len(y)), y] += _MARGIN + spread * rng.normal(size=groups)[group]
    return y, scores, group


def correlation(rows: int, spread: float) -> float:
    """Intraclass correlation of being right, from a large sample (one-way analysis of variance)."""
    y, scores, _ = grouped_rows(np.random.default_rng(0), _POPULATION, rows, spread)
    right = (scores.argmax(axis=1) == y).reshape(_POPULATION, rows)
    between = rows * right.mean(axis=1).var(ddof=1)
    within = right.var(axis=1, ddof=1).mean()
    return float((between - within) / (between + (rows - 1) * within))


def with_groups(metric: str, groups: int, rows: int, spread: float, draws: int) -> Held:
    """Groups drawn from many; two equal models, each with its own view of every group."""
    rng = np.random.default_rng([groups, rows])
    y, scores, _ = grouped_rows(rng, _POPULATION, rows, spread)
    truth = get(metric).function(y, softmax(scores, axis=1))
    held = naive = different = 0
    for draw in range(draws):
        chosen = rng.choice(_POPULATION, groups, replace=False)
        at = (chosen[:, None] * rows + np.arange(rows)).reshape(-1)
        group, seen = np.repeat(np.arange(groups), rows), (y[at], softmax(scores[at], axis=1))
        held += _holds(score_interval(metric, *seen, units=group, draws=_BOOTSTRAP, seed=draw), truth)
        naive += _holds(score_interval(metric, *seen, draws=_BOOTSTRAP, seed=draw), truth)
        views = (spread * rng.normal(size=(2, groups, 3)))[:, group] + _OWN * rng.normal(size=(2, len(at), 3))
        two = [softmax(scores[at] + view, axis=1) for view in views]
        gain = paired_gain(metric, y[at], *two, units=group, draws=_BOOTSTRAP, seed=draw)
        different += not (np.isnan(gain.low) or gain.low <= 0 <= gain.high)
    return Held(held / draws, naive / draws, different / draws)


def _holds(interval: Interval, truth: float) -> int:
    return int(interval.low <= truth <= interval.high)


def with_few_rows(metric: str, classes: int, rows: int, draws: int) -> Held:
    """As many rows of each class; the truth is that of a population with as many of each.

    How far apart classes are in how hard they are is drawn anew with each population.
    """
    rng = np.random.default_rng([classes, rows])
    every = max(rows + 1, 40_000 // classes)
    y = np.repeat(np.arange(classes), every)
    held = different = 0
    for draw in range(draws):
        if draw % _OF_ONE == 0:
            scores = _few_scores(rng, y, classes)
            truth = get(metric).function(y, softmax(3 * scores, axis=1))
        at = (np.arange(classes)[:, None] * every + rng.integers(0, every, (classes, rows))).reshape(-1)
        own, p = y[at], softmax(3 * scores[at], axis=1)
        held += _holds(score_interval(metric, own, p, draws=_BOOTSTRAP, seed=draw), truth)
        noise = _OWN * rng.normal(size=(2, len(at), classes))
        gain = paired_gain(metric, own, *(softmax(3 * (scores[at] + one), axis=1) for one in noise), seed=draw)
        different += not (np.isnan(gain.low) or gain.low <= 0 <= gain.high)
    return Held(held / draws, float("nan"), different / draws)


def _few_scores(rng: np.random.Generator, y: np.ndarray, classes: int) -> np.ndarray:
    """Scores [n, classes] of rows of classes ``y`` [n], of which eight in ten or so are right."""
    lead = np.sqrt(2 * np.log(classes)) + 0.6
    scores = rng.normal(size=(len(y), classes)).astype(np.float32)
    scores[np.arange(len(y)), y] += lead + 0.5 * rng.normal(size=classes)[y]
    return scores


def tables(draws: int) -> tuple[Table, Table]:
    """Both tables; `MORE` times the draws where these are quick."""
    header = ("metric", "groups", "rows of each", "correlation", "95 % intervals that hold the score")
    header += ("by rows alone", "equal models called different")
    groups = []
    for metric in _METRICS:
        for count, rows, spread in GROUPS:
            found = with_groups(metric, count, rows, spread, MORE * draws)
            shown = (metric, str(count), str(rows), f"{correlation(rows, spread):.2f}", share(found.held, MORE * draws))
            groups.append((*shown, f"{found.naive:.1%}", share(found.different, MORE * draws)))
    few = []
    for metric in ("balanced_accuracy", "f1_macro", "auroc", "average_precision"):
        for classes, rows in FEW:
            several = MORE * draws if rows * classes**2 <= _QUICK else draws
            found = with_few_rows(metric, classes, rows, several)
            shares = share(found.held, several), share(found.different, several)
            few.append((metric, str(classes), str(rows), *shares))
    fewer = ("metric", "classes", "rows of each", "95 % intervals that hold the score", "equal models called different")
    return Table(header, tuple(groups)), Table(fewer, tuple(few))


def share(value: float, draws: int) -> str:
    """The share with the 95 % interval that so many draws leave."""
    low, high = wilson(value, draws, 0.95)
    return f"{value:.1%} ({low:.1%}–{high:.1%})"
