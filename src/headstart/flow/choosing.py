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


def preferred_control(prepared: Prepared, climbed: Climbed) -> Preferred | None:
    """The control that beats the best candidate on its held-out rows, if one is shown to; the test part is not asked.

    The bound is the ladder's: the paired lower 90 % bound of the control's gain lies above 0. Far from what the base
    knows there is little to borrow, so there it is enough that the control did better: of ten cuts of digits and
    spectrograms with 50 rows, where it was better on the test part of all, 5 showed it and 9 had it ahead (docs/log.md,
    37).
    """
    ground, best, working = climbed.ground, climbed.climb.best, prepared.working()
    shown: list[Preferred] = []
    for number in range(len(_panel(working, ground.task))):
        held = [
            _fitted(number, working, train, ground).probabilities(_rows(working.control_inputs(), out))
            for train, out in ground.holding.parts
        ]
        answers, level = np.concatenate(held), 2 * LEVEL - 1
        gain = paired_gain(ground.metric, ground.held_y, answers, best.held, level=level, seed=ground.seed)
        if gain.low > 0 or (climbed.climb.record.distance > FAR and gain.value > 0):
            shown.append(Preferred(_fitted(number, working, np.arange(len(working)), ground), gain, answers))
    return max(shown, key=lambda one: one.gain.value, default=None)


def _panel(rows: Rows, task: Task) -> list[Control]:
    return controls_for(rows.table.modality, task.outputs)


def _fitted(number: int, working: Rows, rows: np.ndarray, ground: Ground) -> Control:
    """A new control of that place in the panel, fitted on some of the working rows."""
    control = _panel(working, ground.task)[number]
    control.fit(_rows(working.control_inputs(), rows), working.y[rows], ground.task.name, ground.seed)
    return control


def _rows(inputs: Sequence[Any] | np.ndarray, rows: np.ndarray) -> Sequence[Any] | np.ndarray:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
