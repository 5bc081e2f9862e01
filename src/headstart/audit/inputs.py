"""Inputs that say nothing: unreadable or empty ones, pictures of one colour, texts without a letter or digit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.audit.finding import Finding, finding_id, shown
from headstart.data.naming import counted, some
from headstart.data.table import Rejected, Table
from headstart.modalities import get


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
    """One finding for all rows of ``table`` [n] that show nothing; ``classical`` [n, d] where there is such."""
    modality = get(table.modality)
    rows, what = modality.blank(table.inputs, classical)
    if not rows:
        return []
    ids = table.ids[rows].tolist()
    return [
        Finding(
            finding_id("constant", ids),
            "constant",
            "warning",
            f"{counted(len(rows), modality.noun)} {what}: {some(ids, 4)}",
            "remove them; they teach the model nothing, and --apply leaves them out",
            tuple(ids),
            {"examples": shown(table, rows)},
        )
    ]
