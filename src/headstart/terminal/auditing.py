"""An audit, as lines for the terminal."""

from __future__ import annotations

from pathlib import Path

from headstart.audit.audit import Audit
from headstart.audit.topics import Topic

_SHOWN = 3  # findings of one kind named on the terminal


def audit_text(audit: Audit, out: Path | None = None) -> str:
    """What was found, worst first, and where to look; ``out``: the folder that it was written to."""
    task = f" for {audit.task}" if audit.task else ", no labels"
    parts = ", ".join(f"{part or 'not assigned'} {count:,}" for part, count in audit.parts.items())
    lines = [f"{audit.source}: {audit.rows:,} {audit.modality}s{task} ({parts}): {audit.headline}"]
    if audit.read_test:
        lines.append("the given test set was read too, to find what is wrong with it; nothing was chosen by it")
    for topic in audit.topics:
        lines += ["", *_topic_lines(topic)]
    lines.append("")
    if audit.naive is not None:
        lines.append(f"split    {audit.naive.sentence}")
    if audit.size is not None:
        lines.append(f"size     {audit.size.sentence}")
    lines += [f"skipped  {reason}" for reason in audit.not_looked_at]
    if audit.left_out is not None:
        lines.append(
            f"cleaned  cleaned.csv leaves out {audit.left_out:,} of {audit.rows:,} rows; left_out.csv says why"
        )
    if out is not None:
        lines.append(f"page     {out / 'audit.html'} (all findings: findings.csv)")
    return "\n".join(lines).replace("\u00a0", " ")


def _topic_lines(topic: Topic) -> list[str]:
    """The summary; the first findings where that does not name them already; what to do."""
    lines = [f"{topic.severity:<8} {topic.title}: {topic.sentence}"]
    named = [finding for finding in topic.findings if finding.sentence not in topic.sentence]
    lines += [f"           {finding.id}: {finding.sentence}" for finding in named[:_SHOWN]]
    if len(named) > _SHOWN:
        lines.append(f"           and {len(named) - _SHOWN:,} more")
    return [*lines, f"           -> {topic.suggestion}"]
