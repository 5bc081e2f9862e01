"""Advice before any training: what the data are, what to do, what it costs, and how much more data buys."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.bases.base import Base
from headstart.bases.catalogue import default_base, open_base
from headstart.data.memory import Source
from headstart.data.source import open_source
from headstart.data.table import Opened
from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, score_interval
from headstart.evaluation.class_gains import ALWAYS, RULES, rule_for
from headstart.evaluation.extrapolation import FURTHEST, LEVEL
from headstart.evaluation.extrapolation_words import Counting, ahead_sentence, bounds, goal_of, needed_sentence
from headstart.flow.advise.advice import (
    Advice,
    AheadPoint,
    BaseFacts,
    ClassFacts,
    ControlFacts,
    CurvePoint,
    DataAdvice,
    DataFacts,
    GoalFacts,
    Option,
    RuleFacts,
)
from headstart.flow.advise.costs import predicted_costs
from headstart.flow.advise.curve import Curved, curve_of
from headstart.flow.advise.words import beside_control, cautions, headline, not_foretold, on_classes, what_to_do
from headstart.flow.clock import Clock
from headstart.flow.command import fit_command
from headstart.flow.enough import check_enough
from headstart.flow.given import given_inputs
from headstart.flow.preparation import Prepared, prepare
from headstart.flow.search import ground_of
from headstart.flow.selection import against_controls
from headstart.modalities import get
from headstart.progress import Progress
from headstart.settings import FitSettings, SourceSettings, SplitSettings
from headstart.strategies.candidate import Candidate
from headstart.strategies.distance import distance
from headstart.strategies.ground import Ground
from headstart.strategies.names import STRATEGIES
from headstart.strategies.plan import choices, could_show, favoured
from headstart.strategies.solving import solved
from headstart.training.costs import Cost
from headstart.training.distance.measured import Distance
from headstart.training.distance.measures import distances, warning
from headstart.training.reading import read_as
from headstart.training.rows import TrainRows

_TIMES = (1.0, 2.0, FURTHEST)
_NAN = float("nan")


@dataclass(frozen=True)
class _Looked:
    """What the work gave."""

    opened: Opened
    base: Base
    prepared: Prepared
    ground: Ground
    probe: Candidate
    curved: Curved
    far: tuple[float, str]
    measures: tuple[Distance, ...]
    options: tuple[Option, ...]
    control: ControlFacts


def advise_source(
    source: Source,
    *,
    settings: SourceSettings | None = None,
    base: str | None = None,
    goal: float | None = None,
    reference: Source | None = None,
    trust_remote_code: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Advice:
    """What to do with ``source``: nothing is trained, and the test part stays sealed.

    Args:
        base: None: the modality's default.
        goal: score for which rows are counted; None: the next round one within reach.
        reference: source of inputs like those that the base was trained on, labelled or not, to compare with.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        seed: of splits, draws and intervals.

    Raises:
        UserError: anything about the data, the base or the goal that the user can mend.
    """
    settings, progress, clock = settings or SourceSettings(), progress or Progress(), Clock()
    if goal is not None and not 0 < goal < 1:
        raise SettingError(f"goal is {goal:g}; it is a score between 0 and 1, such as 0.95.")
    fit = FitSettings(source=settings, split=SplitSettings(seed=seed), base=base, seed=seed)
    with clock.step("open"), progress.stage("reading the data"):
        opened = open_source(source, settings)
        check_enough(opened.table, "advice")
        known = open_base(base, opened.table.modality, remote_code=trust_remote_code, progress=progress)
        known = read_as(known, opened.table)
    with clock.step("reference"), progress.stage("reference"):
        like = _reference(reference, known, progress)
    with clock.step("features"), progress.stage("features"):
        prepared = prepare(opened, known, fit, progress)
    metric, reason = _metric(prepared)
    with clock.step("probe"), progress.stage("probe"):
        ground = ground_of(prepared, known, metric, fit, progress)
        probe = solved(ground, STRATEGIES["probe"])
    with clock.step("learning curve"), progress.stage("learning curve"):
        curved = curve_of(prepared, metric, seed=seed, progress=progress)
    with clock.step("distance"), progress.stage("difference from the pretraining data"):
        far = distance(known, ground.rows)
        seen = None if like is None else like.vectors
        measures = distances(known, ground.rows.inputs, ground.rows.vectors, reference=seen, seed=seed)
    with clock.step("controls"), progress.stage("baselines"):
        control = _control(prepared, ground, probe, far[0])
    with clock.step("strategies"), progress.stage("measuring what each strategy takes"):
        options = _options(prepared, ground, probe, far[0], fit, progress)
    looked = _Looked(opened, known, prepared, ground, probe, curved, far, measures, options, control)
    return _advice(source, looked, reason, goal, fit, dict(clock.seconds))


def _reference(source: Source | None, base: Base, progress: Progress) -> TrainRows | None:
    if source is None:
        return None
    return given_inputs(source, "--reference", "like those that it was trained on", base, progress)


def _metric(prepared: Prepared) -> tuple[str, str]:
    """What `fit` would judge by, and why; counts in the reason are of all rows to learn from, where it still holds."""
    metric, reason = prepared.task.default_metric(prepared.train.y)
    again, of_all = prepared.task.default_metric(prepared.working().y)
    return metric, of_all if again == metric else reason


def _control(prepared: Prepared, ground: Ground, probe: Candidate, far: float) -> ControlFacts:
    best = against_controls(prepared, ground, probe.held, far)[0]
    gain = best.gain  # of the control; what is told is that of borrowing
    return ControlFacts(best.name, ground.score(best.held), -gain.value, -gain.high, -gain.low, best.better)


def _options(
    prepared: Prepared, ground: Ground, probe: Candidate, far: float, settings: FitSettings, progress: Progress
) -> tuple[Option, ...]:
    """The probe and what the ladder would try above it, with reasons and costs."""
    base = ground.base
    if not base.trainable:
        return (Option("probe", True, f"{base.identity.name} is a frozen graph: nothing else fits it", *[_NAN] * 4),)
    weights = sum(p.numel() for p in base.network().parameters())
    above = choices(ground, weights, far, could_show(ground, probe.held))
    costs = predicted_costs(
        prepared, base, ground.metric, settings, progress, ("probe", *(one.name for one, _ in above))
    )
    cost = {one.strategy: one for one in costs}
    found = [_option("probe", "", "the first step of every strategy search", cost["probe"])]
    for strategy, left_out in above:
        own = cost[strategy.name]
        found.append(_option(strategy.name, left_out or own.left_out, favoured(strategy, far) or strategy.summary, own))
    return tuple(found)


def _option(name: str, left_out: str, what: str, cost: Cost) -> Option:
    memory = float(cost.memory) if cost.memory else _NAN
    return Option(name, not left_out, left_out or what, cost.seconds, cost.least, cost.at_most, memory)


def _advice(
    source: Source, looked: _Looked, reason: str, goal: float | None, settings: FitSettings, seconds: dict[str, float]
) -> Advice:
    prepared, ground = looked.prepared, looked.ground
    score = score_interval(
        ground.metric, ground.held_y, looked.probe.held, units=ground.held_units, level=LEVEL, seed=settings.seed
    )
    data, base = _data(looked), _base(looked, settings)
    what = what_to_do(looked.options, base, looked.control)
    counting = Counting(_classes(looked), _share(looked))
    more = _more_data(looked, goal, counting)
    buys = _worth_of_data(looked, data, score, more, counting)
    return Advice(
        source=str(source),
        answer=_answer(looked, data, base, score, what, buys),
        what=what,
        buys=buys,
        next_step=fit_command(source, settings.source, settings.base, seed=settings.seed),
        metric=ground.metric,
        metric_reason=reason,
        score=score.value,
        low=score.low,
        high=score.high,
        held_out=f"{len(ground.held_y):,} rows, {ground.holding.how}",
        control=looked.control,
        data=data,
        base=base,
        options=looked.options,
        more_data=more,
        cautions=tuple(
            cautions(data, base, more.classes, ground.metric, score.value, len(np.unique(prepared.working().units())))
        ),
        rules=_rules(data),
        seconds=seconds,
    )


def _data(looked: _Looked) -> DataFacts:
    prepared, y = looked.prepared, looked.ground.rows.y
    counts = prepared.task.counts(y, prepared.task.outputs)
    counts = np.array([len(y)]) if counts is None else counts
    leaks = tuple(f"{fact.value}: {fact.reason}" for fact in prepared.facts if fact.what == "leak")
    return DataFacts(
        modality=looked.opened.table.modality,
        task=prepared.task.name,
        rows=prepared.rows,
        set_aside=len(prepared.rejected),
        learn=len(y),
        test=len(prepared.sealed),
        classes=len(prepared.task.labels),
        smallest=int(counts.min()),
        median=int(np.median(counts)),
        largest=int(counts.max()),
        near=int(prepared.near.shared.sum()),
        leaks=leaks,
    )


def _base(looked: _Looked, settings: FitSettings) -> BaseFacts:
    identity, modality = looked.base.identity, looked.opened.table.modality
    default = settings.base is None or settings.base == default_base(modality)
    why = f"the default for {get(modality).plural}, which needs no network" if default else "asked for"
    return BaseFacts(
        identity.name,
        why,
        identity.licence,
        identity.trained_on,
        *looked.far,
        looked.measures,
        warning(looked.measures),
    )


def _classes(looked: _Looked) -> int:
    """Among which new rows are shared out evenly."""
    return looked.prepared.task.outputs if looked.prepared.task.exclusive else 1


def _share(looked: _Looked) -> float:
    """Labelled rows for one to learn from: where the test part is drawn, it takes its share of new rows too."""
    given = bool((looked.opened.table.split == "test").any())
    return 1.0 if given else looked.prepared.rows / len(looked.ground.rows)


def _more_data(looked: _Looked, goal: float | None, counting: Counting) -> DataAdvice:
    curved, labels, classes = looked.curved, looked.prepared.task.labels, _classes(looked)
    points: list[CurvePoint] = []
    if curved.curve is not None:
        curve = curved.curve
        points = [
            CurvePoint(float(n), float(n) / classes if classes > 1 else _NAN, float(m), float(s), len(curve.values))
            for n, m, s in zip(curve.sizes, curve.mean, curve.sd, strict=True)
        ]
    ahead: list[AheadPoint] = []
    reached = None
    if curved.ahead is not None and not curved.refused:
        at = [(times, curved.ahead.at(times)) for times in _TIMES]
        ahead = [AheadPoint(times, one.n, one.value, one.low, one.high) for times, one in at]
        wanted = goal_of(goal, curved.ahead)
        reached = None if wanted is None else _goal(wanted, curved, counting)
    facts = [ClassFacts(labels[c.output], c.n, c.recall, c.gain, c.gains_more, c.behind) for c in curved.classes]
    return DataAdvice(curved.metric, tuple(points), tuple(ahead), curved.refused, reached, tuple(facts))


def _goal(goal: float, curved: Curved, counting: Counting) -> GoalFacts | None:
    if curved.ahead is None:
        return None
    needed, present = curved.ahead.needed(goal), float(curved.ahead.rows[0])
    rows = (needed.rows, needed.low, needed.high)
    return GoalFacts(goal, *rows, *(counting.more(one, present) if math.isfinite(one) else _NAN for one in rows))


def _answer(looked: _Looked, data: DataFacts, base: BaseFacts, score: Interval, what: str, buys: str) -> str:
    """The paragraph: where things stand, what to do, what more data buys, and where it buys most."""
    curved, metric = looked.curved, looked.ground.metric
    ahead = None if curved.refused else curved.ahead
    now = score if ahead is None or curved.metric != metric else ahead.at(1.0)
    stands = headline(data, base, metric, bounds(metric, now))
    return " ".join([stands, beside_control(looked.control, metric), what, buys])


def _worth_of_data(looked: _Looked, data: DataFacts, score: Interval, more: DataAdvice, counting: Counting) -> str:
    """What more data buys, and where it buys most, or why that is not predicted."""
    curved = looked.curved
    if curved.refused or curved.ahead is None:
        return not_foretold(looked.ground.metric, score.low, curved.refused)
    told = [ahead_sentence(curved.metric, curved.ahead)]
    if more.goal is not None:
        told.append(needed_sentence(curved.metric, curved.ahead.needed(more.goal.goal), curved.ahead, counting))
    told.append(on_classes(more.classes, data.classes > 2))
    return " ".join(one for one in told if one)


def _rules(data: DataFacts) -> tuple[RuleFacts, ...]:
    mine = rule_for(data.median)
    counted = RULES if data.classes else ()  # by the class
    rules = [RuleFacts(rule.rows, rule.advice, rule.source, rule is mine) for rule in counted]
    return (*rules, *(RuleFacts("any number", advice, source, False) for advice, source in ALWAYS))
