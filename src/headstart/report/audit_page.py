"""The page of an audit: every finding with its evidence, in one file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from headstart.records import FindingRecord
from headstart.report import figures, sentences
from headstart.report.measured import data_uri
from headstart.report.page import page
from headstart.tasks import get

#: Findings of one kind that are shown with pictures or texts; the others are listed.
PAGE_CARDS = 24
_OPEN = 6  # of these, the ones that are not folded
_LISTED = 500  # findings of one kind listed by id; findings.csv has all

#: How a severity looks: a CSS class and a sign beside the word, never colour alone.
_LOOKS = {"error": ("bad", "✗"), "warning": ("even", "!"), "note": ("open", "i")}


@dataclass(frozen=True)
class PageTopic:
    """All findings of one kind; ``sentence`` sums them up."""

    kind: str
    title: str
    severity: str
    sentence: str
    suggestion: str
    findings: Sequence[FindingRecord]


@dataclass(frozen=True)
class AuditPage:
    """What the page shows.

    Attributes:
        source, headline, task: as the audit has them.
        inputs: what the rows are called, as in "texts".
        rows: usable rows.
        parts: part -> rows; "" for rows that no part is given to.
        facts: what, value and reason of each thing inferred.
        topics: findings by kind, worst first.
        naive: what a split that parts copies and groups would claim, in words; "" where there is nothing to part.
        size: what the number of rows allows, in words; "" for unlabelled data.
        not_looked_at: what could not be looked for, and why.
        read_test: whether a given test part was read.
        left_out: rows that cleaned.csv leaves out; None where it was not asked for.
        thumbnails: row id -> JPEG.
        seconds: of each step.
    """

    source: str
    headline: str
    inputs: str
    task: str
    rows: int
    parts: Mapping[str, int]
    facts: Sequence[Mapping[str, str]]
    topics: Sequence[PageTopic]
    naive: str = ""
    size: str = ""
    not_looked_at: Sequence[str] = ()
    read_test: bool = False
    left_out: int | None = None
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


def build(page: AuditPage) -> str:
    """The page as HTML: style and thumbnails inside, no script, nothing loaded from elsewhere."""
    template, style = _page()
    worst = page.topics[0].severity if page.topics else ""
    tone, sign = _LOOKS.get(worst, ("good", "✓"))
    return template.render(
        p=page,
        purpose=get(page.task).purpose() if page.task else "",
        style=style,
        tone=tone,
        sign=sign,
        looks=_LOOKS,
        cards=PAGE_CARDS,
        open=_OPEN,
        listed=_LISTED,
        parts=", ".join(f"{figures.count(n)} {part or 'not assigned'}" for part, n in page.parts.items()),
        picture=lambda row: _picture(page.thumbnails, row),
        seconds=", ".join(f"{name} {figures.duration(spent)}" for name, spent in page.seconds.items()),
    )


def _picture(thumbnails: Mapping[str, bytes], row: str) -> str:
    """The thumbnail of a row as a data URI, or ""."""
    return data_uri(thumbnails.get(row))


def known_facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a card says beside its rows: name and value."""
    found = []
    if evidence.get("suggested"):
        found += [("labelled", "; ".join(evidence.get("given", ()))), ("looks like", str(evidence["suggested"]))]
    elif evidence.get("given"):
        found.append(("labels", "; ".join(evidence["given"])))
    if isinstance(evidence.get("similarity"), float):
        found.append(("similarity", f"{evidence['similarity']:.2f}"))
    if evidence.get("how"):
        found.append(("by", ", ".join(evidence["how"])))
    return found


@cache
def _page() -> tuple[jinja2.Template, Markup]:
    """The compiled template and the style sheet, read once a process."""
    return page("audit.html.jinja", (figures.count, sentences.with_code), {"known_facts": known_facts})
