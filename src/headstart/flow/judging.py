"""The one opening of the test part: the chosen candidate and the controls on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.bases.staged import StagedBase
from headstart.controls.panel import ControlRun, controls_for, run
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.metrics import METRICS, evaluate
from headstart.evaluation.slices import by_slice
from headstart.evaluation.verdict import Verdict, judge
from headstart.flow.preparing import Prepared, Rows, train_rows
from headstart.progress import Progress
from headstart.records import ControlRecord, GainRecord, SliceRecord, TestRecord
from headstart.strategies.finishing import Final
from headstart.training.features import extract
from headstart.training.rows import TrainRows


@dataclass(frozen=True)
class Judgement:
    """What the test part said.

    Attributes:
        rows: the opened test rows.
        probabilities: [n, outputs] of the chosen candidate.
    """

    rows: Rows
    probabilities: np.ndarray
    test: TestRecord
    controls: list[ControlRecord]
    gain: GainRecord
    verdict: Verdict


def judge_once(
    prepared: Prepared,
    final: Final,
    metric: str,
    seed: int,
    progress: Progress,
    scratch: Callable[[TrainRows], ControlRun] | None = None,
) -> Judgement:
    """Fit the controls on the rows that ``final`` was made on, open the test part, and compare.

    Args:
        scratch: answers the test rows with the same network, trained from random weights; None: there is none.

    Raises:
        SealError: the test part was opened before.
    """
    task, working = prepared.task, prepared.working()
    panel = controls_for(working.table.modality, task.outputs)
    rows = prepared.sealed.open("final test")
    y = rows.y
    runs: list[ControlRun] = []
    with progress.track("controls", len(panel)) as track:
        for control in panel:
            runs.append(run(control, working.control_inputs(), working.y, rows.control_inputs(), task.name, seed))
            track.advance()
    if scratch:
        runs.append(scratch(train_rows(rows)))
    probabilities = final.head.probabilities(_vectors(final, rows, progress))
    score = score_interval(metric, y, probabilities, seed=seed)
    told = [r for r in runs if np.isfinite(r.probabilities).all()]  # one that diverged says nothing
    gains = {r.name: paired_gain(metric, y, probabilities, r.probabilities, seed=seed) for r in told}
    controls = [_control(r, score_interval(metric, y, r.probabilities, seed=seed)) for r in runs]
    best = _best(controls, METRICS[metric].higher_is_better)
    gain = gains[best.name]
    return Judgement(
        rows,
        probabilities,
        _test(metric, task.name, rows, probabilities, score, prepared.sealed.openings),
        controls,
        GainRecord(gain.value, gain.low, gain.high, best.name),
        judge(score, metric, gains),
    )


def _vectors(final: Final, rows: Rows, progress: Progress) -> np.ndarray:
    """[n, d]: the features that the head stands on."""
    if isinstance(final.base, StagedBase):
        return extract(final.base, rows.table.inputs, progress=progress).vectors
    if final.adapted:
        from headstart.training.answers import pooled

        return pooled(final.base, final.base.network(), train_rows(rows), progress)
    return rows.vectors


def _control(run: ControlRun, score: Interval) -> ControlRecord:
    return ControlRecord(run.name, score.value, score.low, score.high, run.seconds)


def _best(controls: list[ControlRecord], higher: bool) -> ControlRecord:
    """The control with the best score; one whose score is undefined cannot be it."""
    return max(controls, key=lambda c: (not np.isnan(c.score), c.score if higher else -c.score))


def _test(metric: str, task: str, rows: Rows, p: np.ndarray, score: Interval, opened: int) -> TestRecord:
    slices = [
        SliceRecord(s.column, s.value, s.n, s.interval.value, s.interval.low, s.interval.high)
        for s in by_slice(metric, rows.y, p, rows.table.slices)
    ]
    return TestRecord(score.value, score.low, score.high, len(rows), evaluate(task, rows.y, p), opened, slices)
