"""The report: one page that needs nothing but itself."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from headstart.records import Result
from headstart.report import confusion, figures, plots, sentences, tables, words
from headstart.report.climb import ladder
from headstart.report.damage import damage
from headstart.report.evidence import Evidence, Example
from headstart.report.findings import findings
from headstart.report.page import page
from headstart.report.plots import Dot
from headstart.report.reliability import calibration
from headstart.report.repeat import repeat
from headstart.report.tables import Table
from headstart.report.trained import trained
from headstart.report.unknown import unknown
from headstart.report.usage import usage

_SLICES = 8  # drawn
_TEXT = 600  # characters shown of one example's text
_FILTERS = (
    *(figures.signed, figures.count, figures.share, figures.duration, figures.plain, figures.capital),
    *(words.title, words.sentence, words.direction, sentences.with_code, sentences.independent),
)


def build(result: Result, evidence: Evidence, place: str = "") -> str:
    """The page as HTML: style, charts and thumbnails inside, no script, nothing loaded from elsewhere.

    ``evidence`` may be empty; sections without content are left out. `ValueError` if its confusion counts are
    not [k, k] for its k labels. ``place`` is the path of the run's folder, for the lines that use it.
    """
    counts, k = evidence.confusion, len(evidence.labels)
    if counts is not None and counts.shape != (k, k):
        raise ValueError(f"confusion has shape {counts.shape}; for {k} labels it must be ({k}, {k}).")
    template, style = _page()
    many = counts is not None and k > confusion.READABLE
    return template.render(
        r=result,
        style=style,
        outcome=words.outcome(result.verdict.outcome),
        control=not result.chosen.base,
        judged=sentences.judged(result),
        handed_over=sentences.handed_over(result),
        notes=[(c.name, words.control(c.name)) for c in result.controls if words.control(c.name)],
        score_chart=_score_chart(result),
        gain_chart=_gain_chart(result),
        scatter=_scatter(evidence),
        ladder=ladder(result),
        trained=trained(result),
        forgetting=sentences.forgetting(result.forgetting) if result.forgetting else "",
        labels=evidence.labels,
        matrix=confusion.matrix(counts) if counts is not None and not many else None,
        pairs=tables.pairs(counts, evidence.labels) if counts is not None and many else None,
        slices=tables.slices(result),
        slice_chart=_slice_chart(result),
        classes=tables.classes(result),
        calibration=calibration(result),
        unknown=unknown(result),
        damage=damage(result),
        findings=findings(result),
        facts=tables.facts(result),
        examples=[group for kind in ("mistake", "confident") if (group := _examples(evidence, kind)).items],
        gain_sentence=_gain_sentence(result),
        opened=sentences.opened(result.test),
        parts=", ".join(f"{figures.count(n)} {part}" for part, n in result.data.parts.items()),
        repeat=repeat(result),
        use=usage(result, place),
    )


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    names = {"known": figures.known, "tables": tables, "sentences": sentences}
    return page("template.html.jinja", _FILTERS, names)


def _score_chart(result: Result) -> Markup:
    test = result.test
    rows = [Dot(sentences.judged(result), test.score, test.low, test.high, strong=bool(result.chosen.base))]
    rows += [Dot(c.name, c.score, c.low, c.high, tables.is_handed_over(c, result)) for c in result.controls]
    return plots.dots(
        rows,
        name="score-chart",
        title=f"{words.title(result.metric)} on the test part with 95 % intervals",
    )


def _gain_chart(result: Result) -> Markup:
    gain = result.transfer_gain
    row = Dot(f"Gain over {gain.against}", gain.value, gain.low, gain.high, strong=True)
    title = "Gain with its 95 % interval; the line is at 0"
    return plots.dots([row], name="gain-chart", title=title, mark=0.0, difference=True)


def _slice_chart(result: Result) -> Markup | None:
    """The worst slices against the score of all test rows; None where no more than one could be scored."""
    rows = [Dot(sentences.slice_name(s), s.score, s.low, s.high) for s in result.slices if figures.known(s.low)]
    if len(rows) < 2:
        return None
    metric, mark = result.slices[0].metric or result.metric, sentences.whole(result, result.slices[0])
    title = f"{words.title(metric)} of the worst slices; the line is at the score of all test examples"
    return plots.dots(rows[:_SLICES], name="slices-chart", title=title, mark=mark)


def _gain_sentence(result: Result) -> str:
    """What the interval of the gain allows to say."""
    low, high = result.transfer_gain.low, result.transfer_gain.high
    if not (figures.known(low) and figures.known(high)):
        return "These examples are too few to say how sure it is."
    if low > 0 or high < 0:
        return "The whole interval lies on one side of 0, so chance alone is an unlikely cause."
    return "The interval holds 0, so chance alone could have made this difference."


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
    return Scatter(chart, shown, len(evidence.scatter), tables.ranges(evidence.scatter))


@dataclass(frozen=True)
class Shown:
    """An example as the page shows it."""

    example: Example
    image: str  # data URI, or ""
    text: str  # shortened, or ""


@dataclass(frozen=True)
class Group:
    """The examples of one kind, the most confident first."""

    kind: str
    items: list[Shown]


def _examples(evidence: Evidence, kind: str) -> Group:
    found = [e for e in evidence.examples if e.kind == kind]
    found.sort(key=lambda e: -e.confidence if math.isfinite(e.confidence) else math.inf)
    return Group(kind, [_shown(example) for example in found])


def _shown(example: Example) -> Shown:
    image = base64.b64encode(example.thumbnail).decode() if example.thumbnail else ""
    text = example.text or ""
    return Shown(
        example,
        f"data:image/jpeg;base64,{image}" if image else "",
        text if len(text) <= _TEXT else text[: _TEXT - 1] + "…",
    )
