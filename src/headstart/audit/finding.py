"""One thing that an audit found, and how rows are shown as its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from headstart.data.table import Table
from headstart.modalities import get
from headstart.records import FindingRecord
from headstart.tasks import get as get_task

#: Worst first: "error" makes a score wrong, "warning" may, "note" is good to know.
SEVERITIES = ("error", "warning", "note")
_SHOWN = 4  # rows kept as evidence of one finding


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        id: kind and a hash of what it is about; the same in every audit of the same data.
        kind: one of `headstart.audit.topics.TITLES`.
        severity: one of `SEVERITIES`.
        sentence: what was found, with its numbers.
        suggestion: what to do.
        rows: ids of the rows concerned, worst first.
        evidence: plain JSON values; "examples" are rows to look at, see `shown`.
    """

    id: str
    kind: str
    severity: str
    sentence: str
    suggestion: str
    rows: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)

    def record(self) -> FindingRecord:
        """As results and pages have it."""
        return FindingRecord(**{**vars(self), "rows": list(self.rows)})


def finding_id(kind: str, about: Iterable[str]) -> str:
    """A stable id: ``kind`` and eight hexadecimal digits of the hash of what it is ``about``."""
    digest = hashlib.sha256("\n".join(sorted(about)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}-{digest[:8]}"


def shown(table: Table, rows: Iterable[int]) -> list[dict[str, str]]:
    """The first few ``rows`` as evidence: id, part and label of each, and the text where there is one."""
    return [_item(table, int(row)) for row, _ in zip(rows, range(_SHOWN), strict=False)]


def _item(table: Table, row: int) -> dict[str, str]:
    item = {"id": str(table.ids[row]), "part": str(table.split[row]), "label": label_text(table, row)}
    modality = get(table.modality)
    if modality.tokenised:
        item["text"] = modality.show(table.inputs[row]).text or ""
    return item


def label_text(table: Table, row: int) -> str:
    """The target of ``row`` in words; "" where there is none."""
    if table.targets is None:
        return ""
    target, task = table.targets[row], get_task(table.task)
    if task.each:
        return task.written(target, table.inputs[row])
    if isinstance(target, tuple):
        return ", ".join(target) or "no label"
    return f"{target:.15g}" if isinstance(target, float) else str(target)
