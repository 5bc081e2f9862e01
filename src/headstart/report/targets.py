"""The page over several runs or evaluations, one a target column: scores side by side, and a link to each report."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from headstart.evaluation.wording import metric_name
from headstart.records import Result
from headstart.report.figures import bounded, known
from headstart.report.page import page
from headstart.report.sentences import parted, selected, with_code


@dataclass(frozen=True)
class TargetRow:
    """One target column's run: the selected model's test score, and the gain of the transfer model."""

    target: str
    metric: str
    score: float
    low: float
    high: float
    selected: str
    gain: float
    gain_low: float
    gain_high: float
    against: str
    sentence: str
    next_step: str
    folder: str

    @property
    def scored(self) -> str:
        """The score with its interval."""
        return bounded(self.score, self.low, self.high)

    @property
    def gained(self) -> str:
        """The gain with its interval and the baseline that it is over."""
        return f"{bounded(self.gain, self.gain_low, self.gain_high, sign=True)} over {self.against}"

    @property
    def link(self) -> str:
        """From the page to the run's report."""
        return f"{quote(self.folder)}/report.html"


@dataclass(frozen=True)
class EvaluatedRow:
    """One target column's evaluation: the score on new rows, that on the run's test set, and what lies between them."""

    target: str
    metric: str
    n: int  # rows judged
    score: float
    low: float
    high: float
    test_score: float  # on the run's own test set
    test_low: float
    test_high: float
    change: float  # from that to this, above 0 is better
    change_low: float
    change_high: float
    outcome: str
    sentence: str
    next_step: str
    folder: str

    @property
    def scored(self) -> str:
        """The score with its interval."""
        return bounded(self.score, self.low, self.high)

    @property
    def tested(self) -> str:
        """The score on the run's own test set with its interval; "" where there is none."""
        return bounded(self.test_score, self.test_low, self.test_high) if known(self.test_score) else ""

    @property
    def link(self) -> str:
        """From the page to the evaluation's report."""
        return f"{quote(self.folder)}/report.html"


def rows_of(results: Mapping[str, Result], folders: Mapping[str, str]) -> list[TargetRow]:
    """A row a target column: the selected model's score, and the gain of transfer learning over the best baseline."""
    return [_row(column, result, folders[column]) for column, result in results.items()]


def _row(column: str, result: Result, folder: str) -> TargetRow:
    test, gain = result.test, result.transfer_gain
    scores = {one.name: (one.score, one.low, one.high) for one in result.controls}
    own = (test.score, test.low, test.high) if result.chosen.base else scores[result.chosen.strategy]
    return TargetRow(
        column,
        result.metric,
        *own,
        selected(result).rstrip("."),
        gain.value,
        gain.low,
        gain.high,
        gain.against,
        result.verdict.sentence,
        result.verdict.next_step,
        folder,
    )


def build_targets(rows: Sequence[TargetRow], name: str, place: str) -> str:
    """The page as HTML, with nothing loaded from elsewhere; ``place`` is the folder as a command names it."""
    template, style = _page()
    return template.render(rows=rows, name=name, place=place, style=style, source="")


def build_evaluated(rows: Sequence[EvaluatedRow], name: str, source: str) -> str:
    """The page over evaluations of the runs in the folder ``name`` on the rows of ``source``."""
    template, style = _page()
    return template.render(rows=rows, name=name, place="", style=style, source=source)


def targets_csv(rows: Sequence[TargetRow] | Sequence[EvaluatedRow]) -> str:
    """The same as a table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(rows[0])])
    for row in rows:
        writer.writerow("" if value != value else value for value in asdict(row).values())
    return out.getvalue()


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    return page("targets.html.jinja", (with_code, parted, metric_name), {})
