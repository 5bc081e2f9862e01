"""The strategy search as the report shows it: every step with what it brought and why it was accepted or not."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.evaluation.wording import DECISIONS
from headstart.records import LadderRecord, Result, RungRecord
from headstart.report import words
from headstart.report.figures import MISSING, bounded, count, duration, known, number
from headstart.report.tables import Line, Table
from headstart.tasks import get


@dataclass(frozen=True)
class Search:
    """What the section shows."""

    facts: list[tuple[str, str]]
    steps: Table
    meanings: list[tuple[str, str]]  # each strategy in a sentence


def search(result: Result) -> Search | None:
    """The section; None where one strategy ran and nothing was compared."""
    record = result.ladder
    if len(record.rungs) < 2:
        return None
    names = dict.fromkeys(rung.strategy for rung in record.rungs)
    meanings = [(name, words.strategy(name, result.task)) for name in names if words.strategy(name)]
    return Search(_facts(result), _table(result), meanings)


def _facts(result: Result) -> list[tuple[str, str]]:
    record = result.ladder
    each = "Training rows" if get(result.task).values else "Training rows of the median class"
    return [
        ("Compared on", record.held_out),
        (each, count(record.per_class)),
        ("Distance from the pretraining data", _distance(record)),
        *([("Budget", duration(record.budget_seconds))] if known(record.budget_seconds) else []),
        *([("Not used", record.unused)] if record.unused else []),
        *([("To keep the budget", "; ".join(record.cut))] if record.cut else []),
    ]


def _distance(record: LadderRecord) -> str:
    how = f"; {record.distance_how}" if record.distance_how else ""
    if not known(record.distance):
        return f"not known{how}"
    return f"{number(record.distance)} (0: similar, 1: different{how})"


def _table(result: Result) -> Table:
    lines = [_line(rung, result) for rung in result.ladder.rungs]
    heads = ("Strategy", words.title(result.metric), "Gain [90\u00a0%]", "Predicted", "Took", "Why")
    caption = "Steps from the cheapest strategy up, compared on held-out rows"
    return Table("search-table", caption, heads, lines, (1, 2, 3, 4), wordy=True)


def _line(rung: RungRecord, result: Result) -> Line:
    gain = bounded(rung.gain, rung.low, rung.high, sign=True)
    took = duration(rung.seconds) if rung.decision != "not tried" else MISSING
    cells = (rung.strategy, number(rung.valid_score), gain, duration(rung.predicted_seconds), took)
    selected = bool(result.chosen.base) and rung.strategy == result.chosen.strategy
    decision = DECISIONS.get(rung.decision, rung.decision)
    return Line((*cells, rung.reason or MISSING), decision, selected)
