"""The control that tells what the borrowed weights were worth: the same network, trained from random ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from headstart.bases.adapted import AdaptedBase
from headstart.controls.panel import ControlRun
from headstart.evaluation.verdict import SCRATCH
from headstart.flow.search import Climbed
from headstart.strategies.budget import Budget
from headstart.strategies.pricing import scratch_recipe
from headstart.strategies.training import train_options
from headstart.training.job import Job, Trained
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows


def scratch_control(climbed: Climbed, budget: Budget) -> Callable[[TrainRows], ControlRun] | None:
    """How the test rows are answered by the network trained from scratch at equal budget; None where there is none.

    Equal budget: as many optimiser steps as the model handed over took, a phase that trains a part of the stages
    counting for that part of its steps. There is none where nothing was trained, where the user asked for none, where
    the strategy itself is from scratch, or where the time does not allow it, which is said.
    """
    ground, final = climbed.climb.best.ground or climbed.ground, climbed.final
    recipe, settings = climbed.climb.best.recipe, ground.settings
    if not final.adapted or recipe is None or recipe.scratch or not settings.scratch_control:
        return None
    needed, answers = climbed.climb.later.control, climbed.climb.later.answers
    left = budget.left()
    if left is not None and needed + answers > left:
        have = f"{max(0.0, left - answers):.0f} s are left"
        said = f"no baseline {SCRATCH}, which would take about {needed:.0f} s, and {have}"
        budget.leave_out(said, ground.progress)
        return None
    start = time.perf_counter()
    own = scratch_recipe(recipe, len(ground.rows), train_options(ground, len(ground.rows)))
    trained = _train(climbed, own, None if left is None else left - answers)
    cut = ""
    if trained.stopped == "budget":
        cut = f"was trained for {trained.steps:,} of {own.phases[0].least_steps:,} steps"
        budget.leave_out(f"the baseline {SCRATCH} {cut}", ground.progress)

    def answer(rows: TrainRows) -> ControlRun:
        from headstart.training.answers import pooled

        base = AdaptedBase(ground.base, trained.changes)
        vectors = pooled(base, base.network(), rows, ground.progress)
        return ControlRun(SCRATCH, trained.head.probabilities(vectors), time.perf_counter() - start, cut)

    return answer


def _train(climbed: Climbed, recipe: Recipe, seconds: float | None) -> Trained:
    from headstart.training.run import train

    ground = climbed.climb.best.ground or climbed.ground
    options = train_options(ground, len(ground.rows))
    job = Job(
        ground.base,
        recipe,
        ground.task.name,
        ground.task.outputs,
        ground.rows,
        None,
        None,
        replace(options, seconds=seconds, replay=0.0, l2sp=0.0),
    )
    ground.progress.say(f"baseline {SCRATCH}: {recipe.phases[0].least_steps} steps from random weights")
    with ground.progress.stage(f"baseline {SCRATCH}"):
        return train(job, ground.progress)
