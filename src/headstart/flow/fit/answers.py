"""The answers of a run, kept so that it can be compared and drawn on without the model."""

from __future__ import annotations

import numpy as np

from headstart.delivery.answers import HELD, TEST, Answers
from headstart.flow.calibration import Calibrated
from headstart.flow.judgement import Judgement
from headstart.flow.preparation import Prepared
from headstart.flow.search import Climbed
from headstart.flow.selection import Preferred
from headstart.ragged import flat, joined, shaped


def answers_of(
    prepared: Prepared, climbed: Climbed, calibrated: Calibrated, judged: Judgement | None, preferred: Preferred | None
) -> Answers:
    """Held-out and test rows with the answers to each, of the model that is handed over; ``judged`` None: no test."""
    ground, working = climbed.ground, prepared.working()
    test = judged.rows if judged else working.span(0, 0)
    rows = ground.holding.rows
    fold = np.concatenate([np.full(len(out), part) for part, (_, out) in enumerate(ground.holding.parts)])
    held, limits = calibrated.held, calibrated.thresholds
    tested = judged.probabilities if judged else held[:0]
    if preferred:
        held, limits = preferred.held, preferred.thresholds
    if preferred and judged:
        tested = next(run.probabilities for run in judged.panel if run.name == preferred.control.name)
    said = joined([held, tested])
    return Answers(
        part=np.array([HELD] * len(rows) + [TEST] * len(test)),
        ids=np.concatenate([working.table.ids[rows], test.table.ids]).astype(str),
        keys=np.concatenate([working.keys[rows], test.keys]).astype(str),
        truth=joined([working.y[rows], test.y]),
        probabilities=shaped(flat(said).astype(ground.task.precision), said),
        fold=np.concatenate([fold, np.zeros(len(test), int)]),
        labels=ground.task.labels,
        task=ground.task.name,
        metric=ground.metric,
        thresholds=limits,
        unit=np.concatenate([ground.held_units, test.units() + 1 + int(ground.units.max(initial=-1))]),
    )
