"""Which base promises most: candidates, cheap evidence, what other tasks say, the race, the winner and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from headstart.data.memory import Source
from headstart.data.source import open_given
from headstart.data.strata import units
from headstart.errors import SourceError
from headstart.flow.clock import Clock
from headstart.flow.command import fit_command
from headstart.flow.enough import check_enough
from headstart.flow.rank.estimates import NEIGHBOURS, SOLVED, Question, weigh
from headstart.flow.rank.field import Candidate, Field, field_of
from headstart.flow.rank.race import RACED, run_race, winner_of
from headstart.flow.sample import Sample, history_ids, sample_of
from headstart.progress import Progress
from headstart.ranking.combining import combine, levelled, pooled
from headstart.ranking.halving import Round, survivors
from headstart.ranking.history import fingerprint, remember, remembered
from headstart.ranking.prior import Belief, belief, shipped
from headstart.ranking.ranked import Evidence, RankedBase, Ranking
from headstart.settings import SourceSettings
from headstart.tasks import get as get_task
from headstart.training.extracted import Effort
from headstart.training.features import extract

_PERFECT = 100.0  # points: a prior can be better than any score
#: Points² by which nearest neighbours' advantage of a base may differ from the probe's, rows apart: 1.5 points.
APART = 2.25


@dataclass(frozen=True)
class _Looked:
    """Features of the rows looked at, by every candidate."""

    question: Question
    reason: str  # for the metric
    vectors: dict[str, np.ndarray]
    efforts: dict[str, Effort]
    data: str  # fingerprint


@dataclass(frozen=True)
class _Weighed:
    """What is thought of every candidate, in their order."""

    evidence: dict[str, tuple[Evidence, ...]]
    prior: Belief
    expected: Belief


def rank_source(
    source: Source,
    *,
    settings: SourceSettings | None = None,
    valid: Source | None = None,
    test: Source | None = None,
    candidates: Sequence[str] | None = None,
    licence: str | None = None,
    max_params: float | None = None,
    without: Collection[str] = (),
    trust_remote_code: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ranking:
    """Rank bases for ``source`` by at most 2,000 of its rows, none of them of the test part.

    Args:
        valid, test: as `fit` takes them; of the test part nothing is looked at.
        candidates: names of bases; None: those of the catalogue that need no network. Others are never fetched.
        licence: "commercial" leaves out bases that are not known to allow commercial use; None: any.
        max_params: most parameters without the head, in millions.
        without: data sets whose shipped results do not count, as when one of them is ranked to see how well that goes.
        trust_remote_code: whether code of a named base's own may run, where it needs any.
        seed: of the draw, the folds and the intervals.

    Raises:
        UserError: anything about the data, the bases or the cache that the user can mend.
    """
    progress, clock = progress or Progress(), Clock()
    with clock.step("open"), progress.stage("reading the data"):
        opened = open_given(source, valid, test, settings or SourceSettings())
        check_enough(opened.table, "ranking bases")
        modality = opened.table.modality
        field = field_of(candidates, modality, licence, max_params, progress, remote_code=trust_remote_code)
        field = field.reading(opened.table)
        sample = sample_of(opened.table, seed)
    progress.say(_plan(field, sample))
    with clock.step("features"), progress.stage("features"):
        ids = history_ids(source, opened.table)
        looked = _look(sample, ids, field, seed, progress)
    with clock.step("evidence"), progress.stage("evidence"):
        weighed = _weigh(looked, field, without, progress)
    with clock.step("race"), progress.stage("race"):
        rounds = _race(looked, field, weighed, progress)
    _remember(looked, weighed, modality)
    command = partial(fit_command, source, settings or SourceSettings(), valid=valid, test=test, seed=seed)
    return _ranking(str(source), (sample, looked, field, weighed, rounds), clock, seed, command)


def _plan(field: Field, sample: Sample) -> str:
    names = ", ".join(one.name for one in field.candidates)
    return f"ranking {names} by {len(sample.table):,} of {sample.available:,} labelled rows; no test labels are read"


def _look(sample: Sample, ids: np.ndarray, field: Field, seed: int, progress: Progress) -> _Looked:
    """Features by every candidate of the rows that all can read; ``ids`` are those of the whole task.

    Raises:
        SourceError: none of the rows is usable.
    """
    table = sample.table
    found = {one.name: extract(one.base, table.inputs, progress=progress) for one in field.candidates}
    kept = np.logical_and.reduce([features.kept for features in found.values()])
    if not kept.any():
        reason = next(iter(next(iter(found.values())).rejected.values()))
        raise SourceError(f"none of the {len(table)} rows is usable; the first says: {reason}.")
    table = table.take(kept)
    targets: Sequence[object] | np.ndarray = [] if table.targets is None else table.targets
    task = get_task(table.task).from_targets(targets)
    y = task.encode(targets)
    metric, reason = task.default_metric(y)
    keys = next(iter(found.values())).keys[kept]
    question = Question(task, y, keys, units(table.groups, None, len(table)), metric, seed)
    vectors = {name: features.vectors[kept] for name, features in found.items()}
    efforts = {name: features.effort() for name, features in found.items()}
    return _Looked(question, reason, vectors, efforts, fingerprint(ids, task.labels, task.name))


def _weigh(looked: _Looked, field: Field, without: Collection[str], progress: Progress) -> _Weighed:
    names = [one.name for one in field.candidates]
    evidence = {}
    for one in field.candidates:
        evidence[one.name] = weigh(looked.question, one.base, looked.vectors[one.name])
        solved = evidence[one.name][0]
        progress.say(f"  {one.name}: {solved.name} {solved.value:.1f} ± {solved.sd:.1f}")
    records = [*(one for one in shipped() if one.data not in without), *remembered(without=looked.data)]
    modality, kind = field.candidates[0].base.modality, looked.question.task.name
    prior = belief(records, names, modality=modality, kind=kind)
    heads = _belief(evidence, names, SOLVED, 0.0)
    neighbours = levelled(_belief(evidence, names, NEIGHBOURS, APART), heads)
    return _Weighed(evidence, prior, combine(prior, pooled([heads, neighbours])))


def _belief(evidence: dict[str, tuple[Evidence, ...]], names: Sequence[str], score: str, apart: float) -> Belief:
    """One score of every base, with the variance of its rows and ``apart``."""
    rows = [next(row for row in evidence[name] if row.name == score) for name in names]
    return Belief(np.array([row.value for row in rows]), np.array([row.sd**2 for row in rows]) + apart)


def _race(looked: _Looked, field: Field, weighed: _Weighed, progress: Progress) -> tuple[Round, ...]:
    """The three most expected, of equals the cheaper; () where there is but one."""
    if len(field.candidates) < 2:
        progress.say("  one candidate: nothing to race")
        return ()
    first = sorted(range(len(field.candidates)), key=lambda i: (-weighed.expected.mean[i], i))[:RACED]
    raced = {field.candidates[i].name: field.candidates[i].base for i in sorted(first)}
    rounds = run_race(looked.question, raced, looked.vectors)
    for one in rounds:
        out = [behind.base for behind in one.behind if behind.dropped]
        said = f"out: {', '.join(out)}" if out else "none is shown to be behind"
        progress.say(f"  race on {one.rows:,} rows: {one.leader} leads; {said}")
    return rounds


def _remember(looked: _Looked, weighed: _Weighed, modality: str) -> None:
    """What the solved heads reached is prior knowledge for other tasks."""
    question = looked.question
    for base, rows in weighed.evidence.items():
        remember(
            looked.data,
            verb="rank",
            modality=modality,
            kind=question.task.name,
            base=base,
            metric=question.metric,
            score=rows[0].value / 100,
            rows=len(question.y),
        )


def _ranking(
    source: str,
    found: tuple[Sample, _Looked, Field, _Weighed, tuple[Round, ...]],
    clock: Clock,
    seed: int,
    command: Callable[[str], str],
) -> Ranking:
    sample, looked, field, weighed, rounds = found
    names = [one.name for one in field.candidates]
    expected = dict(zip(names, weighed.expected.mean.tolist(), strict=True))
    raced = {name for one in rounds for name in one.scores}
    shown = [_shown(i, one, looked, weighed, raced) for i, one in enumerate(field.candidates)]
    winner, why = _decision(names, expected, rounds)
    return Ranking(
        source=source,
        modality=sample.table.modality,
        task=looked.question.task.name,
        metric=looked.question.metric,
        metric_reason=looked.reason,
        rows=len(looked.question.y),
        available=sample.available,
        set_aside=sample.set_aside,
        facts=sample.facts,
        candidates=tuple(sorted(shown, key=lambda one: -one.expected)),
        rounds=rounds,
        winner=winner,
        why=why,
        next_step=command(winner),
        left_out=field.left_out,
        seconds={**clock.seconds, "in all": clock.total()},
        seed=seed,
    )


def _shown(i: int, one: Candidate, looked: _Looked, weighed: _Weighed, raced: set[str]) -> RankedBase:
    effort, identity = looked.efforts[one.name], one.base.identity
    return RankedBase(
        base=one.name,
        source=identity.source,
        licence=identity.licence,
        parameters=float("nan") if one.entry is None else one.entry.parameters,
        evidence=weighed.evidence[one.name],
        prior=float(weighed.prior.mean[i]),
        prior_sd=float(weighed.prior.variance[i] ** 0.5),
        expected=min(_PERFECT, float(weighed.expected.mean[i])),
        expected_sd=float(weighed.expected.variance[i] ** 0.5),
        raced=one.name in raced,
        computed=effort.computed,
        cached=len(looked.question.y) - min(effort.computed, len(looked.question.y)),
        seconds=effort.seconds + effort.loading + effort.choosing,
    )


def _decision(names: Sequence[str], expected: dict[str, float], rounds: Sequence[Round]) -> tuple[str, str]:
    """The winner and why, in words; ``names`` cheapest first."""
    if not rounds:
        return names[0], "the only candidate"
    last, alive = rounds[-1], survivors(rounds)
    if len(alive) == 1:
        behind = min(last.behind, key=lambda one: one.gain)
        return last.leader, (
            f"ahead of {behind.base} by {behind.gain:.1f} points on the same {last.judged:,} held-out rows, at least "
            f"{behind.low:.1f} with 95 % confidence"
        )
    *most, end = sorted(alive, key=names.index)
    told = f"the race on {last.judged:,} held-out rows cannot tell {', '.join(most)} and {end} apart"
    return winner_of(alive, expected, names), f"{told}; of those it is expected to do best"
