"""Whether a control beats the best borrowed model on held-out rows, and is to be handed over in its place."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.controls.control import Control
from headstart.controls.panel import controls_for, left_out
from headstart.errors import SettingError
from headstart.evaluation.baselines import typed
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.next_step import Selected
from headstart.evaluation.thresholds import Rule, Thresholds, crossfitted, fit_thresholds
from headstart.flow.calibration import held_answers
from headstart.flow.preparation import Prepared, Rows
from headstart.flow.search import Climbed
from headstart.modalities import get
from headstart.ragged import joined
from headstart.strategies.budget import Budget
from headstart.strategies.ground import Ground
from headstart.strategies.names import asked_baseline
from headstart.strategies.plan import LEVEL
from headstart.tasks import get as get_task
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
    held: Any
    gain: Interval
    better: bool


@dataclass(frozen=True)
class Preferred:
    """A control that is to be handed over in place of the best borrowed model, as it does better or was asked for.

    Attributes:
        control: fitted on all working rows.
        gain: over the best borrowed model on held-out rows.
        held: [h, outputs] its answers on them.
        asked: whether it was asked for, better or not.
        thresholds: from which its labels are given, or None.
    """

    control: Control
    gain: Interval
    held: Any
    asked: bool = False
    thresholds: Thresholds | None = None


def selected_model(climbed: Climbed, preferred: Preferred | None) -> Selected:
    """The model that is handed over, by name."""
    best, final = climbed.climb.best, climbed.final
    strategy = best.strategy if final.adapted or not best.runs else "probe"  # training that made nothing better
    return Selected(strategy, preferred.control.name, preferred.asked) if preferred else Selected(strategy)


def check_baseline(strategy: str, modality: str, task: str) -> None:
    """Refuse a baseline that ``task`` and ``modality`` have not, or that cannot be fitted here, before any work.

    Raises:
        SettingError: what came, and what there is.
    """
    name = asked_baseline(strategy)
    there = [control.name for control in controls_for(modality, task, 1)]
    if name in (missing := left_out(get_task(task))):
        raise SettingError(f"strategy {strategy!r} cannot be had: {missing[name]}")
    if name is not None and name not in there:
        known = ", ".join(map(typed, there))
        own = get_task(task).controls
        what = f"{task} tasks" if own else get(modality).plural
        raise SettingError(f"strategy {strategy!r} is not for {what}; a baseline for them is one of {known}.")


def asked_control(prepared: Prepared, climbed: Climbed, name: str, rule: Rule | None = None) -> Preferred:
    """The control called ``name``, which was asked for whether or not it is the better model."""
    ground, working = climbed.ground, prepared.working()
    number = next(i for i, one in enumerate(_panel(working, ground.task)) if one.name == name)
    held = _held(number, working, ground)
    if held is None:
        raise SettingError(f"the baseline {name!r} has no answers to the held-out rows.")
    gain = _gain(ground, _decided(ground, held, rule), _decided(ground, held_answers(climbed), rule), LEVEL)
    return Preferred(_fitted(number, working, np.arange(len(working)), ground), gain, held, True)


def against_controls(
    prepared: Prepared,
    ground: Ground,
    held: np.ndarray,
    far: float,
    rule: Rule | None = None,
    seconds: float | None = None,
) -> list[Against]:
    """Every control against a candidate's answers ``held`` [h, outputs], the best first; the test part is not asked.

    A control is preferred where the paired lower bound of its gain lies above 0 with the ladder's 90 % confidence, for
    all controls together: the best of several was chosen by the rows that judge it. Far from what the base knows there
    is little to borrow, so there it is enough that the control did better: of ten cuts of digits and spectrograms with
    50 rows, where it was better on the test part of all, 5 showed it and 9 had it ahead (docs/log.md, 37).

    Args:
        far: distance of the data from what the base was trained on; nan: not known.
        rule: what thresholds of either side are set by, on other rows than they decide; None: there are none.
        seconds: that fitting them may take; None: no limit.

    Returns:
        None of them where they cannot all be fitted in full in that time.
    """
    working, found, said = prepared.working(), [], {}
    own, until = _decided(ground, held, rule), None if seconds is None else time.monotonic() + seconds
    for number, control in enumerate(_panel(working, ground.task)):
        answers = _held(number, working, ground, until)
        if answers is None:
            return []
        said[control.name] = _decided(ground, answers, rule)
        gain = _gain(ground, said[control.name], own, LEVEL)
        found.append(Against(number, control.name, answers, gain, bool(far > FAR and gain.value > 0)))
    # those shown to be worse are no candidates for the best
    level = 1 - (1 - LEVEL) / max(1, sum(not one.gain.high < 0 for one in found))
    found = [replace(one, better=one.better or _gain(ground, said[one.name], own, level).low > 0) for one in found]
    return sorted(found, key=lambda one: -np.nan_to_num(one.gain.value, nan=-np.inf))


def _decided(ground: Ground, held: np.ndarray, rule: Rule | None) -> np.ndarray:
    """``held`` [h, outputs] as thresholds decide it that other rows chose, where the metric counts decisions."""
    if rule is None or not METRICS[ground.metric].decides:
        return held
    return crossfitted(rule, held, ground.held_y[: len(held)], units=ground.held_units[: len(held)], seed=ground.seed)


def _gain(ground: Ground, answers: np.ndarray, held: np.ndarray, level: float) -> Interval:
    """Of a control's ``answers`` over ``held``, between bounds of the one-sided ``level``."""
    y, units = ground.held_y, ground.held_units
    return paired_gain(ground.metric, y, answers, held, units=units, level=2 * level - 1, seed=ground.seed)


def compared_controls(prepared: Prepared, climbed: Climbed, budget: Budget, rule: Rule | None = None) -> list[Against]:
    """Every control against the model that would be selected, see `against_controls`.

    None where a budget leaves no time for it, which is said.
    """
    if budget.seconds is not None and not climbed.remaining.compared:
        return []
    ground, far, left = climbed.ground, climbed.climb.record.distance, budget.left()
    allowed = None if left is None else left + climbed.remaining.compared  # which is kept back for this
    found = against_controls(prepared, ground, held_answers(climbed), far, rule, allowed)
    if not found:
        said = "no baselines on held-out rows, which take longer than predicted, so none can be selected in place of"
        budget.leave_out(f"{said} the transfer model", ground.progress)
    return found


def preferred_control(prepared: Prepared, climbed: Climbed, compared: list[Against]) -> Preferred | None:
    """Of the controls ``compared``, the one that beats the model that would be selected, if one does."""
    ground, working = climbed.ground, prepared.working()
    for one in compared:
        if one.better:
            return Preferred(_fitted(one.number, working, np.arange(len(working)), ground), one.gain, one.held)
    return None


def control_thresholds(
    rule: Rule | None, compared: list[Against], prepared: Prepared, ground: Ground, budget: Budget
) -> dict[str, Thresholds]:
    """By name, the thresholds of each control, set by the same ``rule`` on its answers to the held-out rows.

    Where these were left out, which is said, gains over the controls are at 0.5 for both sides.
    """
    if rule is None:
        return {}
    y, units = ground.held_y, ground.held_units
    if not rule.tuned:
        same = fit_thresholds(rule, np.full((len(y), ground.task.outputs), 0.5), y)
        return {control.name: same for control in _panel(prepared.working(), ground.task)}
    if not compared:
        said = "thresholds of the baselines (gains over them are at 0.5 for both sides)"
        budget.leave_out(said, ground.progress)
    return {one.name: fit_thresholds(rule, one.held, y, units=units, seed=ground.seed) for one in compared}


def with_thresholds(preferred: Preferred, rule: Rule | None, ground: Ground) -> Preferred:
    """The baseline with thresholds by the same ``rule`` as the borrowed model's."""
    if rule is None:
        return preferred
    units, seed = ground.held_units, ground.seed
    return replace(preferred, thresholds=fit_thresholds(rule, preferred.held, ground.held_y, units=units, seed=seed))


def _panel(rows: Rows, task: Task) -> list[Control]:
    return controls_for(rows.table.modality, task, task.outputs)


def _held(number: int, working: Rows, ground: Ground, until: float | None = None) -> Any:
    """[h, outputs]: the held-out rows by the control of that place in the panel, fitted without them.

    None where not all parts can be done in full by ``until``, on `time.monotonic`'s scale.
    """
    parts, inputs = ground.holding.parts, working.control_inputs()
    found: list[Any] = []
    for number_of_part, (train, out) in enumerate(parts):
        left = None if until is None else max(0.0, until - time.monotonic()) / (len(parts) - number_of_part)
        control = _fitted(number, working, train, ground, left)
        if control.left_out:
            return None
        found.append(control.probabilities(_rows(inputs, out)))
    return joined(found)


def _fitted(number: int, working: Rows, rows: np.ndarray, ground: Ground, seconds: float | None = None) -> Control:
    """A new control of that place in the panel, fitted on some of the working rows, within ``seconds``."""
    control = _panel(working, ground.task)[number]
    weights = None if working.weights is None else working.weights[rows]
    inputs = _rows(working.control_inputs(), rows)
    control.fit(inputs, working.y[rows], ground.task.name, ground.seed, seconds, weights)
    return control


def _rows(inputs: Sequence[Any] | np.ndarray, rows: np.ndarray) -> Sequence[Any] | np.ndarray:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]
