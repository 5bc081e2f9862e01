"""The tables of the report as text, ready for one template macro."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.records import CandidateRecord, ClassRecord, ControlRecord, Result
from headstart.report import confusion, sentences, words
from headstart.report.figures import MISSING, bounded, count, duration, interval, known, number, plain, share

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
    """Every defined metric of the task with its interval, the deciding one first."""
    test = result.test
    lines = []
    for name in sorted(test.metrics.keys() - test.undefined.keys(), key=_as_recorded(result)):
        found = test.metrics[name]
        better = words.direction(name).removesuffix(" is better") or MISSING
        cells = (words.title(name), number(found.value), interval(found.low, found.high), better)
        lines.append(Line(cells, chosen=name == result.metric))
    heads = ("Metric", "Value", "95\u00a0% interval", "Better")
    return Table("metrics-table", "Metrics on the test part", heads, lines, (1, 2))


def _as_recorded(result: Result) -> Callable[[str], tuple[bool, int]]:
    order = list(result.test.metrics)
    return lambda name: (name != result.metric, order.index(name))


def undefined(result: Result) -> list[tuple[str, str]]:
    """Metrics that the test rows cannot give, by title, with the reason."""
    return [(words.title(name), reason) for name, reason in result.test.undefined.items()]


def meanings(result: Result) -> Table:
    """What each metric measures, folded."""
    names = dict.fromkeys([result.metric, *result.test.metrics, *result.test.undefined])
    lines = [Line((words.title(name), words.sentence(name))) for name in names if words.sentence(name)]
    heads = ("Metric", "What it says")
    return Table("meanings-table", "Metrics in words", heads, lines, wordy=True, fold="What the metrics mean")


def slices(result: Result) -> Table | None:
    """The slices in the order of the record, worst first."""
    found = result.slices
    if not found:
        return None
    lines = [
        Line(
            (sentences.slice_name(s), count(s.n), number(s.score), interval(s.low, s.high)),
            "found" if s.found else "",
        )
        for s in found
    ]
    heads = ("Slice", "Test examples", "Score", "Corrected interval")
    caption = f"{words.title(found[0].metric or result.metric)} by slice, worst first"
    return Table("slices-table", caption, heads, lines, (1, 2, 3), fold=_fold(lines, "slices"))


def pairs(counts: np.ndarray, labels: tuple[str, ...]) -> Table:
    """The most frequent confusions."""
    lines = [Line((p.truth, p.predicted, count(p.count), share(p.share))) for p in confusion.pairs(counts, labels)]
    heads = ("True class", "Taken for", "Times", "Share of the class")
    return Table("confusion-table", "Most confused pairs on the test part", heads, lines, (2, 3))


def classes(result: Result) -> Table | None:
    """Precision and recall of every class or label with their intervals, by the lower of the two."""
    one, several = ("Label", "labels") if result.task == "multilabel" else ("Class", "classes")
    lines = [
        Line(
            (
                c.label,
                bounded(c.precision, c.precision_low, c.precision_high),
                bounded(c.recall, c.recall_low, c.recall_high),
                count(c.n),
            )
        )
        for c in sorted(result.classes, key=_weakest)
    ]
    if not lines:
        return None
    heads = (one, "Precision (95\u00a0% interval)", "Recall (95\u00a0% interval)", "Test examples")
    caption = f"{several.capitalize()} on the test part, worst first, by the lower of precision and recall"
    return Table("classes-table", caption, heads, lines, (1, 2, 3), fold=_fold(lines, several))


def _weakest(one: ClassRecord) -> tuple[bool, float, str]:
    """Classes without test rows last; a class that was never predicted is as bad as one that never was right."""
    found = [value if known(value) else 0.0 for value in (one.precision, one.recall)]
    return one.n == 0, min(found), one.label


def ranges(points: np.ndarray) -> Table:
    """Truth and prediction [n, 2] in up to five ranges of the true value, of like many rows each."""
    points = points[np.isfinite(points).all(axis=1)]
    points = points[np.argsort(points[:, 0], kind="stable")]
    lines = []
    for part in np.array_split(points, min(5, max(len(points), 1))):
        if len(part):
            truth, said = part.T
            low, middle, high = np.quantile(said, (0.05, 0.5, 0.95))
            spread = interval(float(low), float(high))
            cells = (interval(float(truth[0]), float(truth[-1])), number(float(middle)), spread, count(len(part)))
            lines.append(Line(cells))
    heads = ("True value", "Median prediction", "Middle 90\u00a0% of predictions", "Test examples")
    caption = "Predictions by range of the true value"
    return Table("scatter-table", caption, heads, lines, (0, 1, 2, 3), fold="The chart as numbers")


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
