"""Rows of features to the model of one strategy, without the flow of a run: for the scikit-learn estimators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.bases.base import Base
from headstart.errors import SettingError
from headstart.heads.folds import deal
from headstart.modalities import get as modality
from headstart.progress import Progress
from headstart.settings import TrainingSettings
from headstart.strategies.budget import Budget
from headstart.strategies.finishing import Final, finish
from headstart.strategies.ground import Ground
from headstart.strategies.holding import FOLDS, hold
from headstart.strategies.ladder import climb, single
from headstart.strategies.names import AUTO, STRATEGIES, get
from headstart.strategies.solving import solved
from headstart.tasks.task import Task
from headstart.training.rows import TrainRows

_HELD = 5  # the validation rows are one part in so many


def tuned(
    base: Base,
    rows: TrainRows,
    task: Task,
    metric: str,
    strategy: str,
    *,
    weighed: bool = False,
    seconds: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Final:
    """The model of ``strategy``, or of the strategy search ("auto"), on all ``rows``.

    A fifth of the rows are the validation set that looks, and strategies of the search, are chosen by; where rows are
    few every one is held out in turn by the search. The model is then made again on all rows.

    Args:
        rows: with the base's features; those of equal contents are not parted.
        weighed: whether the caller said how much classes count.
        seconds: that this may take; None: as long as it pays.

    Raises:
        SettingError: the base is a frozen graph and the strategy trains it, or the time allows nothing.
        SplitError: too few rows to compare anything on.
    """
    if strategy != AUTO and not base.trainable and (get(strategy).recipe or get(strategy).features != "pooled"):
        raise SettingError(
            f"strategy {strategy!r} needs the weights of base {base.identity.name!r}, which is a frozen graph; take "
            "strategy='probe', or a base with weights."
        )
    units = np.unique(rows.keys.astype(str), return_inverse=True)[1].reshape(-1)
    held = deal(rows.y, task.name, _HELD, seed=seed, groups=units)[0]
    train = np.setdiff1d(np.arange(len(rows)), held)
    order = np.concatenate([train, held])
    rows, units = rows.take(order), units[order]
    may_fold = strategy == AUTO or get(strategy).recipe is None
    holding = hold(len(train), len(held), rows.y, task.name, units, folds=FOLDS if may_fold else None, seed=seed)
    settings, progress = TrainingSettings(), progress or Progress()
    ground = Ground(
        base, task, rows, holding, units, metric, settings, None, "none", None, seed, progress, weighed=weighed
    )
    augmentation, words = modality(base.modality).augmentation("default", task.labels, ground.per_class, base.spec)
    ground = replace(ground, augmentation=augmentation, augmented=words)
    budget = Budget(seconds)
    probe = solved(ground, STRATEGIES["probe"])
    if strategy == AUTO:
        found = climb(ground, probe, budget, probe.seconds)
    else:
        found = single(ground, get(strategy), probe, budget, probe.seconds)
    final = finish(ground, found, budget)
    ground.finished.clear()
    return final
