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
from headstart.flow.preparing import Prepared
from headstart.strategies.plan import LEVEL


@dataclass(frozen=True)
class Preferred:
    """A control that is to be handed over: fitted on all working rows, and its gain over the best borrowed model."""

    control: Control
    gain: Interval


def preferred_control(prepared: Prepared, climbed: Climbed) -> Preferred | None:
    """The control that beats the best candidate on its held-out rows, if one is shown to; the test part is not asked.

    The bound is the ladder's: the paired lower 90 % bound of the control's gain lies above 0.
    """
    ground, best = climbed.ground, climbed.climb.best
    working, task = prepared.working(), prepared.task
    inputs = working.control_inputs()
    shown: list[Preferred] = []
    for number in range(len(controls_for(working.table.modality, task.outputs))):

        def fitted(rows: np.ndarray, number: int = number) -> Control:
            control = controls_for(working.table.modality, task.outputs)[number]
            control.fit(_rows(inputs, rows), working.y[rows], task.name, ground.seed)
            return control

        def answers(part: int, train: np.ndarray, held: np.ndarray, number: int = number) -> np.ndarray:
            return fitted(train, number).probabilities(_rows(inputs, held))

        held = ground.holding.collect(answers)
        gain = paired_gain(ground.metric, ground.held_y, held, best.held, level=2 * LEVEL - 1, seed=ground.seed)
        if gain.low > 0:
            shown.append(Preferred(fitted(np.arange(len(working))), gain))
    return max(shown, key=lambda one: one.gain.value, default=None)


def _rows(inputs: Sequence[Any] | np.ndarray, rows: np.ndarray) -> Sequence[Any] | np.ndarray:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
