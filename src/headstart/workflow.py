"""The verbs of the library; `fit` reads as the flow: open, prepare, climb, choose, test once, hand over."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.catalogue import default_base, open_base
from headstart.data.source import open_source, open_sources
from headstart.data.table import Fact, Opened, Rejected
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.delivery.run_folder import RunFolder
from headstart.errors import SettingError, nearest
from headstart.evaluation.metrics import METRICS
from headstart.evidence import gather
from headstart.heads.linear import LinearHead
from headstart.heads.solve import refit
from headstart.judging import Judgement, judge_once
from headstart.preparing import Prepared, prepare
from headstart.progress import Progress
from headstart.records import CandidateRecord, Chosen, DataRecord, FeatureRecord, Result, VerdictRecord
from headstart.report.build import build as build_report
from headstart.settings import FitSettings, SourceSettings
from headstart.strategies import probe
from headstart.strategies.candidate import Candidate
from headstart.versions import versions

#: Strategies by name; "auto" takes the cheapest that the evidence supports.
STRATEGIES = ("auto", probe.NAME)


@dataclass(frozen=True)
class Run:
    """A finished run: where it is, what it found, and the model."""

    path: Path
    result: Result
    model: Model

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {self.result.verdict.sentence})"


@dataclass(frozen=True)
class Inspection:
    """What is understood of a source before any work."""

    source: str
    modality: str
    task: str
    rows: int
    rejected: tuple[Rejected, ...]
    parts: dict[str, int]  # rows by given part; "" for rows not assigned
    labels: dict[str, int]  # rows by label; empty for regression and unlabelled data
    facts: tuple[Fact, ...]
    base: str  # the base that would be used


@dataclass
class _Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)
    start: float = field(default_factory=time.perf_counter)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def fit_source(
    source: str | Path,
    *,
    out: Path,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    settings: FitSettings | None = None,
    overwrite: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> Run:
    """Adapt a base to ``source``, judge it once on the sealed test part, and write the run to ``out``.

    Raises:
        UserError: anything about the input, the settings or the output that the user can mend.
    """
    settings, progress, clock = settings or FitSettings(), progress or Progress(), _Clock()
    _check(settings)
    with RunFolder(out, overwrite=overwrite) as folder:
        with clock.step("open"):
            opened = open_sources(source, valid=valid, test=test, settings=settings.source)
            base = open_base(settings.base, opened.table.modality)
        _tell_plan(opened, base, progress)
        with clock.step("features"):
            prepared = prepare(opened, base, settings, progress)
        clock.seconds["loading"] = prepared.features.loading
        clock.seconds["features"] -= prepared.features.loading
        metric, why = _metric(prepared, settings)
        _tell_prepared(opened, prepared, metric, why, progress)
        with clock.step("heads"):
            chosen = _probe(prepared, base, metric, settings.seed)
            working = prepared.working()
            head = refit(
                chosen.head, working.vectors, working.y, prepared.task.name, outputs=prepared.task.outputs
            )
        with clock.step("test"):
            judgement = judge_once(prepared, head, metric, settings.seed, progress)
        clock.seconds["controls"] = sum(c.seconds for c in judgement.controls)
        clock.seconds["test"] -= clock.seconds["controls"]
        with clock.step("hand over"):
            result = _result(
                folder.path.name,
                str(source),
                settings,
                command,
                base,
                prepared,
                chosen,
                head,
                judgement,
                (metric, why),
                clock,
            )
            bundle = _bundle(base, prepared, head, result)
            _write(folder, result, judgement, prepared, bundle)
            path = folder.publish()
    return Run(path, result, Model(bundle, base))


def inspect_source(source: str | Path, settings: SourceSettings | None = None) -> Inspection:
    """What is understood of ``source``, before any work.

    Raises:
        UserError: it cannot be opened as data.
    """
    opened = open_source(source, settings or SourceSettings())
    table = opened.table
    parts = {
        str(name): int(count) for name, count in zip(*np.unique(table.split, return_counts=True), strict=True)
    }
    return Inspection(
        str(source),
        table.modality,
        table.task,
        len(table),
        opened.rejected,
        parts,
        _label_counts(opened),
        opened.facts,
        default_base(table.modality),
    )


def _label_counts(opened: Opened) -> dict[str, int]:
    table = opened.table
    if table.targets is None or table.task not in ("classification", "multilabel"):
        return {}
    labels = (
        list(table.targets)
        if table.task == "classification"
        else [label for row in table.targets for label in row]
    )
    names, counts = np.unique(np.array(labels, dtype=str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def _check(settings: FitSettings) -> None:
    if settings.strategy not in STRATEGIES:
        raise SettingError(
            f"strategy {settings.strategy!r} is unknown; it is one of {', '.join(STRATEGIES)}.{nearest(settings.strategy, STRATEGIES)}"
        )
    if settings.metric is not None and settings.metric not in METRICS:
        raise SettingError(
            f"metric {settings.metric!r} is unknown; it is one of {', '.join(METRICS)}.{nearest(settings.metric, METRICS)}"
        )
    for name, share in (("valid-size", settings.split.valid), ("test-size", settings.split.test)):
        if not 0 < share < 1:
            raise SettingError(
                f"{name} is {share:g}; it is a share of the rows between 0 and 1, such as 0.2."
            )


def _metric(prepared: Prepared, settings: FitSettings) -> tuple[str, str]:
    """The metric to choose and judge by, and why."""
    task = prepared.task.name
    if settings.metric is None:
        return prepared.task.default_metric(prepared.train.y)
    if task not in METRICS[settings.metric].tasks:
        allowed = [name for name, metric in METRICS.items() if task in metric.tasks]
        raise SettingError(
            f"metric {settings.metric!r} is not for {task}; for that it is one of {', '.join(allowed)}."
        )
    return settings.metric, "asked for"


def _probe(prepared: Prepared, base: Base, metric: str, seed: int) -> Candidate:
    train, valid = prepared.train, prepared.valid
    return probe.run(
        base.identity.name,
        train.vectors,
        train.y,
        valid.vectors,
        valid.y,
        prepared.task.name,
        outputs=prepared.task.outputs,
        metric=metric,
        seed=seed,
        groups=train.group_codes(),
    )


def _tell_plan(opened: Opened, base: Base, progress: Progress) -> None:
    table = opened.table
    progress.say(
        f"{len(table):,} {table.modality}s for {table.task}"
        + (f", {len(opened.rejected)} set aside" if opened.rejected else "")
    )
    for fact in opened.facts:
        progress.say(f"  {fact.what}: {fact.value} ({fact.reason})")
    progress.say(
        f"plan: features of each {table.modality} once through {base.identity.name}, frozen; solve heads on them; fit the controls; open the test part once"
    )


def _tell_prepared(opened: Opened, prepared: Prepared, metric: str, why: str, progress: Progress) -> None:
    features = prepared.features
    for fact in prepared.facts[len(opened.facts) :]:
        progress.say(f"  {fact.what}: {fact.value} ({fact.reason})")
    if prepared.rejected:
        progress.say(
            f"  set aside: {len(prepared.rejected)} unusable, listed in rejected.csv (first: {prepared.rejected[0].id}: {prepared.rejected[0].reason})"
        )
    parts = f"{len(prepared.train):,} to train, {len(prepared.valid):,} to choose, {len(prepared.sealed):,} sealed to test"
    progress.say(f"  rows: {parts}")
    progress.say(
        f"  features: {features.computed:,} computed, {prepared.rows - features.computed:,} from the cache ({features.choice.sentence()})"
    )
    progress.say(f"  metric: {metric} ({why})")


def _result(
    name: str,
    source: str,
    settings: FitSettings,
    command: str,
    base: Base,
    prepared: Prepared,
    chosen: Candidate,
    head: LinearHead,
    judgement: Judgement,
    metric: tuple[str, str],
    clock: _Clock,
) -> Result:
    features, task = prepared.features, prepared.task
    tried = [
        {"head": t.kind, "settings": t.settings, "score": t.valid_score, "seconds": t.seconds}
        for t in chosen.tried
    ]
    parts = {"train": len(prepared.train), "valid": len(prepared.valid), "test": len(prepared.sealed)}
    facts = [asdict(fact) for fact in prepared.facts]
    verdict = judgement.verdict
    return Result(
        name=name,
        task=task.name,
        metric=metric[0],
        metric_reason=metric[1],
        verdict=VerdictRecord(verdict.outcome, verdict.sentence, verdict.next_step),
        chosen=Chosen(chosen.base, chosen.strategy, head.kind, head.settings),
        test=judgement.test,
        transfer_gain=judgement.gain,
        controls=judgement.controls,
        candidates=[
            CandidateRecord(
                chosen.base, chosen.strategy, chosen.valid_score, chosen.seconds + features.seconds, tried
            )
        ],
        data=DataRecord(
            source,
            prepared.train.table.modality,
            prepared.rows,
            len(prepared.rejected),
            parts,
            list(task.labels),
            facts,
        ),
        base=base.identity.to_dict(),
        features=FeatureRecord(
            features.choice.sentence(), features.computed, prepared.rows - features.computed
        ),
        seconds=time.perf_counter() - clock.start,
        timing=dict(clock.seconds),
        seed=settings.seed,
        settings={**settings.to_dict(), **({"command": command} if command else {})},
        versions=versions(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _bundle(base: Base, prepared: Prepared, head: LinearHead, result: Result) -> Bundle:
    about = {
        "name": result.name,
        "metric": result.metric,
        "test": {
            "score": result.test.score,
            "low": result.test.low,
            "high": result.test.high,
            "n": result.test.n,
        },
        "verdict": result.verdict.sentence,
        "created": result.created,
        "versions": result.versions,
    }
    return Bundle(
        base.identity,
        base.modality,
        base.preprocessing(),
        prepared.features.choice.dtype,
        prepared.task,
        head,
        about,
    )


def _write(
    folder: RunFolder, result: Result, judgement: Judgement, prepared: Prepared, bundle: Bundle
) -> None:
    bundle.save(folder.aside / "bundle")
    if prepared.rejected:
        folder.write("rejected.csv", _rejected_csv(prepared.rejected))
    folder.write("report.html", build_report(result, gather(judgement, prepared.task)))
    folder.write("result.json", replace(result).to_json() + "\n")


def _rejected_csv(rejected: tuple[Rejected, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["id", "reason"])
    writer.writerows([[row.id, row.reason] for row in rejected])
    return buffer.getvalue()


def settings_from(**values: Any) -> FitSettings:
    """`FitSettings` from flat names, as the command line and `headstart.fit` have them."""
    from headstart.settings import SplitSettings

    target = values.pop("target", None)
    source = SourceSettings(
        input=values.pop("input", None),
        target=(target,) if isinstance(target, str) else (tuple(target) if target else None),
        group=values.pop("group", None),
        slices=tuple(values.pop("slices", ()) or ()),
        split=values.pop("split", None),
        task=values.pop("task", None),
        modality=values.pop("modality", None),
    )
    seed = values.get("seed", 0)
    split = SplitSettings(valid=values.pop("valid_size", 0.2), test=values.pop("test_size", 0.2), seed=seed)
    return FitSettings(source=source, split=split, **values)
