"""The tables of the report as text, ready for one template macro."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.records import ClassRecord, ControlRecord, Result
from headstart.report import confusion, sentences, words
from headstart.report.bars import Bars, Dot, bars
from headstart.report.evidence import ScoredRows
from headstart.report.figures import bounded, capital, count, interval, known, number, share
from headstart.tasks import get


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
    """

    id: str
    caption: str
    heads: tuple[str, ...]
    lines: list[Line]
    numeric: tuple[int, ...] = ()
    wordy: bool = False


def is_selected(control: ControlRecord, result: Result) -> bool:
    """Whether the baseline ``control`` is the selected model."""
    return not result.chosen.base and control.name == result.chosen.strategy


def scores(result: Result) -> Bars:
    """The transfer model and every baseline on the test set."""
    test, transferred = result.test, bool(result.chosen.base)
    own = "selected" if transferred else "transfer"
    rows = [Dot(sentences.judged(result), test.score, test.low, test.high, own, transferred)]
    for c in result.controls:
        mine = is_selected(c, result)
        meaning = f"{c.name}: {words.control(c.name)}" if words.control(c.name) else c.name
        rows.append(Dot(meaning, c.score, c.low, c.high, "selected baseline" if mine else "baseline", mine))
    better = words.direction(result.metric)
    head = f"{words.title(result.metric)} [95\u00a0%]"
    caption = f"On the test set, {better}" if better else "On the test set"
    return bars(rows, id="scores-table", caption=caption, heads=("Model", head))


def metrics(result: ScoredRows, rows: str = "test") -> Table:
    """Every defined metric of the task with its interval, the deciding one first."""
    test = result.test
    lines = []
    for name in sorted(test.metrics.keys() - test.undefined.keys(), key=_as_recorded(result)):
        found = test.metrics[name]
        lower = " ↓" if words.direction(name) == "lower is better" else ""
        cells = (words.title(name) + lower, bounded(found.value, found.low, found.high))
        lines.append(Line(cells, chosen=name == result.metric))
    return Table(
        "metrics-table",
        f"On the {words.row_set(rows)}; ↓: lower is better",
        ("Metric", "Value [95\u00a0%]"),
        lines,
        (1,),
    )


def _as_recorded(result: ScoredRows) -> Callable[[str], tuple[bool, int]]:
    order = list(result.test.metrics)
    return lambda name: (name != result.metric, order.index(name))


def undefined(result: ScoredRows) -> list[tuple[str, str]]:
    """Metrics that the rows cannot give, by title, with the reason."""
    return [(words.title(name), reason) for name, reason in result.test.undefined.items()]


def slices(result: ScoredRows, rows: str = "test") -> Bars | None:
    """The slices in the order of the record, worst first, beside the score of all rows."""
    found = result.slices
    if not found:
        return None
    shown = [
        Dot(sentences.slice_name(s), s.score, s.low, s.high, "found" if s.found else "", more=(count(s.n),))
        for s in found
    ]
    heads = ("Slice", "Rows", f"{words.title(found[0].metric or result.metric)} [corrected]")
    caption = f"Worst first; the line is the score of all {rows} rows"
    mark = sentences.whole(result, found[0])
    return bars(shown, id="slices-table", caption=caption, heads=heads, mark=mark)


def pairs(counts: np.ndarray, labels: tuple[str, ...], rows: str = "test") -> Table:
    """The most frequent confusions."""
    lines = [Line((p.truth, p.predicted, count(p.count), share(p.share))) for p in confusion.pairs(counts, labels)]
    heads = ("True class", "Predicted as", "Times", "Share of the class")
    return Table("confusion-table", f"Most confused pairs on the {words.row_set(rows)}", heads, lines, (2, 3))


def classes(result: ScoredRows, rows: str = "test", labels: tuple[str, ...] = ()) -> Table | None:
    """Precision and recall of every class or label with their intervals, by the lower of the two; F1 where it is told.

    Args:
        labels: of the task.
    """
    found = sorted(result.classes, key=_weakest)
    if not found:
        return None
    task, f1 = get(result.task)(labels=labels), any(known(c.f1) for c in found)

    def line(c: ClassRecord) -> Line:
        middle = (bounded(c.f1, c.f1_low, c.f1_high),) if f1 else ()
        both = bounded(c.precision, c.precision_low, c.precision_high), bounded(c.recall, c.recall_low, c.recall_high)
        return Line((c.label, *middle, *both, count(c.n)))

    named = ("F1 [95\u00a0%]",) if f1 else ()
    heads = (
        capital(task.scored),
        *named,
        "Precision [95\u00a0%]",
        "Recall [95\u00a0%]",
        f"{capital(rows)} {task.counted}",
    )
    caption = "Worst first, by the lower of precision and recall"
    return Table("classes-table", caption, heads, list(map(line, found)), tuple(range(1, len(heads))))


def _weakest(one: ClassRecord) -> tuple[bool, float, str]:
    """Classes without test rows last; a class that was never predicted is as bad as one that never was right."""
    found = [value if known(value) else 0.0 for value in (one.precision, one.recall)]
    return one.n == 0, min(found), one.label


def ranges(points: np.ndarray, rows: str = "test") -> Table:
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
    heads = ("True value", "Median", "Middle 90\u00a0%", f"{capital(rows)} rows")
    caption = "Predictions by range of the true value: their median, and the middle 90\u00a0% of them"
    return Table("scatter-table", caption, heads, lines, (0, 1, 2, 3))


def facts(result: Result) -> Table | None:
    """What was inferred about the data."""
    lines = [Line((f["what"], f["value"], f["reason"])) for f in result.data.facts]
    return Table("facts-table", "What was inferred", ("What", "Value", "Why"), lines, wordy=True) if lines else None
