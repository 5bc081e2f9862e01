"""What is found beside the score: in the data, about unknown inputs, and under damage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.audit.audit import in_order
from headstart.audit.balance import find_imbalance
from headstart.audit.copies import find_copies
from headstart.audit.inconsistent import find_inconsistent
from headstart.audit.naive import naive_split
from headstart.delivery.answers import TEST, Answers
from headstart.delivery.bundle import Bundle
from headstart.delivery.caution import Caution
from headstart.delivery.model import Model
from headstart.evaluation.unknown import Known, fit_known
from headstart.flow.calibration import Calibrated, promises
from headstart.flow.corruption import damaged
from headstart.flow.fit.answers import answers_of
from headstart.flow.judgement import Judgement
from headstart.flow.measures import Measured, measure, slices_of
from headstart.flow.preparation import Prepared
from headstart.flow.search import Climbed
from headstart.flow.selection import Preferred
from headstart.flow.unknown import Strange, judged_unknown, known_of
from headstart.records import AuditRecord, NaiveRecord, OodRecord, ShiftRecord, SliceRecord
from headstart.settings import JudgingSettings
from headstart.strategies.budget import Budget

_MOST = 200  # findings kept in a run; the audit lists them all


@dataclass(frozen=True)
class Assessed:
    """What goes into the result beside the score, of the selected model; but ``ood`` is of the transfer model.

    ``measured`` and ``slices`` are of its answers to the test rows; None and () without a test set.
    """

    caution: Caution
    answers: Answers
    audit: AuditRecord
    ood: OodRecord | None
    shift: ShiftRecord | None
    measured: Measured | None = None
    slices: Sequence[SliceRecord] = ()


def assess(
    prepared: Prepared,
    climbed: Climbed,
    calibrated: Calibrated,
    judged: Judgement,
    preferred: Preferred | None,
    strange: Strange | None,
    settings: JudgingSettings,
    budget: Budget,
) -> Assessed:
    """Look at the data, at unknown inputs and, where asked for, at damaged ones; no choice comes of it."""
    progress, climb = climbed.ground.progress, climbed.climb
    climb.later = climb.later.knowing(budget.left())  # training may have taken longer than was predicted
    known = known_of(climbed, calibrated, progress)
    known, ood = judged_unknown(known, climbed, calibrated, judged, strange, budget)
    caution = _caution(climbed, calibrated, preferred, known, settings)
    answers = answers_of(prepared, climbed, calibrated, judged, preferred)
    measured, slices = judged.measured, judged.slices
    if preferred:
        measured, slices = _of_baseline(prepared, climbed, calibrated, judged, answers.part_of(TEST), caution)
    shift = None
    if settings.damage:
        model = _model(prepared, calibrated, preferred, caution)
        inputs, seed = judged.rows.table.inputs, climbed.ground.seed
        said = answers.part_of(TEST).probabilities
        shift = damaged(model, inputs, judged.rows.y, said, answers, seed=seed, progress=progress)
    return Assessed(caution, answers, data_record(prepared, climbed), ood, shift, measured, slices)


def _of_baseline(
    prepared: Prepared, climbed: Climbed, calibrated: Calibrated, judged: Judgement, said: Answers, caution: Caution
) -> tuple[Measured, list[SliceRecord]]:
    """What is measured of the transfer model, of the baseline that is selected in its place and ``said`` this."""
    task, rows, ground = prepared.task, judged.rows, climbed.ground
    p, units, seed = said.probabilities, rows.units(), ground.seed
    measured = measure(task, rows.y, p, caution, 1.0, seed, units, calibrated.positive)  # it has no temperature
    own = slices_of(ground.metric, task, rows.table, judged.vectors, rows.y, p, seed, units, caution.thresholds)
    return measured, own[0]


def assess_untested(
    prepared: Prepared,
    climbed: Climbed,
    calibrated: Calibrated,
    preferred: Preferred | None,
    settings: JudgingSettings,
) -> Assessed:
    """The same where there is no test row, as far as it needs none."""
    known = known_of(climbed, calibrated, climbed.ground.progress)
    caution = _caution(climbed, calibrated, preferred, known, settings)
    answers = answers_of(prepared, climbed, calibrated, None, preferred)
    return Assessed(caution, answers, data_record(prepared, climbed), None, None)


def _caution(
    climbed: Climbed, calibrated: Calibrated, preferred: Preferred | None, known: Known, settings: JudgingSettings
) -> Caution:
    """Of the model that is handed over."""
    if preferred is None:
        return calibrated.caution(known)
    ground, task = climbed.ground, climbed.ground.task
    limits = preferred.thresholds
    kept = promises(preferred.held, ground.held_y, task, settings, ground.held_units, limits)
    told = None if task.each else fit_known(None, None, preferred.held, None, task=task.judged_as())
    return Caution(told, *kept, limits)


def _model(prepared: Prepared, calibrated: Calibrated, preferred: Preferred | None, caution: Caution) -> Model:
    """The model that is handed over, before there is anything to say about it."""
    base, task = calibrated.final.base, prepared.task
    if preferred:
        return Model(Bundle.of_control(preferred.control, base, task, {}, caution))
    head = calibrated.final.head
    return Model(Bundle.of_base(base, prepared.features.dtype, task, head, {}, caution), base)


def data_record(prepared: Prepared, climbed: Climbed) -> AuditRecord:
    """Copies, rare classes, and what a naive split would have claimed."""
    near, working = prepared.near, prepared.working()
    copies, table = find_copies(prepared.assigned, prepared.keys, near.pairs), working.table
    found = in_order([*copies, *find_imbalance(table), *find_inconsistent(table, prepared.task)])
    records = [one.record() for one in found[:_MOST]]
    shared = near.shared
    clusters = len(np.unique(near.clusters[shared]))
    return AuditRecord(records, len(found), _naive(prepared, climbed), clusters, int(shared.sum()))


def _naive(prepared: Prepared, climbed: Climbed) -> NaiveRecord | None:
    """What dealing row by row would have claimed, where that matters."""
    ground, working = climbed.ground, prepared.working()
    x, y, task = ground.rows.vectors, ground.rows.y, ground.task
    if task.each:  # the comparison is of heads on rows
        return None
    units = working.units()
    found = naive_split(x, y, task.name, task.outputs, units, metric=ground.metric, seed=ground.seed)
    if found is None or not found.matters:
        return None
    why = "near duplicates" if working.table.groups is None else "groups and near duplicates"
    return NaiveRecord(found.naive, found.honest, found.gain, found.low, found.high, why)
