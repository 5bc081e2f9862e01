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
from headstart.data.table import Rejected
from headstart.delivery.answers import FILE as ANSWERS
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.delivery.openings import opened, remember, rows_hash
from headstart.delivery.run_folder import RunFolder
from headstart.flow.assessing import Assessed
from headstart.flow.calibrating import Calibrated
from headstart.flow.choosing import Preferred
from headstart.flow.climbing import Climbed
from headstart.flow.clock import Clock
from headstart.flow.diagnosing import diagnosis
from headstart.flow.evidence import gather
from headstart.flow.judging import Judgement
from headstart.flow.learning import training_records
from headstart.flow.preparing import Prepared
from headstart.records import (
    CandidateRecord,
    Chosen,
    DataRecord,
    FeatureRecord,
    Result,
    VerdictRecord,
)
from headstart.report.build import build as build_report
from headstart.report.card import card
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
    """What a run is called, what it was given, how it was timed, and what its budget left out."""

    name: str
    source: str
    command: str
    metric: ChosenMetric
    clock: Clock
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """What the run came to; ``preferred`` is a baseline that is selected in place of the transfer model."""

    base: Base
    prepared: Prepared
    climbed: Climbed
    judgement: Judgement
    calibrated: Calibrated
    assessed: Assessed
    preferred: Preferred | None = None


def hand_over(folder: RunFolder, about: About, settings: FitSettings, work: Work) -> tuple[Result, Model]:
    """Write bundle, rejected rows, report and result, the result last: a folder that has it is complete.

    Raises:
        OutputError: where they cannot be written.
    """
    evidence = gather(work.prepared, work.climbed, work.calibrated, work.judgement, work.preferred)
    result = _result(about, settings, work)
    bundle = _bundle(result, work)
    bundle.save(folder.aside / "bundle")
    work.assessed.answers.save(folder.aside / ANSWERS)
    save_learnt(folder.aside, [*work.prepared.working().keys.tolist(), *work.base.learnt])
    opened(folder.aside, "final test")
    if work.prepared.rejected:
        folder.write("rejected.csv", _rejected_csv(work.prepared.rejected))
    folder.write("report.html", build_report(result, evidence))
    folder.write("bundle/card.md", card(result))
    folder.write("result.json", result.to_json() + "\n")
    remember(rows_hash(work.judgement.rows.keys), folder.path)
    return result, Model(bundle, None if work.preferred else work.climbed.final.base)


def _result(about: About, settings: FitSettings, work: Work) -> Result:
    features, verdict = work.prepared.features, work.judgement.verdict
    cached = work.prepared.rows - features.computed
    return Result(
        name=about.name,
        task=work.prepared.task.name,
        metric=about.metric.name,
        metric_reason=about.metric.reason,
        verdict=VerdictRecord(verdict.outcome, verdict.sentence, verdict.next_step),
        chosen=_chosen(work),
        test=work.judgement.test,
        transfer_gain=work.judgement.gain,
        controls=work.judgement.controls,
        candidates=[_candidate(candidate, work) for candidate in work.climbed.climb.candidates],
        ladder=replace(work.climbed.climb.record, rungs=work.climbed.climb.rungs, cut=list(about.cut)),
        training=training_records(work.climbed),
        forgetting=work.climbed.final.forgetting,
        diagnosis=diagnosis(work.prepared, work.climbed, work.calibrated, work.judgement),
        audit=work.assessed.audit,
        classes=work.judgement.measured.classes,
        slices=work.judgement.slices,
        calibration=work.judgement.measured.calibration,
        ood=work.assessed.ood,
        shift=work.assessed.shift,
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
    )


def _base(work: Work) -> dict[str, Any]:
    """The base's provenance, and the chain from the oldest step to what was handed over."""
    identity = work.base.identity
    return {**identity.to_dict(), "chain": chain(identity, "" if work.preferred else "yours")}


def _chosen(work: Work) -> Chosen:
    if work.preferred:
        return Chosen("", work.preferred.control.name, "", {})
    best, final = work.climbed.climb.best, work.climbed.final
    strategy = best.strategy if final.adapted or not best.runs else "probe"  # training that made nothing better
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
    return DataRecord(
        about.source,
        prepared.train.table.modality,
        prepared.rows,
        len(prepared.rejected),
        parts,
        list(prepared.task.labels),
        [asdict(fact) for fact in prepared.facts],
    )


def _bundle(result: Result, work: Work) -> Bundle:
    final, caution = work.calibrated.final, work.assessed.caution
    control = work.preferred and work.preferred.control.name
    score = next((one for one in result.controls if one.name == control), result.test)
    about = {
        "name": result.name,
        "data": Path(result.data.source).name,
        "metric": result.metric,
        "test": {"score": score.score, "low": score.low, "high": score.high, "n": result.test.n},
        "verdict": result.verdict.sentence,
        "created": result.created,
        "temperature": work.calibrated.temperature,
        "versions": result.versions,
    }
    if work.preferred:
        return Bundle.of_control(work.preferred.control, work.base, work.prepared.task, about, caution)
    dtype = work.prepared.features.dtype
    return Bundle.of_base(final.base, dtype, work.prepared.task, final.head, about, caution)


def _rejected_csv(rejected: tuple[Rejected, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "reason"])
    writer.writerows([[row.id, row.reason] for row in rejected])
    return buffer.getvalue()
