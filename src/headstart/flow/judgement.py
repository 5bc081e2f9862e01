"""The one opening of the test part: the chosen candidate and the controls on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart.controls.panel import ControlRun, controls_for, left_out, run
from headstart.delivery.openings import opened_before, rows_hash
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.next_step import Selected, agreeing
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.evaluation.verdict import Verdict, judge, strict_level
from headstart.flow.calibration import Calibrated
from headstart.flow.measures import Measured, measure, slices_of
from headstart.flow.preparation import Prepared, Rows, train_rows
from headstart.flow.standing import vectors_of
from headstart.progress import Progress
from headstart.ragged import flat
from headstart.records import ControlRecord, GainRecord, SliceRecord, TestRecord
from headstart.strategies.budget import Budget
from headstart.training.rows import TrainRows

_LEVEL = 0.95


@dataclass(frozen=True)
class Judgement:
    """What the test part said.

    Attributes:
        rows: the opened test rows.
        vectors: [n, d] the features that the chosen candidate's head stands on.
        probabilities: [n, outputs] of the chosen candidate.
        leaked: [n] bool: the rows with a near duplicate among those learnt from.
        clean: [n] bool: those that neither leaked nor repeat a row before them. ``gains`` and the verdict rest on them
            alone, ``score`` and ``test`` on all rows.
        gains: of the chosen candidate over each control, by its name; ``gain`` is that over the best.
        panel: the controls' answers.
        thresholds: of the chosen candidate, or None; ``limits``: of the controls, by name.
        columns: of the slices: name -> [n] str.
    """

    rows: Rows
    vectors: Any
    probabilities: Any
    test: TestRecord
    measured: Measured
    slices: list[SliceRecord]
    clean: np.ndarray
    leaked: np.ndarray
    score: Interval
    gains: dict[str, Interval]
    panel: list[ControlRun]
    controls: list[ControlRecord]
    gain: GainRecord
    verdict: Verdict
    thresholds: Thresholds | None = None
    limits: dict[str, Thresholds] = field(default_factory=dict)
    columns: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def decided(self) -> Any:
        """[n, outputs] ``probabilities`` as the thresholds decide them."""
        return decided(self.probabilities, self.thresholds)


def judge_once(
    prepared: Prepared,
    calibrated: Calibrated,
    limits: dict[str, Thresholds],
    metric: str,
    seed: int,
    progress: Progress,
    scratch: Callable[[TrainRows], ControlRun] | None = None,
    budget: Budget | None = None,
    selected: Selected | None = None,
    own: str = "",
) -> Judgement:
    """Fit the controls on the rows that the final model was made on, open the test part, and compare.

    Args:
        limits: thresholds of the controls, by name; of those without any, answers from 0.5 on are compared with such.
        scratch: answers the test rows with the same network, trained from random weights; None: there is none.
        budget: what is left of it is what fitting the controls may take; None: as long as they need.
        selected: which model is handed over, for the next step; None: this one.
        own: the `trial` of this run, of which earlier runs are not counted.

    Raises:
        SealError: the test part was opened before.
    """
    task, rows = prepared.task, prepared.sealed.open("final test")
    y = rows.y
    runs = _controls(prepared, rows, seed, progress, budget or Budget(None)) + (
        [scratch(train_rows(rows))] if scratch else []
    )
    final = calibrated.final
    vectors = vectors_of(final, train_rows(rows), progress)
    probabilities = final.head.probabilities(vectors)
    units = rows.units()
    said = decided(probabilities, calibrated.thresholds, metric)
    score = score_interval(metric, y, said, units=units, seed=seed)
    told = [r for r in runs if np.isfinite(flat(r.probabilities)).all()]  # one that diverged says nothing
    clean, leaked = _clean(prepared, rows)
    pairs = _pairs(metric, probabilities, calibrated.thresholds, told, limits)
    gains, verdict = _compared(metric, rows, said, pairs, told, clean, int(leaked.sum()), seed)
    verdict = agreeing(verdict, gains, selected) if selected else verdict
    theirs = {r.name: decided(r.probabilities, limits.get(r.name), metric) for r in runs}
    controls = [_control(r, score_interval(metric, y, theirs[r.name], units=units, seed=seed)) for r in runs]
    best = _best(controls, METRICS[metric].higher_is_better)
    gain = gains[best.name]
    before = opened_before(rows_hash(rows.keys), own)
    caution, heat = calibrated.caution(), calibrated.temperature
    measured = measure(task, y, probabilities, caution, heat, seed, units, calibrated.positive)
    limit = calibrated.thresholds
    slices, columns = slices_of(metric, task, rows.table, vectors, y, probabilities, seed, units, limit)
    return Judgement(
        rows,
        vectors,
        probabilities,
        _test_record(score, measured, prepared.sealed.openings, before),
        measured,
        slices,
        clean,
        leaked,
        score,
        gains,
        runs,
        controls,
        GainRecord(gain.value, gain.low, gain.high, best.name),
        verdict,
        limit,
        limits,
        columns,
    )


def _test_record(score: Interval, measured: Measured, opened: int, before: int) -> TestRecord:
    bounds = (score.value, score.low, score.high, score.n)
    return TestRecord(*bounds, measured.metrics, measured.undefined, opened, before, score.units)


def _controls(prepared: Prepared, rows: Rows, seed: int, progress: Progress, budget: Budget) -> list[ControlRun]:
    """The controls, fitted on all working rows, and their answers to ``rows``."""
    task, working, runs = prepared.task, prepared.working(), []
    panel = controls_for(working.table.modality, task, task.outputs)
    inputs, tested = working.control_inputs(), rows.control_inputs()
    for name, why in left_out(task).items():
        progress.say(f"  the baseline {name} is left out: {why}")
    with progress.track("controls", len(panel)) as track:
        for control in panel:
            left, weights = budget.left(), working.weights
            runs.append(run(control, inputs, working.y, tested, task.name, seed, left, weights))
            if control.left_out:
                budget.leave_out(f"the baseline {control.name} {control.left_out}", progress)
            track.advance()
    return runs


def _pairs(
    metric: str,
    p: np.ndarray,
    thresholds: Thresholds | None,
    told: list[ControlRun],
    limits: dict[str, Thresholds],
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By control, the model's answers and its own as they are compared: both by thresholds of their own, or neither."""
    found = {}
    for one in told:
        own = limits.get(one.name)
        found[one.name] = (decided(p, own and thresholds, metric), decided(one.probabilities, own, metric))
    return found


def _compared(
    metric: str,
    rows: Rows,
    p: np.ndarray,
    pairs: dict[str, tuple[np.ndarray, np.ndarray]],
    told: list[ControlRun],
    clean: np.ndarray,
    leaked: int,
    seed: int,
) -> tuple[dict[str, Interval], Verdict]:
    """Gains over the controls, by ``pairs``, and the verdict, both on the ``clean`` rows [n] bool."""
    y, p, units = rows.y[clean], p[clean], rows.units()[clean]

    def gains_at(level: float) -> dict[str, Interval]:
        return {
            name: paired_gain(metric, y, own[clean], other[clean], units=units, level=level, seed=seed)
            for name, (own, other) in pairs.items()
        }

    gains, score = gains_at(_LEVEL), score_interval(metric, y, p, units=units, seed=seed)
    strict = gains_at(strict_level(gains))
    cut = {r.name: r.left_out for r in told if r.left_out}
    repeated = int((~clean).sum()) - leaked
    return gains, judge(score, metric, gains, strict=strict, leaked=leaked, repeated=repeated, cut=cut)


def _clean(prepared: Prepared, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """[n] bool each: `Judgement.clean` and `Judgement.leaked`; a given test part may have rows that leak."""
    near, table = prepared.near, prepared.assigned
    leaks = near.leaked(table, "test", ("train", "valid")) | prepared.foreknown
    repeats = near.repeated(table, "test") - leaks
    leaked, repeated = (np.array([str(name) in some for name in rows.table.ids], bool) for some in (leaks, repeats))
    return ~(leaked | repeated), leaked


def _control(run: ControlRun, score: Interval) -> ControlRecord:
    return ControlRecord(run.name, score.value, score.low, score.high, run.seconds)


def _best(controls: list[ControlRecord], higher: bool) -> ControlRecord:
    """The control with the best score; one whose score is undefined cannot be it."""
    return max(controls, key=lambda c: (not np.isnan(c.score), c.score if higher else -c.score))
