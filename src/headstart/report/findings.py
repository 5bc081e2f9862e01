"""What was found in the data, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headstart.evaluation.wording import count as counted
from headstart.records import AuditRecord, FindingRecord, NaiveRecord, Result
from headstart.report.figures import MISSING, bounded, capital, count, number, plain
from headstart.report.tables import Line, Table

_ROWS = 4  # ids shown of one finding
_LISTED = 200  # findings of one kind listed
_TEXT = 160  # characters shown of a sentence or of one piece of evidence


@dataclass(frozen=True)
class Severity:
    """How a severity is shown: its place in the list, a CSS class and a sign beside the word, never colour alone."""

    order: int
    tone: str
    sign: str


SEVERITIES = {"error": Severity(0, "bad", "✗"), "warning": Severity(1, "even", "!"), "note": Severity(2, "open", "i")}


@dataclass(frozen=True)
class Kind:
    """The findings of one kind: what to do, and a row each."""

    severity: str
    look: Severity
    title: str
    suggestion: str
    table: Table


@dataclass(frozen=True)
class Findings:
    """What the section shows.

    Attributes:
        title: with how many there are.
        kinds: the worst first.
        sentences: on near duplicates, and on what a split that separates them would have shown.
    """

    title: str
    kinds: list[Kind]
    sentences: list[str]


def findings(result: Result) -> Findings | None:
    """The section, the worst first; None where nothing was found."""
    record: AuditRecord | None = result.audit
    if record is None or not (record.findings or record.clusters or record.naive):
        return None
    kinds: dict[str, list[FindingRecord]] = {}
    for one in sorted(record.findings, key=lambda one: _look(one).order):
        kinds.setdefault(one.kind, []).append(one)
    said = [_naive(record.naive)] if record.naive else []
    said += [_clusters(record)] if record.clusters else []
    title = f"Data: {counted(record.found, 'finding')}"
    return Findings(title, [_kind(i, found) for i, found in enumerate(kinds.values())], said)


def _look(one: FindingRecord) -> Severity:
    return SEVERITIES.get(one.severity, SEVERITIES["note"])


def _kind(place: int, found: list[FindingRecord]) -> Kind:
    worst = found[0]
    lines = [Line((_short(one.sentence), _rows(one), _evidence(one))) for one in found[:_LISTED]]
    more = f", the first {_LISTED} of {count(len(found))}" if len(found) > _LISTED else ""
    title = capital(worst.kind.replace("-", " "))
    table = Table(f"findings-{place}", f"{title}{more}", ("Finding", "Rows", "Evidence"), lines, wordy=True)
    return Kind(worst.severity, _look(worst), title, worst.suggestion, table)


def _rows(one: FindingRecord) -> str:
    more = f" and {count(len(one.rows) - _ROWS)} more" if len(one.rows) > _ROWS else ""
    return ", ".join(one.rows[:_ROWS]) + more


def _evidence(one: FindingRecord) -> str:
    """What it rests on; rows that are named beside it are not named again, only their texts."""
    found = []
    for name, value in one.evidence.items():
        said = _rows_to_look_at(value) if name == "examples" else plain(value)
        if said and said != MISSING:
            found.append(_short(said if name == "examples" else f"{name.replace('_', ' ')} {said}"))
    return "; ".join(found)


def _rows_to_look_at(value: Any) -> str:
    """The texts of rows kept as evidence."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return plain(value)
    return " · ".join(str(row["text"]) for row in value if row.get("text"))


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def _naive(record: NaiveRecord) -> str:
    gain = bounded(record.gain, record.low, record.high, sign=True)
    return (
        f"A random split that separates {record.why or 'what belongs together'} would have shown "
        f"{number(record.naive)} in place of {number(record.honest)}: too high by {gain}."
    )


def _clusters(record: AuditRecord) -> str:
    sets = counted(record.clusters, "set")
    return f"{sets} of near duplicates, {counted(record.clustered_rows, 'row')} in all, each kept in one split."
