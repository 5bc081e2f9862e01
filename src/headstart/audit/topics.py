"""Findings of one kind together, as they are told: a title, a sentence and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.audit.finding import SEVERITIES, Finding
from headstart.data.naming import counted

#: Kinds in the order in which they are told, with their titles.
TITLES = {
    "leak": "The same input in several splits",
    "overlap": "Seen in pre-training",
    "label": "Likely label mistakes",
    "inconsistent": "The same words labelled in several ways",
    "giveaway": "Metadata that predict the label (possible leakage)",
    "unreadable": "Rows that cannot be used",
    "constant": "Inputs that show nothing",
    "duplicate": "Exact duplicates",
    "near-duplicate": "Near duplicates",
    "outlier": "Unlike all others",
    "balance": "Classes and splits",
    "size": "Number of rows",
}
_SENTENCES = {
    "leak": "{sets} of {rows}, {held} of them held out, lie in more than one split: the score is partly memory",
    "label": "{count} in doubt",
    "duplicate": "{sets} of {rows} with the same content inside one split",
    "near-duplicate": "{sets} of {rows} nearly alike inside one split",
    "outlier": "{rows} far from all others in the base's features",
}


@dataclass(frozen=True)
class Topic:
    """All findings of one kind.

    Attributes:
        kind, title: which.
        severity: the worst of the findings'.
        sentence: what was found in all.
        suggestion: what to do.
        findings: worst first.
    """

    kind: str
    title: str
    severity: str
    sentence: str
    suggestion: str
    findings: tuple[Finding, ...]

    @property
    def rows(self) -> int:
        """Rows concerned, each counted once."""
        return len({row for finding in self.findings for row in finding.rows})


def topics(findings: Sequence[Finding]) -> tuple[Topic, ...]:
    """``findings`` by kind, those with the worst severity first."""
    grouped = [_topic(kind, [f for f in findings if f.kind == kind]) for kind in TITLES]
    return tuple(sorted((topic for topic in grouped if topic), key=lambda topic: SEVERITIES.index(topic.severity)))


def _topic(kind: str, found: list[Finding]) -> Topic | None:
    if not found:
        return None
    found = sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
    rows = len({row for finding in found for row in finding.rows})
    if len(found) == 1 or kind not in _SENTENCES:
        sentence = "; ".join(finding.sentence for finding in found)
    else:
        sentence = _SENTENCES[kind].format(
            sets=counted(len(found), "set"),
            rows=counted(rows, "row"),
            count=counted(len(found), "label"),
            held=f"{sum(finding.evidence.get('held_out', 0) for finding in found):,}",
        )
    return Topic(kind, TITLES[kind], found[0].severity, sentence, _advice(found), tuple(found))


def _advice(found: list[Finding]) -> str:
    return "; ".join(dict.fromkeys(finding.suggestion for finding in found))


def headline(findings: Sequence[Finding]) -> str:
    """How many kinds of each severity there are: "1 error, 2 warnings and 3 notes"."""
    told = topics(findings)
    counts = [(name, sum(topic.severity == name for topic in told)) for name in SEVERITIES]
    parts = [counted(count, name) for name, count in counts if count]
    if not parts:
        return "nothing found"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
