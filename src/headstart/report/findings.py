"""What was found in the data, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headstart.records import AuditRecord, FindingRecord, NaiveRecord, Result
from headstart.report.figures import count, known, number, plain, signed

_ROWS = 8  # ids shown of one finding
_OPEN = 12  # findings beyond which the rest starts folded
_TEXT = 300  # characters shown of one piece of evidence


@dataclass(frozen=True)
class Severity:
    """How a severity is shown: its place in the list, a CSS class and a sign beside the word, never colour alone."""

    order: int
    tone: str
    sign: str


SEVERITIES = {"error": Severity(0, "bad", "✗"), "warning": Severity(1, "even", "!"), "note": Severity(2, "open", "i")}


@dataclass(frozen=True)
class Found:
    """One finding as the page shows it."""

    finding: FindingRecord
    severity: Severity
    rows: str
    evidence: list[tuple[str, str]]


@dataclass(frozen=True)
class Findings:
    """What the section shows."""

    shown: list[Found]
    folded: list[Found]
    naive: str  # what a split that parts near duplicates would have claimed, or ""
    clusters: str


def findings(result: Result) -> Findings | None:
    """The section, the worst first; None where the data were not looked at."""
    record: AuditRecord | None = result.audit
    if record is None:
        return None
    every = sorted((_found(one) for one in record.findings), key=lambda found: found.severity.order)
    return Findings(every[:_OPEN], every[_OPEN:], _naive(record.naive) if record.naive else "", _clusters(record))


def _found(one: FindingRecord) -> Found:
    rows = ", ".join(one.rows[:_ROWS]) + (f" and {count(len(one.rows) - _ROWS)} more" if len(one.rows) > _ROWS else "")
    evidence = [
        (name.replace("_", " "), _short(_rows_to_look_at(value) if name == "examples" else plain(value)))
        for name, value in one.evidence.items()
    ]
    return Found(one, SEVERITIES.get(one.severity, SEVERITIES["note"]), rows, evidence)


def _rows_to_look_at(value: Any) -> str:
    """The texts of rows kept as evidence, or what else is known of them, without what is empty."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return plain(value)
    return " · ".join(
        " ".join(
            part
            for part in (f"[{row['part']}]" if row.get("part") else "", row.get("text") or row.get("id", ""))
            if part
        )
        for row in value
    )


def _short(text: str) -> str:
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"


def _naive(record: NaiveRecord) -> str:
    sure = ""
    if known(record.low) and known(record.high):
        sure = f" (95\u00a0% interval {signed(record.low)} to {signed(record.high)})"
        sure += "; chance alone is an unlikely cause" if record.low > 0 else "; it may be chance"
    return (
        f"Held-out examples of a random split would have claimed {number(record.naive)}; a split that keeps "
        f"{record.why or 'what belongs together'} together gives {number(record.honest)}. The difference is "
        f"{signed(record.gain)}{sure}."
    )


def _clusters(record: AuditRecord) -> str:
    if not record.clusters:
        return "No near duplicates were found."
    one = record.clusters == 1
    return (
        f"There {'is' if one else 'are'} {count(record.clusters)} set{'' if one else 's'} of near duplicates, of "
        f"{count(record.clustered_rows)} examples in all."
    )
