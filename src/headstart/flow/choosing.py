"""Whether a control beats the best borrowed model on held-out rows, and is to be handed over in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.controls.control import Control
from headstart.controls.panel import controls_for
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.flow.climbing import Climbed
from headstart.flow.preparing import Prepared, Rows
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
        gain: of the control over the candidate on them.
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

    A control is preferred where the ladder's bound, the paired lower 90 % bound of its gain, lies above 0. Far from
    what the base knows there is little to borrow, so there it is enough that the control did better: of ten cuts of
    digits and spectrograms with 50 rows, where it was better on the test part of all, 5 showed it and 9 had it ahead
    (docs/log.md, 37).

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
        y, units, level = ground.held_y, ground.held_units, 2 * LEVEL - 1
        gain = paired_gain(ground.metric, y, answers, held, units=units, level=level, seed=ground.seed)
        better = bool(gain.low > 0 or (far > FAR and gain.value > 0))
        found.append(Against(number, control.name, answers, gain, better))
    return sorted(found, key=lambda one: -np.nan_to_num(one.gain.value, nan=-np.inf))


def preferred_control(prepared: Prepared, climbed: Climbed) -> Preferred | None:
    """The control that beats the best candidate on its held-out rows, if one does."""
    ground, climb, working = climbed.ground, climbed.climb, prepared.working()
    for one in against_controls(prepared, ground, climb.best.held, climb.record.distance):
        if one.better:
            return Preferred(_fitted(one.number, working, np.arange(len(working)), ground), one.gain, one.held)
    return None


def _panel(rows: Rows, task: Task) -> list[Control]:
    return controls_for(rows.table.modality, task.outputs)


def _fitted(number: int, working: Rows, rows: np.ndarray, ground: Ground) -> Control:
    """A new control of that place in the panel, fitted on some of the working rows."""
    control = _panel(working, ground.task)[number]
    control.fit(_rows(working.control_inputs(), rows), working.y[rows], ground.task.name, ground.seed)
    return control


def _rows(inputs: Sequence[Any] | np.ndarray, rows: np.ndarray) -> Sequence[Any] | np.ndarray:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
