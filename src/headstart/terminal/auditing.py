"""An audit, as lines for the terminal."""

from __future__ import annotations

from pathlib import Path

from headstart.audit.audit import Audit
from headstart.audit.topics import Topic
from headstart.files import shown_path
from headstart.modalities import get
from headstart.tasks import get as get_task
from headstart.terminal.tables import labelled, paragraph

_SHOWN = 3  # findings of one kind named on the terminal
_GRAVE = ("error", "warning")


def audit_text(audit: Audit, out: Path | None = None, *, verbose: bool = False) -> str:
    """What was found, worst first, what to do next and where to look; ``out``: the folder that it was written to.

    ``verbose`` adds the findings of each kind with what to do about them, and what could not be looked for.
    """
    grave = [topic for topic in audit.topics if topic.severity in _GRAVE]
    notes = ", ".join(topic.title for topic in audit.topics if topic.severity not in _GRAVE)
    facts = [
        ("data", _data(audit)),
        *((topic.severity, f"{topic.title}: {topic.sentence}") for topic in grave),
        ("notes", notes),
        ("split", audit.naive.sentence if audit.naive is not None and audit.naive.matters else ""),
        ("size", audit.size.short if audit.size is not None else ""),
        ("cleaned", _cleaned(audit)),
        ("next", audit.next_step),
        ("page", f"{shown_path(out / 'audit.html')} (all findings: findings.csv beside it)" if out else ""),
    ]
    lines = [*paragraph(f"The audit found {_found(audit)}."), *labelled(facts)]
    return "\n".join([*lines, *(_details(audit) if verbose else [])]).replace("\u00a0", " ")


def _found(audit: Audit) -> str:
    """How many kinds of each severity."""
    return "nothing" if not audit.findings else audit.headline


def _data(audit: Audit) -> str:
    task = f" for {get_task(audit.task).purpose()}" if audit.task else ", no labels"
    parts = ", ".join(f"{part or 'not assigned'} {count:,}" for part, count in audit.parts.items())
    test = "; the given test set was read too, and nothing chosen by it" if audit.read_test else ""
    return f"{audit.rows:,} {get(audit.modality).plural}{task} ({parts}){test}"


def _cleaned(audit: Audit) -> str:
    if audit.left_out is None:
        return ""
    return f"cleaned.csv leaves out {audit.left_out:,} of {audit.rows:,} rows; left_out.csv says why"


def _details(audit: Audit) -> list[str]:
    lines = [line for topic in audit.topics for line in ["", *_topic_lines(topic)]]
    facts = [
        ("split", audit.naive.sentence if audit.naive is not None else ""),
        ("size", audit.size.sentence if audit.size is not None else ""),
        *(("skipped", reason) for reason in audit.not_looked_at),
    ]
    told = labelled(facts)
    return [*lines, "", *told] if told else lines


def _topic_lines(topic: Topic) -> list[str]:
    """The summary; the first findings where that does not name them already; what to do."""
    named = [finding for finding in topic.findings if finding.sentence not in topic.sentence]
    facts = [(topic.severity, f"{topic.title}: {topic.sentence}")]
    facts += [("", f"{finding.id}: {finding.sentence}") for finding in named[:_SHOWN]]
    facts += [("", f"and {len(named) - _SHOWN:,} more")] if len(named) > _SHOWN else []
    return labelled([*facts, ("", f"-> {topic.suggestion}")])
