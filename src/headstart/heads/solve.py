"""Choosing a head: ridge, shrinkage LDA and logistic regression, compared on the same held-out rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.heads.candidates import Trial, candidates, every_row, full_fit
from headstart.heads.comparison import Tried, compare
from headstart.heads.folds import held_out
from headstart.heads.linear import LinearHead
from headstart.heads.rotation import rotate
from headstart.heads.scoring import Metric, balance, metric_name
from headstart.heads.target_scale import TargetScale
from headstart.heads.threads import for_size
from headstart.ragged import Ragged, items_of
from headstart.tasks import get

#: Share of rows that share a group, below which leaving out one row at a time tells enough.
_TOGETHER = 0.1
#: Share of the time given in which candidates are tried; the chosen one is then solved on all rows.
_TRYING = 0.8


@dataclass(frozen=True)
class Solved:
    """The chosen head and how it was chosen.

    Attributes:
        head: solved on all rows given, with the chosen candidate's settings.
        scores: [n, outputs], or ragged: what each row gets from a fit without it, scaled like the head's scores; nan
            for rows that the chosen candidate never held out (logistic regression on many rows).
        tried: every candidate.
        left_out: kinds that were not tried, or not to the end, for want of time.
    """

    head: LinearHead
    scores: Any
    tried: tuple[Tried, ...]
    left_out: tuple[str, ...] = ()


def solve(
    x: Any,
    y: Any,
    task: str,
    *,
    seed: int = 0,
    metric: str | Metric | None = None,
    balanced: bool = False,
    groups: np.ndarray | None = None,
    outputs: int | None = None,
    seconds: float | None = None,
    weights: np.ndarray | None = None,
) -> Solved:
    """Solve the best linear head for ``x`` [n, d] float32 that held-out rows can tell.

    ``y`` is [n] int64 class indices, [n, outputs] 0/1 labels or [n, 1] values, by ``task``. ``metric`` is one
    of `Task.head_metrics` (default the first; balanced_accuracy when ``balanced``) or a callable
    (scores, y) -> float, higher better. ``balanced`` makes classes count the same; ``groups`` [n] are kept
    together in the held-out parts; ``outputs`` is the number of classes where ``y`` may lack some. ``weights`` [n],
    0 or more, say how much each row counts in the fits; held-out scores are unweighted. Within
    ``seconds``, where they are given, fewer candidates are tried, ridge always.

    The rule: ridge's penalty and LDA's shrinkage are chosen by their exact leave-one-out scores (on the
    held-out parts where a tenth of the rows or more share a group), then all kinds are compared on the same
    held-out parts (see `folds.held_out`), each trained on the same other rows. The best mean metric wins;
    candidates that tie with it, or are behind by at most one standard error of the paired difference, are told
    apart by their held-out log loss after each one's scores were scaled by one best factor. That factor is kept in
    ``settings["factor"]``; the head's scores and the out-of-fold scores are scaled by it.

    Where rows have several items, ``x`` and ``y`` are ragged: the head is solved on the items as the task that each of
    them poses, and those of one row stay together.

    Raises:
        SettingError: shapes or values that do not fit, features that are not finite, fewer than two rows or
            groups.
    """
    begun = time.perf_counter()
    if isinstance(y, Ragged):
        groups = y.rows if groups is None else items_of(groups, y)
        own = get(task).each
        items = {"groups": groups, "weights": items_of(weights, y)}
        found = solve(
            x.values,
            y.values,
            own,
            seed=seed,
            metric=metric,
            balanced=balanced,
            outputs=outputs,
            seconds=seconds,
            **items,
        )
        return replace(found, head=replace(found.head, task=task), scores=y.like(found.scores))
    x, y, outputs = checked(x, y, task, outputs)
    named = metric_of(task, metric, balanced)
    parts = held_out(y, task, seed=seed, groups=groups)
    y, named, scale = standardised(y, task, named)
    with for_size(x.shape, outputs):
        rotation = rotate(x, row_weights(y, balanced, weights))
        trial = Trial(y, task, outputs, named, parts, balanced, rotation, much_together(groups))
        left = None if seconds is None else _TRYING * seconds - (time.perf_counter() - begun)
        found = _solve(trial, left)
    return Solved(scale.head_of_values(found.head), scale.values(found.scores), found.tried, found.left_out)


def much_together(groups: np.ndarray | None) -> bool:
    """Whether so many rows share a group that one of them left out at a time would be judged by its like."""
    if groups is None:
        return False
    which, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    return bool((sizes[which] > 1).mean() >= _TOGETHER)


def _solve(trial: Trial, seconds: float | None) -> Solved:
    found, left_out = candidates(trial, seconds)
    chosen, tried = compare(trial, found)
    best, settings = found[chosen], tried[chosen].settings
    head = _head(best.kind, settings, trial, best.start)
    return Solved(head, every_row(best, trial) * np.float32(settings["factor"]), tried, left_out)


def refit(
    chosen: LinearHead | Tried,
    x: Any,
    y: Any,
    task: str,
    *,
    outputs: int | None = None,
    weights: np.ndarray | None = None,
) -> LinearHead:
    """Solve the kind and settings of ``chosen`` on other rows, say on training and validation rows together.

    Raises:
        SettingError: as `solve`.
    """
    if isinstance(y, Ragged):
        own = get(task).each
        head = refit(chosen, x.values, y.values, own, outputs=outputs, weights=items_of(weights, y))
        return replace(head, task=task)
    x, y, outputs = checked(x, y, task, outputs)
    balanced, scale = chosen.settings["balanced"], TargetScale.of(y, task)
    with for_size(x.shape, outputs):
        rotation = rotate(x, row_weights(y, balanced, weights))
        trial = Trial(scale.standardised(y), task, outputs, "", [], balanced, rotation, grouped=False)
        return scale.head_of_values(_head(chosen.kind, chosen.settings, trial))


def _head(kind: str, settings: dict[str, Any], trial: Trial, start: np.ndarray | None = None) -> LinearHead:
    weight, bias = full_fit(kind, settings, trial, start)
    factor = settings["factor"]
    return trial.rotation.head(weight * factor, bias * factor, trial.task, kind, settings)


def row_weights(y: np.ndarray, balanced: bool, weights: np.ndarray | None) -> np.ndarray | None:
    """[n] what each row counts for: ``weights``, times what makes classes count the same; None: all the same.

    Raises:
        SettingError: weights that are none, or none above 0.
    """
    if weights is None:
        return balance(y) if balanced else None
    weights = np.asarray(weights, np.float64)
    if weights.shape != (len(y),) or not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
        raise SettingError(
            f"weights of shape {list(weights.shape)} for {len(y)} rows; give each row a number from 0 on, some above 0."
        )
    return weights * balance(y) if balanced else weights


def standardised(y: np.ndarray, task: str, metric: str | Metric) -> tuple[np.ndarray, str | Metric, TargetScale]:
    """Targets as every solver takes them, the metric of such, and what puts scores back into the target's unit.

    A metric of the caller's own is still asked about values in the target's unit.
    """
    scale = TargetScale.of(y, task)
    if not callable(metric) or not get(task).values:
        return scale.standardised(y), metric, scale
    return scale.standardised(y), lambda scores, y: metric(scale.values(scores), scale.values(y)), scale


def metric_of(task: str, metric: str | Metric | None, balanced: bool) -> str | Metric:
    """What candidates are compared by; see `solve`.

    Raises:
        SettingError: the task has no such metric, or no classes to balance.
    """
    if balanced and not get(task).exclusive:
        raise SettingError(f"balanced is for classification; for {task} leave it out.")
    if balanced and metric is None:
        metric = "balanced_accuracy"
    return metric if callable(metric) else metric_name(task, metric)


def checked(x: np.ndarray, y: np.ndarray, task: str, outputs: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Features as float32, targets, number of outputs.

    Raises:
        SettingError: on what cannot be solved.
    """
    classes = get(task).exclusive
    x, y = np.asarray(x, np.float32), np.asarray(y)
    if x.ndim != 2 or y.ndim != (1 if classes else 2) or len(x) != len(y) or not x.size:
        wanted = "[n]" if classes else "[n, outputs]"
        raise SettingError(f"features {x.shape} and targets {y.shape} do not fit; {task} takes [n, d] and {wanted}.")
    bad = np.flatnonzero(~np.isfinite(x.sum(axis=1, dtype=np.float64)))
    if len(bad):
        raise SettingError(f"{len(bad)} rows of features are not finite, the first is row {bad[0]}; remove them.")
    if not np.isfinite(y).all():
        raise SettingError("some targets are not finite; remove those rows.")
    if not classes:
        return x, y, y.shape[1]
    if not np.issubdtype(y.dtype, np.integer) or y.min() < 0 or (outputs is not None and y.max() >= outputs):
        raise SettingError(f"classes must be whole numbers from 0 to {'k' if outputs is None else outputs} - 1.")
    return x, y, int(y.max()) + 1 if outputs is None else outputs
