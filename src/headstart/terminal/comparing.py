"""A comparison of runs as text for the terminal."""

from __future__ import annotations

from headstart.evaluation.wording import metric_name
from headstart.flow.compare.compare import ComparedRun, RunComparison
from headstart.report.figures import bounded
from headstart.terminal.tables import labelled, paragraph, unbroken

_OFTEN = 3  # evaluations of one test set from which its reuse is worth a warning


def text(comparison: RunComparison, *, verbose: bool = False) -> str:
    """The outcome first, then the scores, what was compared on and what to do; ``verbose``: every pair too."""
    counted = max((run.opened for run in comparison.runs), default=1)
    facts = [
        *(_score(run, comparison.metric) for run in comparison.runs),
        ("data", _rows(comparison)),
        ("warning", _reused(counted) if counted > _OFTEN else ""),
        ("next", comparison.next_step),
        ("details", "" if verbose or len(comparison.pairs) < 2 else "--verbose shows every pair, --json all of it"),
    ]
    lines = [*paragraph(unbroken(comparison.sentence)), *labelled(facts)]
    if verbose:
        lines += ["", *(f"{run.name}: test set evaluated {_times(run.opened)}" for run in comparison.runs)]
        lines += [line for pair in comparison.pairs for line in ["", *paragraph(unbroken(pair.sentence))]]
    return "\n".join(lines).replace("\u00a0", " ")


def _score(run: ComparedRun, metric: str) -> tuple[str, str]:
    return run.name, f"{metric_name(metric)} {bounded(run.score, run.low, run.high)}"


def _times(opened: int) -> str:
    return "once" if opened == 1 else f"{opened} times, this one included"


def _reused(opened: int) -> str:
    return f"the test set was evaluated {opened} times; each choice by it makes the next score too good"


def _rows(comparison: RunComparison) -> str:
    left_out = [f"{run.left_out:,} of {run.name}" for run in comparison.runs if run.left_out]
    if not left_out:
        return f"the same {comparison.n:,} test rows"
    return f"scores of the {comparison.n:,} test rows that all have; left out: {', '.join(left_out)}"
