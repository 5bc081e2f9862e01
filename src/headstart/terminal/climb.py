"""The ladder and what training showed, as lines for the terminal."""

from __future__ import annotations

from headstart.records import Result, RungRecord
from headstart.report.figures import MISSING, known, number, signed
from headstart.report.sentences import forgetting

_BOUNDS = "(bounds: wide enough that a rung without a true gain is taken in at most one run of ten)"


def ladder_lines(result: Result) -> list[str]:
    """The rungs, aligned, and what the bounds are; nothing where there is but one rung: nothing was compared."""
    rungs = result.ladder.rungs
    if len(rungs) < 2:
        return []
    title = (f"ladder, held-out {result.metric}", "score", "gain", "bounds", "seconds", "decision")
    return [*aligned([title, *(_cells(rung) for rung in rungs)], right=(1, 2, 4)), _BOUNDS]


def learning_lines(result: Result) -> list[str]:
    """Forgetting and each finding of the diagnosis, a line each."""
    lines = [f"forgot   {forgetting(result.forgetting)}"] if result.forgetting else []
    for finding in result.diagnosis:
        lines.append(f"finding  {finding.name}: {finding.sentence} {finding.suggestion}".rstrip())
    return [line.replace("\u00a0", " ") for line in lines]


def aligned(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    """Rows of equal length as lines; the columns in ``right`` end at one place, the others start at one."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            f"{cell:>{width}}" if i in right else f"{cell:<{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _cells(rung: RungRecord) -> tuple[str, ...]:
    bounded = known(rung.low) and known(rung.high)
    bounds = f"{signed(rung.low)} to {signed(rung.high)}" if bounded else MISSING
    tried = rung.decision != "not tried" and known(rung.seconds)
    seconds = f"{rung.seconds:.1f}" if tried else MISSING
    return rung.strategy, number(rung.valid_score), signed(rung.gain), bounds, seconds, rung.decision
