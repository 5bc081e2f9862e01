"""What the targets of all rows show together: the same thing labelled in several ways."""

from __future__ import annotations

from headstart.audit.finding import Finding, finding_id, shown
from headstart.data.table import Table
from headstart.tasks.task import Noticed, Task


def find_inconsistent(table: Table, task: Task) -> list[Finding]:
    """What the task itself finds in the targets of ``table``."""
    targets = [] if table.targets is None else table.targets.tolist()
    return [_finding(table, one) for one in task.noticed(table.inputs.tolist(), targets)]


def _finding(table: Table, one: Noticed) -> Finding:
    ids = tuple(str(table.ids[row]) for row in one.rows)
    evidence = {"cases": list(one.cases), "examples": shown(table, one.rows)}
    kind = "inconsistent"
    return Finding(finding_id(kind, ids), kind, "warning", one.sentence, one.suggestion, ids, evidence)
