"""What every page about a model's answers to labelled rows shows of them, be it a run's report or an evaluation's."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from headstart.evaluation.wording import count as counted
from headstart.report import confusion, figures, plots, sentences, tables, words
from headstart.report.evidence import Evidence, Example, ScoredRows
from headstart.report.reliability import calibration
from headstart.report.robustness import robustness
from headstart.report.tables import Table
from headstart.report.unknown import unknown
from headstart.tasks import get

_TEXT = 240  # characters shown of one row's text

#: What the templates call as filters.
FILTERS = (
    *(figures.count, figures.share, figures.duration, figures.number, figures.capital),
    *(words.title, words.sentence, sentences.with_code, sentences.parted, sentences.independent),
)


def measured(result: ScoredRows, evidence: Evidence, transfer: str = "") -> dict[str, Any]:
    """The names that ``answers.html.jinja`` and ``measured.html.jinja`` take; what there is nothing of is empty.

    Args:
        transfer: the transfer model, where a baseline is selected: metrics and OOD detection are its.

    Raises:
        ValueError: the confusion counts of ``evidence`` are not [k, k] for its k labels.
    """
    counts, k, rows = evidence.confusion, len(evidence.labels), evidence.rows
    if counts is not None and counts.shape != (k, k):
        raise ValueError(f"confusion has shape {counts.shape}; for {k} labels it must be ({k}, {k}).")
    many = counts is not None and k > confusion.READABLE
    return {
        "rows": rows,
        "transfer": transfer,
        "labels": evidence.labels,
        "matrix": confusion.matrix(counts) if counts is not None and not many else None,
        "pairs": tables.pairs(counts, evidence.labels, rows) if counts is not None and many else None,
        "scatter": _scatter(evidence),
        "curves": _curves(result),
        "interval": sentences.interval_sentence(result.intervals, rows),
        "mistakes": _mistakes(result, evidence),
        "classes": tables.classes(result, rows, evidence.labels),
        "metrics": tables.metrics(result, rows),
        "undefined": tables.undefined(result),
        "slices": tables.slices(result, rows),
        "sliced": sentences.slices(result, rows) if result.slices else "",
        "calibration": calibration(result, rows),
        "unknown": unknown(result, rows),
        "robustness": robustness(result),
    }


@dataclass(frozen=True)
class Scatter:
    """The chart, the points in it, how many there were, and the same as numbers."""

    chart: Markup
    shown: int
    total: int
    ranges: Table


def _scatter(evidence: Evidence) -> Scatter | None:
    if evidence.scatter is None or not len(evidence.scatter):
        return None
    chart, shown = plots.scatter(evidence.scatter, name="scatter", title="Predicted against true values")
    return Scatter(chart, shown, len(evidence.scatter), tables.ranges(evidence.scatter, evidence.rows))


@dataclass(frozen=True)
class Curves:
    """Of two classes: what is said of the positive one and its threshold, and the two charts."""

    said: str
    roc: Markup
    precision_recall: Markup


def _curves(result: ScoredRows) -> Curves | None:
    two = result.two_classes
    if two is None or not two.roc or not two.precision_recall:  # of one class in the test set there is no curve
        return None
    return Curves(sentences.two_class_sentence(two), plots.roc(two), plots.precision_recall(two))


@dataclass(frozen=True)
class Shown:
    """An example as the page shows it."""

    example: Example
    image: str  # data URI, or ""
    text: str  # shortened, or ""
    sound: str  # data URI, or ""


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes of one split."""

    title: str
    items: list[Shown]
    pictures: bool


def _mistakes(result: ScoredRows, evidence: Evidence) -> list[Mistakes]:
    """Those on the rows that the page is about, then those on validation rows; splits without any are left out."""
    found = []
    for split in (evidence.rows, "validation"):
        items = [_shown(one) for one in evidence.examples if one.split == split]
        if not items:
            continue
        wrong, rows = evidence.wrong.get(split, (0, 0))
        name = figures.capital(f"{split} rows" if split == "new" else split)
        title = f"{name}: {counted(wrong, 'mistake')} in {figures.count(rows)} rows"
        title = f"{name}: largest errors" if get(result.task).values else title
        found.append(Mistakes(title, items, bool(items[0].image)))
    return found


_KINDS = {b"\x89PNG": "image/png", b"RIFF": "audio/wav"}  # by what a file begins with; else a JPEG


def data_uri(content: bytes | None) -> str:
    """A picture or sound that a page holds itself; "" for nothing."""
    if not content:
        return ""
    return f"data:{_KINDS.get(content[:4], 'image/jpeg')};base64,{base64.b64encode(content).decode()}"


def _shown(example: Example) -> Shown:
    text = example.text or ""
    return Shown(
        example,
        data_uri(example.picture),
        text if len(text) <= _TEXT else text[: _TEXT - 1] + "…",
        data_uri(example.sound),
    )
