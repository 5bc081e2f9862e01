"""The control that tells what the borrowed weights were worth: the same network, trained from random ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from headstart.bases.adapted import AdaptedBase
from headstart.controls.panel import ControlRun
from headstart.evaluation.verdict import SCRATCH
from headstart.flow.climbing import Climbed
from headstart.settings import TrainingSettings
from headstart.strategies.budget import Budget
from headstart.strategies.names import STRATEGIES
from headstart.strategies.training import told, train_options
from headstart.training.job import Job, Trained
from headstart.training.options import TrainOptions
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows


def scratch_control(climbed: Climbed, budget: Budget) -> Callable[[TrainRows], ControlRun] | None:
    """How the test rows are answered by the network trained from scratch at equal budget; None where there is none.

    Equal budget: as many optimiser steps as the model handed over took, a phase that trains a part of the stages
    counting for that part of its steps. There is none where nothing was trained, where the user asked for none, where
    the strategy itself is from scratch, or where the time does not allow it, which is said.
    """
    ground, final = climbed.ground, climbed.final
    recipe, settings = climbed.climb.best.recipe, ground.settings
    if not final.adapted or recipe is None or recipe.scratch or not settings.scratch_control:
        return None
    needed = final.trained.seconds if final.trained else climbed.climb.seconds_again
    if not budget.allows(needed):
        ground.progress.say(f"  control from scratch: not run, it would take about {needed:.0f} s")
        return None
    start = time.perf_counter()
    trained = _train(climbed, budget)

    def answer(rows: TrainRows) -> ControlRun:
        from headstart.training.answers import pooled

        base = AdaptedBase(ground.base, trained.changes)
        vectors = pooled(base, base.network(), rows, ground.progress)
        return ControlRun(SCRATCH, trained.head.probabilities(vectors), time.perf_counter() - start)

    return answer


def scratch_recipe(recipe: Recipe, rows: int, options: TrainOptions) -> Recipe:
    """Training from random weights in as many steps as ``recipe`` takes on ``rows`` rows."""
    steps = sum(_counted(phase.thaw) * phase.steps(rows, options.batch) for phase in recipe.phases)
    own = told(STRATEGIES["scratch"], TrainingSettings()).phases[0]
    return Recipe((replace(own, epochs=0.0, least_steps=max(1, round(steps))),), scratch=True)


def _train(climbed: Climbed, budget: Budget) -> Trained:
    from headstart.training.run import train

    ground, best = climbed.ground, climbed.climb.best
    options = train_options(ground, len(ground.rows))
    recipe = scratch_recipe(best.recipe or Recipe(()), len(ground.rows), options)
    job = Job(
        ground.base,
        recipe,
        ground.task.name,
        ground.task.outputs,
        ground.rows,
        None,
        None,
        replace(options, seconds=budget.left(), replay=0.0, l2sp=0.0),
    )
    ground.progress.say(f"control from scratch: {recipe.phases[0].least_steps} steps from random weights")
    return train(job, ground.progress)


def _counted(thaw: int | float) -> float:
    """The share of a step's work that a phase does."""
    return float(thaw) if isinstance(thaw, float) else 0.5
