"""What the targets of all rows show together: the same thing labelled in several ways."""

from __future__ import annotations

from headstart.audit.finding import Finding, finding_id
from headstart.data.table import Table
from headstart.tasks.task import Task


def find_inconsistent(table: Table, task: Task) -> list[Finding]:
    """What the task itself finds in the targets of ``table``."""
    targets = [] if table.targets is None else table.targets.tolist()
    return [
        Finding(finding_id("inconsistent", [one.sentence]), "inconsistent", "warning", one.sentence, one.suggestion)
        for one in task.findings(table.inputs.tolist(), targets, table.ids.tolist())
    ]
