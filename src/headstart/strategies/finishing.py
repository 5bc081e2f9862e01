"""The chosen candidate made again on all working rows: what is handed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.changes import Changes
from headstart.bases.staged import StagedBase
from headstart.heads.linear import LinearHead
from headstart.records import ForgettingRecord
from headstart.strategies.budget import Budget
from headstart.strategies.ground import Ground
from headstart.strategies.ladder import Climb
from headstart.strategies.names import STRATEGIES
from headstart.strategies.solving import solve_again
from headstart.strategies.training import start_head, train_again
from headstart.training.job import Trained

_ENOUGH = 0.8  # of the seconds predicted: training again ends its schedule that much earlier


@dataclass(frozen=True)
class Final:
    """What is handed over.

    Attributes:
        base: whose features the head stands on: the base itself, all its stages, or the adapted base.
        head: on them.
        adapted: whether weights of the base were changed in this run.
        trained: the run on all working rows; None where only a head was solved.
        forgetting: of the adapted base; None where the base's weights did not move.
        held: [h, outputs] probabilities (regression: values) of the held-out rows by the candidate's own runs, drawn
            back as far as the model itself; None where it was not, so that the candidate's answers are its own.
    """

    base: Base
    head: LinearHead
    adapted: bool = False
    trained: Trained | None = None
    forgetting: ForgettingRecord | None = None
    held: Any = None


def finish(ground: Ground, climb: Climb, budget: Budget) -> Final:
    """Make ``climb.best`` again on all working rows, within what is left of the budget."""
    best, probe, whole = climb.best, STRATEGIES["probe"], ground
    ground = best.ground or ground
    if not best.runs:
        base = StagedBase(ground.base) if best.features == "stages" else ground.base
        return Final(base, solve_again(ground, STRATEGIES[best.strategy], best, budget.left()))
    if best.recipe is None or not best.recipe.phases:
        ground.progress.say("  training did not improve the score: the probe is kept")
        return Final(whole.base, solve_again(whole, probe, climb.probe, budget.left()))
    solved = start_head(ground, climb.probe, np.arange(len(ground.rows)))
    changes, head, trained = _again(ground, climb, solved, budget)
    if best.recipe.scratch:
        return Final(AdaptedBase(ground.base, changes), head, True, trained)
    from headstart.strategies.keeping import Gauge, kept_within  # needs torch, which a probe can do without

    retained = ground.retained
    gauge = Gauge.of(
        ground.base, retained or ground.rows.take(ground.holding.rows), "retained" if retained else "held-out"
    )
    limit = ground.settings.max_forgetting
    changes, head, forgetting = kept_within(
        ground.base, changes, (solved, head), gauge, limit, ground.rows, ground.progress
    )
    if forgetting.kept == 0:  # the base itself: the probe's own head is the best there is for it
        return Final(whole.base, solve_again(whole, probe, climb.probe), False, trained, forgetting)
    held = None if forgetting.kept == 1 else _drawn_back(ground, climb, forgetting.kept)
    return Final(AdaptedBase(ground.base, changes), head, True, trained, forgetting, held)


def _drawn_back(ground: Ground, climb: Climb, share: float) -> Any:
    """[h, outputs]: the held-out rows by the best candidate's runs, each drawn back to ``share`` of its way."""
    from headstart.strategies.keeping import drawn_back

    runs = climb.best.runs

    def answers(part: int, train: np.ndarray, out: np.ndarray) -> Any:
        heads = start_head(ground, climb.probe, train), runs[part].head
        rows = ground.rows.take(train), ground.rows.take(out)
        return drawn_back(ground.base, runs[part].changes, heads, share, *rows, ground.progress)

    return ground.holding.collect(answers)


def _again(
    ground: Ground, climb: Climb, solved: LinearHead, budget: Budget
) -> tuple[Changes, LinearHead, Trained | None]:
    """On all rows; where the time does not allow it, or it diverges, what the first part's run came to."""
    best, first, later = climb.best, climb.best.runs[0], climb.later
    left = budget.left()
    if left is not None:
        left -= later.forgetting + later.answers
        if left < _ENOUGH * later.again:
            said = f"training again on all working rows: it would take about {later.again:.0f} s"
            said = f"{said}, and {max(0.0, left):.0f} s are left; the validated weights are kept"
            budget.leave_out(said, ground.progress)
            return first.changes, first.head, None
    scratch = best.recipe is not None and best.recipe.scratch
    run = train_again(ground, best, None if scratch else solved, left)
    if run.stopped == "diverged" or not np.isfinite(run.head.weight).all():
        ground.progress.say("  training on all working rows diverged: the validated weights are kept")
        return first.changes, first.head, None
    return run.changes, run.head, run
