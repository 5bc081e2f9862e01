"""Runs against one another on the same test rows: better, worse, or no significant difference."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headstart.delivery.answers import Answers
from headstart.delivery.openings import opened
from headstart.errors import SettingError
from headstart.evaluation.metrics import get
from headstart.evaluation.significance import Comparison, Pair, compare_models, headline, pair_sentence
from headstart.flow.compare.match import matched
from headstart.plain import finite
from headstart.tasks import get as get_task

#: Probability with which no two equal runs are called different.
LEVEL = 0.95


@dataclass(frozen=True)
class ComparedRun:
    """One run on the rows compared."""

    name: str
    path: str
    score: float
    low: float  # 95 % interval
    high: float
    left_out: int  # its test rows that some other run has not
    opened: int  # how often its test part was opened, this comparison included


@dataclass(frozen=True)
class ComparedPair:
    """Two of the runs."""

    a: str
    b: str
    gain: float  # of a over b; above 0: a is better, for losses too
    low: float  # paired interval at `level`
    high: float
    level: float  # corrected for the number of pairs
    outcome: str  # "a better", "b better" or "no significant difference"
    rows_needed: int | None  # rows that would probably tell; null where told, or where nothing points either way
    a_only: int | None  # rows that only a has right; null but for classification
    b_only: int | None
    p_value: float | None  # McNemar's mid-p of those, not corrected
    sentence: str


@dataclass(frozen=True)
class RunComparison:
    """What the test rows say of the runs."""

    task: str
    metric: str
    n: int  # test rows compared on
    sentence: str  # the outcome in words
    runs: list[ComparedRun]  # as given
    pairs: list[ComparedPair]
    seed: int
    next_step: str  # what to do

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        cleaned: dict[str, Any] = finite(asdict(self))
        return cleaned


def compare(runs: Sequence[Path], *, metric: str | None = None, shared: bool = False, seed: int = 0) -> RunComparison:
    """Compare finished runs on their test rows, which counts as an opening of each.

    Args:
        runs: folders of two or more runs.
        metric: what to compare by; None: what they were judged by.
        shared: where they were judged on different rows, take those in common.

    Raises:
        SettingError: fewer than two runs, or one twice; runs of other tasks, labels or metrics; different test rows.
        BundleError: a folder that keeps no answers.
    """
    names = _names(runs)
    loaded = [Answers.load(run) for run in runs]
    same = matched(names, loaded, shared=shared)
    first = same.answers[0]
    metric = _metric(metric, names, loaded)
    counts = [opened(run, f"compared with {_but(names, i)}") for i, run in enumerate(runs)]
    said = [answers.decided(metric) for answers in same.answers]
    found = compare_models(names, metric, first.truth, said, units=same.units, level=LEVEL, seed=seed)
    return RunComparison(
        first.task,
        metric,
        found.n,
        headline(found),
        [
            ComparedRun(name, str(run), score.value, score.low, score.high, left_out, count)
            for (name, score), run, left_out, count in zip(
                found.scores.items(), runs, same.left_out, counts, strict=True
            )
        ],
        [_pair(pair, found) for pair in found.pairs],
        seed,
        _next_step(found, dict(zip(names, map(str, runs), strict=True))),
    )


def _next_step(found: Comparison, paths: dict[str, str]) -> str:
    """To use the run that is better than all the others; else what would tell, or that any may be used."""
    for name, path in paths.items():
        own = [(pair, "a" if pair.a == name else "b") for pair in found.pairs if name in (pair.a, pair.b)]
        if all(pair.outcome == f"{side} better" for pair, side in own):
            return f"headstart predict {shlex.quote(path)} NEW"
    if any(pair.rows_needed for pair in found.pairs):
        return "Keep the run that is cheapest to serve, or compare on more test rows."
    return "Keep the run that is cheapest to serve."


def _names(runs: Sequence[Path]) -> list[str]:
    """What the runs are called: the folders' names, or their paths where two are alike."""
    if len(runs) < 2:
        raise SettingError(f"{len(runs)} run was given to compare; give at least two folders, such as runs/a runs/b.")
    whole = [run.resolve() for run in runs]
    for i, run in enumerate(whole):
        if run in whole[:i]:
            raise SettingError(f"{runs[i]} was given twice; give different runs.")
    names = [run.name for run in whole]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]


def _but(names: Sequence[str], one: int) -> str:
    return ", ".join(name for i, name in enumerate(names) if i != one)


def _metric(asked: str | None, names: Sequence[str], runs: Sequence[Answers]) -> str:
    found = [run.metric for run in runs] if asked is None else [asked]
    if len(set(found)) > 1:
        told = ", ".join(f"{name} by {metric}" for name, metric in zip(names, found, strict=True))
        raise SettingError(f"the runs were evaluated by different metrics ({told}); name one with --metric.")
    first = runs[0]
    allowed = [one.name for one in get_task(first.task)(first.labels).metrics()]
    if get(found[0]).name not in allowed:
        raise SettingError(f"metric {found[0]!r} is not for these runs; it may be {', '.join(allowed)}.")
    return found[0]


def _pair(pair: Pair, found: Comparison) -> ComparedPair:
    gain, test = pair.gain, pair.mcnemar
    return ComparedPair(
        pair.a,
        pair.b,
        gain.value,
        gain.low,
        gain.high,
        gain.level,
        pair.outcome,
        pair.rows_needed,
        test.a_only if test else None,
        test.b_only if test else None,
        test.mid_p if test else None,
        pair_sentence(pair, found),
    )
