"""A comparison of runs as text for the terminal."""

from __future__ import annotations

from headstart.evaluation.wording import metric_name
from headstart.flow.comparing import ComparedRun, RunComparison
from headstart.report.figures import bounded
from headstart.terminal.tables import aligned


def text(comparison: RunComparison) -> str:
    """The outcome first, then the scores, every pair, and what was counted."""
    title = ("run", f"test {metric_name(comparison.metric)} [95 % interval]", "test set evaluated")
    lines = [comparison.sentence, "", *aligned([title, *map(_cells, comparison.runs)], right=())]
    if len(comparison.pairs) > 1:
        lines += ["", *(pair.sentence for pair in comparison.pairs)]
    lines += ["", _rows(comparison)]
    return "\n".join(lines).replace("\u00a0", " ")


def _cells(run: ComparedRun) -> tuple[str, ...]:
    times = "once" if run.opened == 1 else f"{run.opened} times, this one included"
    return run.name, bounded(run.score, run.low, run.high), times


def _rows(comparison: RunComparison) -> str:
    left_out = [f"{run.left_out:,} of {run.name}" for run in comparison.runs if run.left_out]
    if not left_out:
        return f"Compared on the same {comparison.n:,} test rows."
    return (
        f"Compared on the {comparison.n:,} test rows that all have; left out: {', '.join(left_out)}. "
        f"The scores are of those rows only."
    )
