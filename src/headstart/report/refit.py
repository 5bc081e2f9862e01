"""The report of a model that was trained on every row: what it is, and whose scores are shown."""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup

from headstart.records import Result
from headstart.report import figures, sentences, words
from headstart.report.page import page
from headstart.report.repeat import repeat
from headstart.report.usage import usage


def build_refit(result: Result, place: str = "") -> str:
    """The page as HTML, with nothing loaded from elsewhere; ``place`` is the path of the run's folder."""
    template, style = _page()
    return template.render(
        r=result,
        style=style,
        scores=scores(result),
        selected=sentences.selected(result),
        metric=words.title(result.metric),
        parts=", ".join(f"{figures.count(n)} {part}" for part, n in result.data.parts.items() if n),
        use=usage(result, place),
        repeat=repeat(result),
    )


def scores(result: Result) -> list[tuple[str, str]]:
    """(model, score and interval) of the run whose scores are shown, the selected model first; none without a run."""
    test, own = result.test, result.chosen
    if not test.n:
        return []
    rows = [(sentences.judged(result), figures.bounded(test.score, test.low, test.high))]
    rows += [(one.name, figures.bounded(one.score, one.low, one.high)) for one in result.controls]
    return sorted(rows, key=lambda row: row[0] != (sentences.judged(result) if own.base else own.strategy))


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    return page("refit.html.jinja", (figures.count, sentences.with_code), {})
