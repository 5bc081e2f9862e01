"""The verbs of the library; `fit` reads as the flow: open, prepare, climb, choose, test once, hand over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart.bases.base import Base
from headstart.bases.catalogue import default_base, open_base
from headstart.bases.licences import asks_commercial, refuse_unlicensed
from headstart.began import run_began
from headstart.data.memory import Source
from headstart.data.source import open_source, open_sources
from headstart.data.strata import count_labels, labels_of
from headstart.data.table import Fact, Opened, Rejected
from headstart.delivery.model import Model
from headstart.delivery.openings import trial
from headstart.delivery.run_folder import RunFolder
from headstart.errors import SettingError, nearest
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.thresholds import Rule, Thresholds
from headstart.evaluation.verdict import SCRATCH
from headstart.files import shown_path
from headstart.flow.calibration import Calibrated, calibrate, check_judging, check_risk
from headstart.flow.clock import Clock
from headstart.flow.command import audit_command
from headstart.flow.fit.assessment import assess, assess_untested
from headstart.flow.fit.messages import tell_plan, tell_prepared
from headstart.flow.fit.output import About, ChosenMetric, Work, hand_over
from headstart.flow.fit.refit import (
    Earlier,
    check_base_as,
    check_test_size,
    earlier_run,
    refit_scores,
    repeated,
    split_as,
)
from headstart.flow.fit.scratch import scratch_control
from headstart.flow.judgement import judge_once
from headstart.flow.preparation import Prepared, prepare
from headstart.flow.remaining import evidence_seconds
from headstart.flow.sample import history_ids
from headstart.flow.search import Climbed, check_base, check_task, check_training, climb_and_finish
from headstart.flow.selection import (
    Preferred,
    asked_control,
    check_baseline,
    compared_controls,
    control_thresholds,
    preferred_control,
    selected_model,
    with_thresholds,
)
from headstart.flow.thresholds import Positive, check_threshold, positive_of, rule_for
from headstart.flow.unknown import Strange, strange_inputs
from headstart.notebook import panel, scored
from headstart.progress import Progress
from headstart.ranking.history import fingerprint, remember
from headstart.records import Result
from headstart.settings import FitSettings, SourceSettings
from headstart.strategies.budget import Budget
from headstart.strategies.names import AUTO, asked_baseline
from headstart.strategies.names import get as get_strategy
from headstart.training.reading import read_as, read_out
from headstart.training.weights import check_class_weight
from headstart.unicode import writable

_SEEDS = 2**32  # what the random generators of scikit-learn take


@dataclass(frozen=True)
class Run:
    """A finished run: where it is, what it found, and the model."""

    path: Path
    result: Result
    model: Model

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}: {self.result.verdict.sentence})"

    def _repr_html_(self) -> str:
        """What a notebook shows: verdict, scores on the test set, gain, next step, and a link to the report."""
        found = self.result
        gain = found.transfer_gain
        name = found.chosen.strategy if not found.chosen.base else f"{found.chosen.base}, {found.chosen.strategy}"
        own = [(f"{found.base['name']} (transfer learning)", scored(found.test.score, found.test.low, found.test.high))]
        rows = own + [(f"{one.name} (baseline)", scored(one.score, one.low, one.high)) for one in found.controls]
        over = f" over {gain.against}" if gain.against else ""
        lines = (
            f"Selected model: {name}",
            f"Gain{over}: {scored(gain.value, gain.low, gain.high)}",
            f"Next: {found.verdict.next_step}" if found.verdict.next_step else "",
        )
        header = ("", f"{found.metric}, test set of {found.test.n:,} rows")
        return panel(found.verdict.sentence, lines, header, rows, self.path / "report.html")


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


@dataclass(frozen=True)
class Places:
    """Where a run's data are and where its results go."""

    source: Source
    out: str | Path
    valid: Source | None = None
    test: Source | None = None
    overwrite: bool = False


def fit_source(
    places: Places,
    settings: FitSettings | None = None,
    *,
    command: str = "",
    progress: Progress | None = None,
) -> Run:
    """Adapt a base to the source, judge it once on the sealed test part, and write the run.

    Raises:
        UserError: anything about the input, the settings or the output that the user can mend.
    """
    settings, progress, began = settings or FitSettings(), progress or Progress(), run_began()
    clock = Clock.from_start(began)
    check_test_size(settings)
    earlier = earlier_run(settings)
    settings = repeated(settings, earlier) if earlier else settings
    _check(settings)
    budget = Budget.from_start(settings.budget, began)
    with RunFolder(Path(places.out), overwrite=places.overwrite) as folder:
        with clock.step("open"), progress.stage("reading the data"):
            opened = open_sources(places.source, valid=places.valid, test=places.test, settings=settings.source)
            check_task(settings, opened.table.task)
            check_risk(opened.table.task, settings.judging.risk)
            check_class_weight(settings.class_weight, opened.table.task, tuple(_label_counts(opened)))
            check_baseline(settings.strategy, opened.table.modality, opened.table.task)
            check_threshold(opened.table.task, None, settings.judging)
            base = _base(settings, opened, progress)
            if earlier:
                check_base_as(base, earlier)
                settings = split_as(settings, earlier, opened.table)
        tell_plan(opened, base, settings, progress)
        with clock.step("features"), progress.stage("features"):
            strange = strange_inputs(settings.judging.ood, base, progress) if settings.judging.ood is not None else None
            budget.kept_back = evidence_seconds(0, 0, budget)
            prepared = prepare(opened, base, settings, progress, budget.left())
        clock.move("features", "loading", prepared.features.loading)
        clock.move("features", "choosing the runtime", prepared.features.choosing)
        metric = _metric(prepared, settings)
        check_threshold(prepared.task.name, prepared.task.outputs, settings.judging)
        positive = positive_of(prepared.task, prepared.working().y, settings.judging.positive)
        rule = rule_for(prepared.task, settings.judging, metric.name, positive)
        tell_prepared(opened, prepared, metric, progress)
        with clock.step("strategies"), progress.stage("strategy search"):
            climbed = climb_and_finish(prepared, base, metric.name, settings, budget, progress)
            made = _made(base, prepared, climbed, settings, rule, positive, budget)
        tried = trial(settings.to_dict(), base.identity.weights, prepared.working().keys)
        if settings.split.test:
            work = _tested(made, strange, settings, budget, clock, progress, tried)
        else:
            work = _untested(made, earlier, settings)
        with clock.step("report"), progress.stage("report"):
            about = _about(places, folder, settings, command, metric, clock, budget)
            result, model = hand_over(folder, replace(about, columns=opened.columns, trial=tried), settings, work)
            path = folder.publish()
            climbed.ground.finished.clear()
    _remember(history_ids(places.source, opened.table), opened, prepared, climbed, base, metric.name)
    return Run(path, result, model)


@dataclass(frozen=True)
class _Made:
    """The selected model and what it was made from, before the test set is evaluated."""

    base: Base
    prepared: Prepared
    climbed: Climbed
    calibrated: Calibrated
    preferred: Preferred | None
    limits: dict[str, Thresholds]


def _tested(
    made: _Made,
    strange: Strange | None,
    settings: FitSettings,
    budget: Budget,
    clock: Clock,
    progress: Progress,
    tried: str,
) -> Work:
    """The test set evaluated once, and what else is looked at."""
    prepared, climbed, calibrated, preferred = made.prepared, made.climbed, made.calibrated, made.preferred
    budget.kept_back = climbed.remaining.evidence + climbed.remaining.judged
    with clock.step("random weights"), progress.stage("baseline from random weights"):
        scratch = scratch_control(climbed, budget)
    with clock.step("test"), progress.stage("baselines and test set"):
        budget.kept_back = climbed.remaining.evidence + climbed.climb.later.answers
        selected, metric = selected_model(climbed, preferred), climbed.ground.metric
        judged = judge_once(
            prepared, calibrated, made.limits, metric, settings.seed, progress, scratch, budget, selected, tried
        )
    clock.move("test", "controls", sum(c.seconds for c in judged.controls if c.name != SCRATCH))
    with clock.step("evidence"), progress.stage("evaluation"):
        budget.kept_back = climbed.remaining.evidence
        assessed = assess(prepared, climbed, calibrated, judged, preferred, strange, settings.judging, budget)
    return Work(made.base, prepared, climbed, judged, calibrated, assessed, preferred)


def _untested(made: _Made, earlier: Earlier | None, settings: FitSettings) -> Work:
    """Without a test set: with the scores of the ``earlier`` run, or none."""
    prepared, climbed, calibrated, preferred = made.prepared, made.climbed, made.calibrated, made.preferred
    scores = refit_scores(earlier, prepared, climbed, calibrated, preferred)
    assessed = assess_untested(prepared, climbed, calibrated, preferred, settings.judging)
    return Work(made.base, prepared, climbed, None, calibrated, assessed, preferred, scores)


def _about(
    places: Places,
    folder: RunFolder,
    settings: FitSettings,
    command: str,
    metric: ChosenMetric,
    clock: Clock,
    budget: Budget,
) -> About:
    names = writable(folder.path.name), writable(str(places.source)), writable(command)
    audit = writable(audit_command(places.source, settings, valid=places.valid, test=places.test))
    return About(*names, metric, clock, tuple(budget.cut), audit, writable(shown_path(folder.path)))


def _made(
    base: Base,
    prepared: Prepared,
    climbed: Climbed,
    settings: FitSettings,
    rule: Rule | None,
    positive: Positive | None,
    budget: Budget,
) -> _Made:
    """The selected model with its thresholds, and those of the baselines: by the same ``rule``, or none."""
    auto, ground = settings.strategy == AUTO, climbed.ground
    compared = compared_controls(prepared, climbed, budget, rule) if auto or (rule and rule.tuned) else []
    name = asked_baseline(settings.strategy)
    preferred = preferred_control(prepared, climbed, compared) if auto else None
    preferred = preferred if name is None else asked_control(prepared, climbed, name, rule)
    limits = control_thresholds(rule, compared, prepared, ground, budget)
    preferred = preferred and with_thresholds(preferred, rule, ground)
    calibrated = calibrate(climbed, settings.judging, rule, positive)
    return _Made(base, prepared, climbed, calibrated, preferred, limits)


def _base(settings: FitSettings, opened: Opened, progress: Progress) -> Base:
    """The base that was asked for, as it takes these inputs."""
    base = open_base(
        settings.base,
        opened.table.modality,
        remote_code=settings.trust_remote_code,
        progress=progress,
        size=settings.size,
        max_tokens=settings.max_tokens,
        windows=settings.windows,
    )
    refuse_unlicensed(base.identity, settings.licence)
    check_base(settings.strategy, base)
    return read_out(read_as(base, opened.table), opened.table.task)


def _remember(ids: np.ndarray, opened: Opened, prepared: Prepared, climbed: Climbed, base: Base, metric: str) -> None:
    """What the probe scored is evidence for the next choice of a base."""
    if not METRICS[metric].higher_is_better or base.identity.lineage:
        return  # a prior counts in points of a score, and by names: an earlier run has that of its root
    table = opened.table
    remember(
        fingerprint(ids, prepared.task.labels, table.task),
        verb="fit",
        modality=table.modality,
        kind=table.task,
        base=base.identity.name,
        metric=metric,
        score=climbed.climb.probe.valid_score,
        rows=len(prepared.train) + len(prepared.valid),
    )


def inspect_source(source: Source, settings: SourceSettings | None = None) -> Inspection:
    """What is understood of ``source``, before any work.

    Raises:
        UserError: it cannot be opened as data.
    """
    opened = open_source(source, settings or SourceSettings())
    table = opened.table
    parts = {str(name): int(count) for name, count in zip(*np.unique(table.split, return_counts=True), strict=True)}
    return Inspection(
        writable(str(source)),
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
    return dict(sorted(count_labels(labels_of(opened.table)).items()))


def _check(settings: FitSettings) -> None:
    if settings.strategy != AUTO:
        get_strategy(settings.strategy)
    asks_commercial(settings.licence)
    check_training(settings)
    check_judging(settings)
    if settings.metric is not None and settings.metric not in METRICS:
        raise SettingError(
            f"metric {settings.metric!r} is unknown; it is one of "
            f"{', '.join(METRICS)}.{nearest(settings.metric, METRICS)}"
        )
    for name, share, also in (
        ("valid-size", settings.split.valid, ""),
        ("test-size", settings.split.test, ", or 0 for no test set"),
    ):
        if not 0 < share < 1 and not (also and share == 0):
            raise SettingError(f"{name} is {share:g}; it is a share of the rows between 0 and 1, such as 0.2{also}.")
    if not 0 <= settings.max_rejected <= 1:
        raise SettingError(f"max-rejected is {settings.max_rejected:g}; it is a share from 0 to 1, such as 0.05.")
    if not 0 <= settings.seed < _SEEDS:
        raise SettingError(f"seed is {settings.seed}; it is a whole number from 0 to {_SEEDS - 1}.")


def _metric(prepared: Prepared, settings: FitSettings) -> ChosenMetric:
    """The metric to choose and judge by, and why."""
    task = prepared.task
    if settings.metric is None:
        return ChosenMetric(*task.default_metric(prepared.train.y))
    allowed = [metric.name for metric in task.metrics()]
    if settings.metric not in allowed:
        classes = f" of {task.outputs} {task.plural}" if task.exclusive else ""
        raise SettingError(
            f"metric {settings.metric!r} is not for {task.name}{classes}; for that it is one of {', '.join(allowed)}."
        )
    return ChosenMetric(settings.metric, "asked for")
