"""The page of an evaluation: how a finished run did on new rows, of the same parts as the run's own report."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import jinja2
from markupsafe import Markup

from headstart.records import (
    CalibrationRecord,
    ClassRecord,
    IntervalRecord,
    MetricRecord,
    OodRecord,
    ShiftRecord,
    SliceRecord,
    TestRecord,
    TwoClassRecord,
)
from headstart.report import figures, sentences, words
from headstart.report.bars import Bars, Dot, bars
from headstart.report.evidence import Evidence
from headstart.report.measured import FILTERS, measured
from headstart.report.page import page
from headstart.report.words import Outcome

_OUTCOMES = {
    "better": Outcome("better", "good", "✓"),
    "no significant difference": Outcome("no significant difference", "even", "="),
    "worse": Outcome("worse", "bad", "✗"),
}


@dataclass(frozen=True)
class EvaluatedPage:
    """What the page says.

    Attributes:
        run, source: the run's folder and the new data, as given.
        modality: of the inputs.
        task, metric: of the run.
        test: the scores on the new rows.
        own: the score on the run's own test set; nan where it has none.
        unseen: the score without training rows; None where there are none, or nothing else.
        outcome: "better", "worse", "no significant difference"; anything else is inconclusive.
        headline, next_step: sentences.
        difference: from the run's test set, with its interval; "" where there is nothing to compare with.
        remarks: what to mind, a sentence each.
    """

    run: str
    source: str
    modality: str
    task: str
    metric: str
    test: TestRecord
    own: MetricRecord
    unseen: MetricRecord | None
    outcome: str
    headline: str
    difference: str
    next_step: str
    remarks: list[str] = field(default_factory=list)
    classes: list[ClassRecord] = field(default_factory=list)
    slices: list[SliceRecord] = field(default_factory=list)
    calibration: CalibrationRecord | None = None
    ood: OodRecord | None = None
    shift: ShiftRecord | None = None
    two_classes: TwoClassRecord | None = None
    intervals: IntervalRecord | None = None


def build(found: EvaluatedPage, evidence: Evidence) -> str:
    """The page as HTML, with nothing loaded from elsewhere; sections without content are left out.

    Raises:
        ValueError: the confusion counts of ``evidence`` are not [k, k] for its k labels.
    """
    template, style = _page()
    return template.render(
        r=found,
        style=style,
        outcome=_OUTCOMES.get(found.outcome, words.outcome("")),
        rows_read=sentences.counted(found.test.n, found.modality),
        scores=_scores(found),
        **measured(found, evidence),
    )


def _scores(found: EvaluatedPage) -> Bars:
    """The score on the new rows, on those of them that are no training rows, and on the run's own test set."""
    new = found.test
    rows = [Dot("New rows", new.score, new.low, new.high, strong=True)]
    if found.unseen is not None:
        rows.append(Dot("New rows but training rows", found.unseen.value, found.unseen.low, found.unseen.high))
    if figures.known(found.own.value):
        rows.append(Dot("The run's test set", found.own.value, found.own.low, found.own.high))
    better = words.direction(found.metric)
    heads = ("Rows", f"{words.title(found.metric)} [95\u00a0%]")
    caption = f"The same model, {better}" if better else "The same model"
    return bars(rows, id="scores-table", caption=caption, heads=heads)


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    return page("evaluated.html.jinja", FILTERS, {"known": figures.known})
