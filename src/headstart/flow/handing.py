"""Handing over: the record of a run, its report and its bundle, written into the run's folder."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from headstart.bases.base import Base
from headstart.data.table import Rejected
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.delivery.run_folder import RunFolder
from headstart.flow.clock import Clock
from headstart.flow.evidence import gather
from headstart.flow.judging import Judgement
from headstart.flow.preparing import Prepared
from headstart.heads.linear import LinearHead
from headstart.records import CandidateRecord, Chosen, DataRecord, FeatureRecord, Result, VerdictRecord
from headstart.report.build import build as build_report
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
    """What a run is called, what it was given, and how it was timed."""

    name: str
    source: str
    command: str
    metric: ChosenMetric
    clock: Clock


@dataclass(frozen=True)
class Work:
    """What the run came to; ``head`` is the chosen candidate's, solved again on all working rows."""

    base: Base
    prepared: Prepared
    chosen: Candidate
    head: LinearHead
    judgement: Judgement


def hand_over(folder: RunFolder, about: About, settings: FitSettings, work: Work) -> tuple[Result, Model]:
    """Write bundle, rejected rows, report and result, the result last: a folder that has it is complete.

    Raises:
        OutputError: where they cannot be written.
    """
    evidence = gather(work.judgement, work.prepared.task)
    result = _result(about, settings, work)
    bundle = _bundle(result, work)
    bundle.save(folder.aside / "bundle")
    if work.prepared.rejected:
        folder.write("rejected.csv", _rejected_csv(work.prepared.rejected))
    folder.write("report.html", build_report(result, evidence))
    folder.write("result.json", result.to_json() + "\n")
    return result, Model(bundle, work.base)


def _result(about: About, settings: FitSettings, work: Work) -> Result:
    features, verdict, head = work.prepared.features, work.judgement.verdict, work.head
    cached = work.prepared.rows - features.computed
    return Result(
        name=about.name,
        task=work.prepared.task.name,
        metric=about.metric.name,
        metric_reason=about.metric.reason,
        verdict=VerdictRecord(verdict.outcome, verdict.sentence, verdict.next_step),
        chosen=Chosen(work.chosen.base, work.chosen.strategy, head.kind, head.settings),
        test=work.judgement.test,
        transfer_gain=work.judgement.gain,
        controls=work.judgement.controls,
        candidates=[_candidate(work)],
        data=_data(about, work.prepared),
        base=work.base.identity.to_dict(),
        features=FeatureRecord(features.runtime or "none: every feature was cached", features.computed, cached),
        seconds=about.clock.total(),
        timing=dict(about.clock.seconds),
        seed=settings.seed,
        settings={**settings.to_dict(), **({"command": about.command} if about.command else {})},
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _candidate(work: Work) -> CandidateRecord:
    chosen = work.chosen
    tried = [
        {"head": t.kind, "settings": t.settings, "score": t.valid_score, "seconds": t.seconds} for t in chosen.tried
    ]
    seconds = chosen.seconds + work.prepared.features.seconds
    return CandidateRecord(chosen.base, chosen.strategy, chosen.valid_score, seconds, tried)


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
    test, base = result.test, work.base
    about = {
        "name": result.name,
        "metric": result.metric,
        "test": {"score": test.score, "low": test.low, "high": test.high, "n": test.n},
        "verdict": result.verdict.sentence,
        "created": result.created,
        "versions": result.versions,
    }
    dtype = work.prepared.features.dtype
    return Bundle(base.identity, base.modality, base.preprocessing(), dtype, work.prepared.task, work.head, about)


def _rejected_csv(rejected: tuple[Rejected, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "reason"])
    writer.writerows([[row.id, row.reason] for row in rejected])
    return buffer.getvalue()
