"""The controls of a run: which there are for a modality, fitted and timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.controls.majority import Majority


@dataclass(frozen=True)
class ControlRun:
    """One control's answers on the test rows: probabilities [n, outputs] and the seconds it took."""

    name: str
    probabilities: np.ndarray
    seconds: float


def controls_for(modality: str, outputs: int) -> list[Control]:
    """New controls for ``modality``, the plainest first."""
    panel: list[Control] = [Majority(outputs)]
    if modality == "text":
        from headstart.controls.text_linear import TextLinear

        panel.append(TextLinear(outputs))
    if modality == "image":
        from headstart.controls.image_linear import ImageLinear

        panel.append(ImageLinear(outputs))
    return panel


def restore(name: str, modality: str, outputs: int, state: ControlState) -> Control:
    """The control called ``name`` as it was when it gave ``state``.

    Raises:
        KeyError, TypeError, ValueError: ``modality`` has no such control, or ``state`` is not its own.
    """
    kinds = {control.name: type(control) for control in controls_for(modality, outputs)}
    return kinds[name].from_state(outputs, state)


def run(
    control: Control,
    inputs: Sequence[Any] | np.ndarray,
    y: np.ndarray,
    test_inputs: Sequence[Any] | np.ndarray,
    task: str,
    seed: int,
) -> ControlRun:
    """Fit ``control`` on the rows the chosen candidate was fitted on, and answer the test rows."""
    start = time.perf_counter()
    control.fit(inputs, y, task, seed)
    return ControlRun(control.name, control.probabilities(test_inputs), time.perf_counter() - start)
