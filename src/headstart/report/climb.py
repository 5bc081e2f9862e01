"""The ladder as the report shows it: the plan, every rung, and score over time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from headstart.evaluation.metrics import METRICS
from headstart.records import LadderRecord, Result, RungRecord
from headstart.report import curves, words
from headstart.report.curves import Step
from headstart.report.figures import MISSING, count, duration, known, number, signed
from headstart.report.sentences import climbed
from headstart.report.tables import Line, Table


@dataclass(frozen=True)
class Ladder:
    """What the section shows."""

    plan: str
    facts: list[tuple[str, str]]
    rungs: Table
    chart: Markup | None  # None where fewer than two rungs were tried
    meanings: list[tuple[str, str]]  # each strategy on it in a sentence


def ladder(result: Result) -> Ladder | None:
    """The section, or None where there was no ladder."""
    record = result.ladder
    if not record.rungs:
        return None
    names = dict.fromkeys(rung.strategy for rung in record.rungs)
    meanings = [(name, words.strategy(name)) for name in names if words.strategy(name)]
    return Ladder(record.plan, _facts(result), _table(result), _chart(result), meanings)


def _facts(result: Result) -> list[tuple[str, str]]:
    record = result.ladder
    each = "Training examples" if result.task == "regression" else "Training examples a class"
    return [
        ("Budget", duration(record.budget_seconds) if known(record.budget_seconds) else "none given"),
        ("Predicted", f"{duration(record.predicted_seconds)} for the whole plan" * known(record.predicted_seconds)),
        *([("To keep the budget", "; ".join(record.cut))] if record.cut else []),
        (each, count(record.per_class) + ("" if result.task == "regression" else " (of the median class)")),
        ("Distance", _distance(record)),
        ("Compared on", record.held_out),
    ]


def _distance(record: LadderRecord) -> str:
    if not known(record.distance):
        return f"not known ({record.distance_how})" if record.distance_how else "not known"
    how = f"; {record.distance_how}" if record.distance_how else ""
    return f"{number(record.distance)} from what the base was trained on (0: like it, 1: unlike it{how})"


def _table(result: Result) -> Table:
    lines = [_line(i, rung, result) for i, rung in enumerate(result.ladder.rungs, 1)]
    heads = ("Rung", "Score", "Gain", "Bounds", "Over", "Predicted", "Took", "Reason")
    caption = "Rungs from the cheapest up, compared on held-out examples"
    return Table("rungs-table", caption, heads, lines, (1, 2, 3, 5, 6), wordy=True)


def _line(place: int, rung: RungRecord, result: Result) -> Line:
    bounds = f"{signed(rung.low)}\u00a0to\u00a0{signed(rung.high)}" if known(rung.low) and known(rung.high) else MISSING
    cells = (
        f"{place} {rung.strategy}",
        *(number(rung.valid_score), signed(rung.gain), bounds, rung.against or MISSING),
        *(duration(rung.predicted_seconds), duration(rung.seconds) if tried(rung) else MISSING),
        rung.reason or MISSING,
    )
    handed = bool(result.chosen.base) and rung.strategy == result.chosen.strategy
    return Line(cells, rung.decision, handed)


def tried(rung: RungRecord) -> bool:
    """Whether any work was done on ``rung``."""
    return rung.decision != "not tried"


def _chart(result: Result) -> Markup | None:
    """Score against the seconds spent until it was known."""
    numbered = [(str(i), rung) for i, rung in enumerate(result.ladder.rungs, 1) if tried(rung)]
    if len(numbered) < 2:
        return None
    spent = accumulate(rung.seconds if known(rung.seconds) else 0.0 for _, rung in numbered)
    found = [_step(label, rung, at, result.metric) for (label, rung), at in zip(numbered, spent, strict=True)]
    up = words.with_direction(result.metric, "on held-out examples")
    title = f"{words.title(result.metric)} on held-out examples over time"
    return curves.steps(found, name="ladder-chart", title=title, up=up)


def _step(label: str, rung: RungRecord, seconds: float, metric: str) -> Step:
    """The bounds of the gain, laid around the score: they end where the gain over the rung below would be 0."""
    sign = -1 if metric in METRICS and not METRICS[metric].higher_is_better else 1
    ends = [rung.valid_score + sign * (bound - rung.gain) for bound in (rung.low, rung.high)] if _bounded(rung) else []
    low, high = sorted(ends) if ends else (float("nan"), float("nan"))
    return Step(label, rung.strategy, seconds, rung.valid_score, low, high, climbed(rung))


def _bounded(rung: RungRecord) -> bool:
    return all(known(value) for value in (rung.valid_score, rung.gain, rung.low, rung.high))
