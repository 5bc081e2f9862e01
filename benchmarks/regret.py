"""From runs to tables: what each strategy scored, and what `auto` gave away against the best of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.benchmark import Table
from benchmarks.ledger import FINISHED, REFUSED, Key, Outcome
from benchmarks.spread import spread

AUTO = "auto"
FIXED = ("probe", "head2toe", "partial", "progressive", "full", "lora", "norm", "scratch")
_NO_RUN = "–"


@dataclass(frozen=True)
class Row:
    """One task's runs of one seed, by strategy."""

    task: str
    runs: Mapping[str, Outcome]

    @property
    def fixed(self) -> dict[str, Outcome]:
        """The fixed strategies that finished."""
        return {name: self.runs[name] for name in FIXED if self.done(name)}

    @property
    def best(self) -> str | None:
        """The fixed strategy with the highest test score, the earlier of equals; None where none finished."""
        return max(self.fixed, key=lambda name: self.fixed[name].score) if self.fixed else None

    @property
    def complete(self) -> bool:
        """Whether `auto` and all fixed strategies ran or were refused, two or more ran: else regrets say nothing."""
        return (
            len(self.fixed) > 1
            and self.done(AUTO)
            and all(name in self.runs and self.runs[name].status in (FINISHED, REFUSED) for name in FIXED)
        )

    def done(self, name: str) -> bool:
        """Whether a strategy finished."""
        return name in self.runs and self.runs[name].status == FINISHED

    def regret(self, name: str) -> float:
        """Best fixed strategy's test score less that of ``name``; below 0 where ``name`` beat them all."""
        if self.best is None:
            raise ValueError(f"no fixed strategy finished on {self.task}")
        run = self.runs[name]
        return self.fixed[self.best].score - (run.handed if name == AUTO else run.score)

    def share(self, name: str) -> float:
        """Seconds of ``name`` over those of all fixed strategies together."""
        return self.runs[name].seconds / sum(run.seconds for run in self.fixed.values())


def rows(runs: Mapping[Key, Outcome], tasks: Iterable[str], seed: int, quick: bool) -> list[Row]:
    """The tasks of which there is any run with ``seed``."""
    found = [
        Row(task, {k.strategy: run for k, run in runs.items() if (k.task, k.seed, k.quick) == (task, seed, quick)})
        for task in tasks
    ]
    return [row for row in found if row.runs]


def scores(found: list[Row]) -> Table:
    """Task x strategy: test scores, the best marked."""
    header = ("task", "train rows", "test rows", "metric", *FIXED, AUTO)
    return Table(header, tuple((row.task, *_sizes(row), *_cells(row)) for row in found))


def _sizes(row: Row) -> tuple[str, str, str]:
    ran = next((run for run in row.runs.values() if run.status == FINISHED), None)
    if ran is None:
        return _NO_RUN, _NO_RUN, _NO_RUN
    cut = f"{ran.train_rows:,} of {ran.whole:,}" if ran.train_rows < ran.whole else f"{ran.train_rows:,}"
    return cut, f"{ran.test_rows:,}", ran.metric


def _cells(row: Row) -> list[str]:
    fixed = [f"**{_score(row, name)}**" if name == row.best else _score(row, name) for name in FIXED]
    return [*fixed, f"{row.runs[AUTO].handed:.3f}" if row.done(AUTO) else _score(row, AUTO)]


def _score(row: Row, name: str) -> str:
    run = row.runs.get(name)
    return _NO_RUN if run is None else f"{run.score:.3f}" if run.status == FINISHED else run.status


def seconds(found: list[Row]) -> Table:
    """Task x strategy: seconds of the whole process."""
    cells = tuple(
        (row.task, *(f"{row.runs[name].seconds:,.0f} s" if row.done(name) else _NO_RUN for name in (*FIXED, AUTO)))
        for row in found
    )
    return Table(("whole process", *FIXED, AUTO), cells)


def choices(found: list[Row]) -> Table:
    """What `auto` took on each task, what that gave away, and what it cost."""
    header = ("task", "auto handed over", "best fixed", "regret", "auto's time ÷ all fixed strategies'")
    return Table(header, tuple(_choice(row) for row in found if row.complete))


def _choice(row: Row) -> tuple[str, ...]:
    return row.task, row.runs[AUTO].choice, str(row.best), f"{row.regret(AUTO):+.3f}", f"{row.share(AUTO):.0%}"


def summary(found: list[Row]) -> Table:
    """Mean and worst regret over the complete tasks, of `auto` and as if one strategy were used throughout."""
    whole = [row for row in found if row.complete]
    share = "seconds ÷ all fixed strategies'"
    header = ("strategy", "tasks", "mean regret", "counted from 0", "worst regret", "on", share)
    return Table(header, tuple(line for name in (AUTO, *FIXED) if (line := _summary(name, whole))))


def _summary(name: str, whole: list[Row]) -> tuple[str, ...] | None:
    ran = [row for row in whole if row.done(name)]
    if not ran:
        return None
    regrets = [row.regret(name) for row in ran]
    worst = max(ran, key=lambda row: row.regret(name))
    everything = sum(run.seconds for row in ran for run in row.fixed.values())
    share = sum(row.runs[name].seconds for row in ran) / everything
    return (
        name,
        f"{len(ran)} of {len(whole)}",
        f"{statistics.fmean(regrets):+.3f}",
        f"{statistics.fmean(max(0.0, regret) for regret in regrets):+.3f}",
        f"{max(regrets):+.3f}",
        worst.task,
        f"{share:.0%}",
    )


def seeds(by_seed: list[list[Row]]) -> Table:
    """`auto` beside the fixed strategy that was best with the first seed, over seeds that have both.

    Args:
        by_seed: the same tasks with each seed, the first seed first.
    """
    header = ("task", "seeds", "auto", "best fixed with the first seed", "its score", "difference, mean ± deviation")
    return Table(header, tuple(line for first in by_seed[0] if (line := _seeds(first, by_seed))))


def _seeds(first: Row, by_seed: list[list[Row]]) -> tuple[str, ...] | None:
    best = first.best
    if best is None:
        return None
    both = [
        row for found in by_seed for row in found if row.task == first.task and row.done(AUTO) and row.done(str(best))
    ]
    if len(both) < 2:
        return None
    auto = [row.runs[AUTO].handed for row in both]
    fixed = [row.runs[best].score for row in both]
    differences = [a - b for a, b in zip(auto, fixed, strict=True)]
    return (
        first.task,
        str(len(both)),
        spread(auto).text(digits=3),
        best,
        spread(fixed).text(digits=3),
        f"{statistics.fmean(differences):+.3f} ± {statistics.stdev(differences):.3f}",
    )


def against_control(found: list[Row]) -> Table:
    """What borrowing brought where the pictures are unlike photos: the probe, and what `auto` handed over."""
    header = ("task", "best control", "probe", "probe − control", "auto handed over", "auto's best − control")
    return Table(header, tuple(_against(row) for row in found if row.done("probe") and row.done(AUTO)))


def _against(row: Row) -> tuple[str, ...]:
    probe, auto = row.runs["probe"], row.runs[AUTO]
    return (
        row.task,
        f"{probe.control}, {probe.control_score:.3f}",
        f"{probe.score:.3f}",
        _gain(probe),
        f"{auto.choice}, {auto.handed:.3f}",
        _gain(auto),
    )


def _gain(run: Outcome) -> str:
    value, low, high = run.gain
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"
