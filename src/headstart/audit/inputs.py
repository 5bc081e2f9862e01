"""Inputs that say nothing: unreadable or empty ones, pictures of one colour, texts without a letter or digit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.audit.finding import Finding, finding_id, shown
from headstart.data.naming import counted, some
from headstart.data.table import Rejected, Table
from headstart.modalities.classical import contrast

_FLAT = 0.02  # contrast, 0..1, under which a picture shows nothing


def find_unreadable(rejected: Sequence[Rejected]) -> list[Finding]:
    """A finding for each reason for which rows were set aside."""
    by_reason: dict[str, list[Rejected]] = {}
    for row in rejected:
        by_reason.setdefault(row.reason.split(":")[0], []).append(row)
    return [
        Finding(
            finding_id("unreadable", [reason]),
            "unreadable",
            "warning",
            f"{counted(len(rows), 'row')} cannot be used ({reason}): {some((row.id for row in rows), 4)}",
            "repair or remove them; a run sets them aside",
            tuple(row.id for row in rows),
            {"reason": reason, "reasons": [row.reason for row in rows[:4]]},
        )
        for reason, rows in sorted(by_reason.items(), key=lambda item: -len(item[1]))
    ]


def find_constant(table: Table, classical: np.ndarray | None) -> list[Finding]:
    """One finding for all rows of ``table`` [n] that show nothing; ``classical`` [n, d] of pictures, else None."""
    if table.modality == "text":
        rows = [row for row, text in enumerate(table.inputs) if not any(c.isalnum() for c in text)]
        what = "without a letter or a digit"
    else:
        rows = [] if classical is None else np.flatnonzero(contrast(classical) < _FLAT).tolist()
        what = "of one colour"
    if not rows:
        return []
    ids = table.ids[rows].tolist()
    return [
        Finding(
            finding_id("constant", ids),
            "constant",
            "warning",
            f"{counted(len(rows), table.modality)} {what}: {some(ids, 4)}",
            "remove them; they teach the model nothing, and --apply leaves them out",
            tuple(ids),
            {"examples": shown(table, rows)},
        )
    ]
