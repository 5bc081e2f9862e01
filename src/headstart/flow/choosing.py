"""Whether a control beats the best borrowed model on held-out rows, and is to be handed over in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.controls.control import Control
from headstart.controls.panel import controls_for
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.flow.calibrating import held_answers
from headstart.flow.climbing import Climbed
from headstart.flow.preparing import Prepared, Rows
from headstart.strategies.budget import Budget
from headstart.strategies.ground import Ground
from headstart.strategies.plan import LEVEL
from headstart.tasks.task import Task
from headstart.training.distance.own_answers import FAR


@dataclass(frozen=True)
class Against:
    """One control beside a candidate, each fitted without the held-out rows that it answers.

    Attributes:
        number: its place in the panel.
        name: the control's.
        held: [h, outputs] its answers on the held-out rows.
        gain: of the control over the candidate on them, between one-sided bounds of `plan.LEVEL` each.
        better: whether the control is to be preferred.
    """

    number: int
    name: str
    held: np.ndarray
    gain: Interval
    better: bool


@dataclass(frozen=True)
class Preferred:
    """A control that is to be handed over in place of the best borrowed model.

    Attributes:
        control: fitted on all working rows.
        gain: over the best borrowed model on held-out rows.
        held: [h, outputs] its answers on them.
    """

    control: Control
    gain: Interval
    held: np.ndarray


def against_controls(prepared: Prepared, ground: Ground, held: np.ndarray, far: float) -> list[Against]:
    """Every control against a candidate's answers ``held`` [h, outputs], the best first; the test part is not asked.

    A control is preferred where the paired lower bound of its gain lies above 0 with the ladder's 90 % confidence, for
    all controls together: the best of several was chosen by the rows that judge it. Far from what the base knows there
    is little to borrow, so there it is enough that the control did better: of ten cuts of digits and spectrograms with
    50 rows, where it was better on the test part of all, 5 showed it and 9 had it ahead (docs/log.md, 37).

    Args:
        far: distance of the data from what the base was trained on; nan: not known.
    """
    working, found = prepared.working(), []
    for number, control in enumerate(_panel(working, ground.task)):
        answers = np.concatenate(
            [
                _fitted(number, working, train, ground).probabilities(_rows(working.control_inputs(), out))
                for train, out in ground.holding.parts
            ]
        )
        gain = _gain(ground, answers, held, LEVEL)
        found.append(Against(number, control.name, answers, gain, bool(far > FAR and gain.value > 0)))
    # those shown to be worse are no candidates for the best
    level = 1 - (1 - LEVEL) / max(1, sum(not one.gain.high < 0 for one in found))
    found = [replace(one, better=one.better or _gain(ground, one.held, held, level).low > 0) for one in found]
    return sorted(found, key=lambda one: -np.nan_to_num(one.gain.value, nan=-np.inf))


def _gain(ground: Ground, answers: np.ndarray, held: np.ndarray, level: float) -> Interval:
    """Of a control's ``answers`` over ``held``, between bounds of the one-sided ``level``."""
    y, units = ground.held_y, ground.held_units
    return paired_gain(ground.metric, y, answers, held, units=units, level=2 * level - 1, seed=ground.seed)


def preferred_control(prepared: Prepared, climbed: Climbed, budget: Budget) -> Preferred | None:
    """The control that beats the borrowed model that would be handed over on its held-out rows, if one does.

    Not asked where a budget leaves no time for it, which `remaining` has said.
    """
    ground, climb, working = climbed.ground, climbed.climb, prepared.working()
    if budget.seconds is not None and not climbed.remaining.compared:
        return None
    for one in against_controls(prepared, ground, held_answers(climbed), climb.record.distance):
        if one.better:
            return Preferred(_fitted(one.number, working, np.arange(len(working)), ground), one.gain, one.held)
    return None


def _panel(rows: Rows, task: Task) -> list[Control]:
    return controls_for(rows.table.modality, task.outputs)


def _fitted(number: int, working: Rows, rows: np.ndarray, ground: Ground) -> Control:
    """A new control of that place in the panel, fitted on some of the working rows."""
    control = _panel(working, ground.task)[number]
    weights = None if working.weights is None else working.weights[rows]
    inputs = _rows(working.control_inputs(), rows)
    control.fit(inputs, working.y[rows], ground.task.name, ground.seed, weights=weights)
    return control


def _rows(inputs: Sequence[Any] | np.ndarray, rows: np.ndarray) -> Sequence[Any] | np.ndarray:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
