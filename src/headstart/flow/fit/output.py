"""Handing over: the record of a run, its report and its bundle, written into the run's folder."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headstart.bases.base import Base
from headstart.bases.identity import chain
from headstart.bases.learnt import save_learnt
from headstart.data.table import Columns, Rejected
from headstart.delivery.answers import FILE as ANSWERS
from headstart.delivery.answers import TEST
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.delivery.openings import opened, remember, rows_hash
from headstart.delivery.parts import save_parts
from headstart.delivery.run_folder import RunFolder
from headstart.errors import SealError
from headstart.flow.calibration import Calibrated
from headstart.flow.clock import Clock
from headstart.flow.evidence import gather
from headstart.flow.fit.assessment import Assessed
from headstart.flow.fit.diagnosis import diagnosis, unused
from headstart.flow.fit.training_curves import training_records
from headstart.flow.judgement import Judgement
from headstart.flow.measures import thresholds_record
from headstart.flow.mistakes import EXAMPLES, MISTAKES, Answered, Examples, as_csv, mistakes
from headstart.flow.preparation import Prepared
from headstart.flow.search import Climbed, training_options
from headstart.flow.selection import Preferred, selected_model
from headstart.flow.unknown import kept_rows
from headstart.modalities import get as get_modality
from headstart.plain import finite
from headstart.ragged import row_vectors
from headstart.records import (
    CalibrationRecord,
    CandidateRecord,
    Chosen,
    ClassRecord,
    ControlRecord,
    DataRecord,
    DiagnosisRecord,
    FeatureRecord,
    GainRecord,
    OodRecord,
    RefitRecord,
    Result,
    ShiftRecord,
    SliceRecord,
    TestRecord,
    VerdictRecord,
)
from headstart.report.build import build as build_report
from headstart.report.card import card
from headstart.report.refit import build_refit
from headstart.settings import FitSettings
from headstart.strategies.candidate import Candidate
from headstart.versions import versions


@dataclass(frozen=True)
class ChosenMetric:
    """The metric a run chooses and judges by, and why that one."""

    name: str
    reason: str


@dataclass(frozen=True)
class About:
    """What a run is called and given, how it was timed, what its budget left out, `audit`, columns and `trial`."""

    name: str
    source: str
    command: str
    metric: ChosenMetric
    clock: Clock
    cut: tuple[str, ...] = ()
    audit: str = "headstart audit --apply"
    place: str = ""
    columns: Columns | None = None
    trial: str = ""


@dataclass(frozen=True)
class Work:
    """What the run came to; ``preferred`` is a baseline that is selected in place of the transfer model.

    Without a test set there is no ``judgement``, and ``refit`` are the scores to show.
    """

    base: Base
    prepared: Prepared
    climbed: Climbed
    judgement: Judgement | None
    calibrated: Calibrated
    assessed: Assessed
    preferred: Preferred | None = None
    refit: Scores | None = None


@dataclass(frozen=True)
class Scores:
    """What a result says of the test rows; fields as in `Result`."""

    verdict: VerdictRecord
    test: TestRecord
    gain: GainRecord
    controls: list[ControlRecord]
    diagnosis: list[DiagnosisRecord]
    classes: list[ClassRecord]
    slices: list[SliceRecord]
    calibration: CalibrationRecord | None
    ood: OodRecord | None
    shift: ShiftRecord | None
    record: RefitRecord | None = None


def hand_over(folder: RunFolder, about: About, settings: FitSettings, work: Work) -> tuple[Result, Model]:
    """Write bundle, rejected rows, report and result, the result last: a folder that has it is complete.

    Raises:
        OutputError: where they cannot be written.
    """
    result = _result(about, settings, work)
    bundle = _bundle(result, work, about.columns)
    bundle.save(folder.aside / "bundle")
    work.assessed.answers.save(folder.aside / ANSWERS)
    save_learnt(folder.aside, [*work.prepared.working().keys.tolist(), *work.base.learnt])
    save_parts(folder.aside, work.prepared.keys.astype(str), work.prepared.assigned.split.astype(str))
    _write_mistakes(folder, work)
    if work.prepared.rejected:
        folder.write("rejected.csv", _rejected_csv(work.prepared.rejected))
    if work.judgement:
        opened(folder.aside, "final test")
        evidence = gather(work.prepared, work.climbed, work.calibrated, work.judgement, work.preferred)
        folder.write("report.html", build_report(result, evidence, about.place))
    else:
        folder.write("report.html", build_refit(result, about.place))
    folder.write("bundle/card.md", card(result, about.place))
    folder.write("result.json", result.to_json() + "\n")
    if work.judgement:
        remember(rows_hash(work.judgement.rows.keys), folder.path, about.trial)
    return result, Model(bundle, None if work.preferred else work.climbed.final.base)


def _write_mistakes(folder: RunFolder, work: Work) -> None:
    """The mistakes of the selected model on the test rows; training examples are compared by the base's features."""
    judged, working = work.judgement, work.prepared.working()
    if judged:
        tested, rows = work.assessed.answers.part_of(TEST), judged.rows
        vectors, learnt = row_vectors(rows.vectors), row_vectors(working.vectors)
        answered = Answered(rows.table, rows.y, tested.probabilities, tested.thresholds, vectors, judged.columns)
        found = mistakes(work.prepared.task, answered, Examples.of(working.table, learnt))
        folder.write(MISTAKES, as_csv(found))
    known = work.assessed.caution.known
    if known is not None and len(known.rows):
        kept = kept_rows(known, work.climbed, work.calibrated)
        folder.write(EXAMPLES, Examples.of(working.table.take(kept), known.vectors).to_json())


def _result(about: About, settings: FitSettings, work: Work) -> Result:
    features, scores = work.prepared.features, work.refit or _scores(work, about, settings)
    cached = work.prepared.rows - features.computed
    return Result(
        name=about.name,
        task=work.prepared.task.name,
        metric=about.metric.name,
        metric_reason=about.metric.reason,
        verdict=scores.verdict,
        chosen=_chosen(work),
        test=scores.test,
        transfer_gain=scores.gain,
        controls=scores.controls,
        candidates=[_candidate(candidate, work) for candidate in work.climbed.climb.candidates],
        ladder=replace(work.climbed.climb.record, rungs=work.climbed.climb.rungs, cut=list(about.cut)),
        training=training_records(work.climbed),
        forgetting=work.climbed.final.forgetting,
        diagnosis=scores.diagnosis,
        audit=work.assessed.audit,
        classes=scores.classes,
        slices=scores.slices,
        calibration=scores.calibration,
        ood=scores.ood,
        shift=scores.shift,
        data=_data(about, work.prepared),
        base=_base(work),
        features=FeatureRecord(features.runtime or "none: every feature was cached", features.computed, cached),
        seconds=about.clock.total(),
        timing=dict(about.clock.seconds),
        seed=settings.seed,
        settings={**settings.to_dict(), **({"command": about.command} if about.command else {})},
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        reading=work.prepared.reading,
        refit=scores.record,
        thresholds=thresholds_record(work.prepared.task, work.assessed.caution.thresholds),
        two_classes=work.assessed.measured.two_classes if work.assessed.measured else None,
        intervals=work.assessed.measured.intervals if work.assessed.measured else None,
    )


def _scores(work: Work, about: About, settings: FitSettings) -> Scores:
    """Of the test set that this run evaluated."""
    judged, measured = work.judgement, work.assessed.measured
    if judged is None or measured is None:
        raise SealError("there are no scores to show: no test row was judged, and no earlier ones are given.")
    verdict = judged.verdict
    return Scores(
        VerdictRecord(verdict.outcome, verdict.sentence, verdict.next_step),
        judged.test,
        judged.gain,
        judged.controls,
        _diagnosis(work, judged, about, settings),
        measured.classes,
        list(work.assessed.slices),
        measured.calibration,
        work.assessed.ood,
        work.assessed.shift,
    )


def _diagnosis(work: Work, judged: Judgement, about: About, settings: FitSettings) -> list[DiagnosisRecord]:
    selected = selected_model(work.climbed, work.preferred)
    found = diagnosis(work.prepared, work.climbed, work.calibrated, judged, selected, about.audit, work.assessed)
    trained = any(one.runs for one in work.climbed.climb.candidates)
    return found if trained else [*found, *unused(training_options(settings))]


def _base(work: Work) -> dict[str, Any]:
    """The base's provenance, and the chain from the oldest step to what was handed over."""
    identity = work.base.identity
    return {**identity.to_dict(), "chain": chain(identity, "" if work.preferred else "yours")}


def _chosen(work: Work) -> Chosen:
    if work.preferred:
        return Chosen("", work.preferred.control.name, "", {})
    final, strategy = work.climbed.final, selected_model(work.climbed, None).strategy
    return Chosen(work.base.identity.name, strategy, final.head.kind, final.head.settings)


def _candidate(candidate: Candidate, work: Work) -> CandidateRecord:
    tried = [
        {"head": t.kind, "settings": t.settings, "score": t.valid_score, "seconds": t.seconds} for t in candidate.tried
    ]
    seconds = candidate.seconds + (work.prepared.features.seconds if candidate.features == "pooled" else 0.0)
    whole = len(candidate.held) == len(work.climbed.ground.held_y)
    score = candidate.valid_score if whole else float("nan")  # on fewer rows it compares with nothing
    return CandidateRecord(candidate.base, candidate.strategy, score, seconds, tried)


def _data(about: About, prepared: Prepared) -> DataRecord:
    parts = {"train": len(prepared.train), "valid": len(prepared.valid), "test": len(prepared.sealed)}
    modality = get_modality(prepared.train.table.modality)
    return DataRecord(
        about.source,
        modality.name,
        prepared.rows,
        len(prepared.rejected),
        parts,
        list(prepared.task.labels),
        [asdict(fact) for fact in prepared.facts],
        modality.plural,
        modality.example,
    )


def _bundle(result: Result, work: Work, columns: Columns | None) -> Bundle:
    final, caution = work.calibrated.final, work.assessed.caution
    control = work.preferred and work.preferred.control.name
    score = next((one for one in result.controls if one.name == control), result.test)
    about = {
        "name": result.name,
        "data": Path(result.data.source).name,
        "metric": result.metric,
        "test": finite({"score": score.score, "low": score.low, "high": score.high, "n": result.test.n}),
        **({"refit": result.refit.sentence} if result.refit else {}),
        "verdict": result.verdict.sentence,
        "created": result.created,
        "temperature": 1.0 if work.preferred else work.calibrated.temperature,
        **({"positive": work.calibrated.positive.label} if work.calibrated.positive else {}),
        "versions": result.versions,
        **({"columns": asdict(columns)} if columns else {}),
    }
    if work.preferred:
        return Bundle.of_control(work.preferred.control, work.base, work.prepared.task, about, caution)
    dtype = "float32" if final.adapted else work.prepared.features.dtype  # see `training.answers`
    return Bundle.of_base(final.base, dtype, work.prepared.task, final.head, about, caution).served(final.base)


def _rejected_csv(rejected: tuple[Rejected, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "reason"])
    writer.writerows([[row.id, row.reason] for row in rejected])
    return buffer.getvalue()
