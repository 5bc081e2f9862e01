"""The controls of a run: which there are for a task and a modality, fitted and timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.controls.control import Control, ControlState
from headstart.controls.majority import Majority
from headstart.errors import SettingError
from headstart.modalities import get
from headstart.tasks import Task
from headstart.tasks import get as get_task

_TIMED = 300  # rows that a control is timed on before it is fitted


@dataclass(frozen=True)
class ControlRun:
    """One control's answers on the test rows: probabilities [n, outputs], or ragged, and the seconds it took.

    ``left_out``: what its fit left out for want of time, to follow its name; "" for nothing.
    """

    name: str
    probabilities: Any
    seconds: float
    left_out: str = ""


def controls_for(modality: str, task: type[Task] | Task | str, outputs: int) -> list[Control]:
    """New controls for ``task``, the plainest first: its own, those that can be fitted here, else ``modality``'s.

    Raises:
        SettingError: ``task`` names a control that there is not.
    """
    own = _own(get_task(task) if isinstance(task, str) else task)
    return [one(outputs) for one in own.values() if not one.missing()] if own else _of_modality(modality, outputs)


def left_out(task: type[Task] | Task) -> dict[str, str]:
    """By name, the controls of ``task`` that cannot be fitted here, and why, in words."""
    return {name: why for name, one in _own(task).items() if (why := one.missing())}


def _own(task: type[Task] | Task) -> dict[str, type[Control]]:
    """By name, the controls that ``task`` itself has."""
    if not task.controls:
        return {}
    from headstart.controls.tagging import Crf, MostFrequentTag

    known: dict[str, type[Control]] = {one.name: one for one in (MostFrequentTag, Crf)}
    if unknown := [name for name in task.controls if name not in known]:
        raise SettingError(f"task {task.name!r} names the baseline {unknown[0]!r}; it may be {', '.join(known)}.")
    return {name: known[name] for name in task.controls}


def _of_modality(modality: str, outputs: int) -> list[Control]:
    panel: list[Control] = [Majority(outputs)]
    own = get(modality)
    if own.classical is not None:
        from headstart.controls.features_linear import FeaturesLinear

        panel.append(FeaturesLinear(outputs, own.baseline))
    elif own.tokenised:
        from headstart.controls.text_linear import TextLinear

        panel.append(TextLinear(outputs))
    return panel


def restore(name: str, modality: str, task: type[Task] | Task, outputs: int, state: ControlState) -> Control:
    """The control called ``name`` as it was when it gave ``state``; what only fitting needs need not be here.

    Raises:
        KeyError, TypeError, ValueError: ``task`` and ``modality`` have no such control, or ``state`` is not its own.
    """
    kinds = _own(task) or {control.name: type(control) for control in _of_modality(modality, outputs)}
    restored = kinds[name].from_state(outputs, state)
    restored.name = name
    return restored


def run(
    control: Control,
    inputs: Sequence[Any] | np.ndarray,
    y: Any,
    test_inputs: Sequence[Any] | np.ndarray,
    task: str,
    seed: int,
    seconds: float | None = None,
    weights: np.ndarray | None = None,
) -> ControlRun:
    """Fit ``control`` on the rows the chosen candidate was fitted on, within ``seconds``, and answer the test rows."""
    start = time.perf_counter()
    control.fit(inputs, y, task, seed, seconds, weights)
    answers = control.probabilities(test_inputs)
    return ControlRun(control.name, answers, time.perf_counter() - start, control.left_out)


def predicted_seconds(
    modality: str, inputs: Sequence[Any] | np.ndarray, y: Any, outputs: int, task: str, seed: int
) -> float:
    """Of fitting all controls on ``inputs``, from a bare fit on some of them: the widths and the outputs tell the rest.

    Features are timed and one round of gradient steps, or one solution in closed form, which the work is made of.
    """
    rows = np.random.default_rng(seed).permutation(len(y))[:_TIMED]
    some = inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
    return sum(one.predicted(some, y[rows], len(y), task, seed) for one in controls_for(modality, task, outputs))
