"""The tables of the report as text, ready for one template macro."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.records import CandidateRecord, ControlRecord, Result
from headstart.report import confusion, sentences, words
from headstart.report.evidence import Evidence
from headstart.report.figures import MISSING, count, duration, interval, number, plain, share

_FOLD = 12  # rows beyond which a table starts folded


@dataclass(frozen=True)
class Line:
    """The cells of a row; the first is its heading. ``tag`` is a remark beside it."""

    cells: tuple[str, ...]
    tag: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        id: unique on the page.
        caption: what it shows.
        heads: of the columns.
        lines: the rows.
        numeric: numbers of the columns set to the right.
        wordy: whether it holds prose and takes the whole width.
        fold: what to click on where it starts folded, else "".
    """

    id: str
    caption: str
    heads: tuple[str, ...]
    lines: list[Line]
    numeric: tuple[int, ...] = ()
    wordy: bool = False
    fold: str = ""


def is_chosen(candidate: CandidateRecord, result: Result) -> bool:
    """Whether ``candidate`` is the one handed over."""
    return (candidate.base, candidate.strategy) == (result.chosen.base, result.chosen.strategy)


def is_handed_over(control: ControlRecord, result: Result) -> bool:
    """Whether ``control`` is what was handed over."""
    return not result.chosen.base and control.name == result.chosen.strategy


def scores(result: Result) -> Table:
    """The borrowed model and every control."""
    test, borrowed = result.test, bool(result.chosen.base)
    spent = next((c.seconds for c in result.candidates if sentences.is_judged(c, result)), None)
    own = (sentences.judged(result), number(test.score), interval(test.low, test.high), duration(spent))
    lines = [Line(own, "handed over" if borrowed else "borrowed, not handed over", borrowed)]
    for c in result.controls:
        handed = is_handed_over(c, result)
        cells = (c.name, number(c.score), interval(c.low, c.high), duration(c.seconds))
        lines.append(Line(cells, "control, handed over" if handed else "control", handed))
    heads = ("Model", "Score", "95\u00a0% interval", "Time")
    return Table("scores-table", "The same scores as numbers", heads, lines, (1, 2, 3))


def candidates(result: Result) -> Table:
    """Every candidate with its validation score, and the control where that was handed over instead."""
    lines = []
    for c in result.candidates:
        chosen = is_chosen(c, result)
        cells = (c.base, c.strategy, number(c.valid_score), duration(c.seconds))
        lines.append(Line(cells, "handed over" if chosen else "", chosen))
    for control in result.controls:
        if is_handed_over(control, result):
            cells = (control.name, "borrows nothing", MISSING, duration(control.seconds))
            lines.append(Line(cells, "control, handed over", True))
    heads = ("Base", "Strategy", "Validation score", "Time")
    return Table("candidates-table", "Candidates and their validation scores", heads, lines, (2, 3))


def tried(result: Result) -> list[Table]:
    """The heads tried on each candidate, folded."""
    heads = ("Head", "Settings", "Held-out score", "Time")
    caption = "Scored on training examples held out from fitting them"
    found = []
    for i, c in enumerate(result.candidates):
        lines = [
            Line(
                (
                    plain(t.get("head")),
                    plain(t.get("settings")),
                    number(t.get("score")),
                    duration(t.get("seconds")),
                )
            )
            for t in c.tried
        ]
        fold = f"{len(lines)} head{'s' * (len(lines) != 1)} tried on {c.base}, {c.strategy}"
        found += [Table(f"tried-{i}", caption, heads, lines, (2, 3), fold=fold)] if lines else []
    return found


def metrics(result: Result) -> Table:
    """Every metric of the task, the deciding one first."""
    lines = []
    for name in sorted(result.test.metrics, key=lambda name: name != result.metric):
        direction = words.direction(name).capitalize()
        meaning = f"{words.sentence(name)} {direction}." if direction else words.sentence(name)
        cells = (words.title(name), number(result.test.metrics[name]), meaning)
        lines.append(Line(cells, chosen=name == result.metric))
    heads = ("Metric", "Value", "What it says")
    return Table("metrics-table", "Metrics on the test part", heads, lines, (1,), wordy=True)


def slices(result: Result) -> Table | None:
    """The slices in the order of the record, worst first."""
    found = result.test.slices
    if not found:
        return None
    lines = [Line((f"{s.column}: {s.value}", count(s.n), number(s.score), interval(s.low, s.high))) for s in found]
    heads = ("Slice", "Test examples", "Score", "95\u00a0% interval")
    caption = f"{words.title(result.metric)} by slice, worst first"
    return Table("slices-table", caption, heads, lines, (1, 2, 3), fold=_fold(lines, "slices"))


def pairs(counts: np.ndarray, labels: tuple[str, ...]) -> Table:
    """The most frequent confusions."""
    lines = [Line((p.truth, p.predicted, count(p.count), share(p.share))) for p in confusion.pairs(counts, labels)]
    heads = ("True class", "Taken for", "Times", "Share of the class")
    return Table("confusion-table", "Most confused pairs on the test part", heads, lines, (2, 3))


def classes(result: Result, evidence: Evidence) -> Table | None:
    """Precision, recall and F1 of every class or label."""
    one, several = ("Label", "labels") if result.task == "multilabel" else ("Class", "classes")
    lines = [
        Line((s.label, number(s.precision), number(s.recall), number(f1), count(s.support)))
        for s, f1 in confusion.worst_first(evidence.per_class)
    ]
    if not lines:
        return None
    heads = (one, "Precision", "Recall", "F1", "Test examples")
    caption = f"{several.capitalize()} on the test part, worst F1 first"
    return Table("classes-table", caption, heads, lines, (1, 2, 3, 4), fold=_fold(lines, several))


def facts(result: Result) -> Table | None:
    """What was inferred about the data."""
    lines = [Line((f["what"], f["value"], f["reason"])) for f in result.data.facts]
    heads = ("What", "Value", "Reason")
    return Table("facts-table", "What was inferred, and why", heads, lines, wordy=True) if lines else None


def small_print(result: Result) -> list[Table]:
    """Settings, versions and timing, each folded; empty ones are left out."""
    every = [
        ("settings-table", "Settings as given", {k: plain(v) for k, v in result.settings.items()}),
        ("versions-table", "Versions", result.versions),
        ("timing-table", "Time of each step", {k: duration(v) for k, v in result.timing.items()}),
    ]
    return [
        Table(name, caption, ("Name", "Value"), [Line(pair) for pair in rows.items()], fold=caption)
        for name, caption, rows in every
        if rows
    ]


def _fold(lines: list[Line], what: str) -> str:
    return f"All {len(lines)} {what}, worst first" if len(lines) > _FOLD else ""
