"""Tasks: how targets become numbers and probabilities become answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.errors import BundleError, SettingError, nearest
from headstart.tasks.classification import Classification
from headstart.tasks.multilabel import Multilabel
from headstart.tasks.regression import Regression
from headstart.tasks.task import Task

#: Every task by its name; a new task is one new file and one row here.
TASKS: dict[str, type[Task]] = {task.name: task for task in (Classification, Multilabel, Regression)}


def get(name: str) -> type[Task]:
    """The task class called ``name``; `SettingError` if there is none."""
    if name not in TASKS:
        raise SettingError(f"task {name!r} is unknown; it may be {', '.join(TASKS)}.{nearest(name, TASKS)}")
    return TASKS[name]


def from_dict(record: Mapping[str, Any]) -> Task:
    """The task that `Task.to_dict` wrote; `BundleError` if the record is not one."""
    name = record.get("task")
    if name not in TASKS:
        raise BundleError(f"the record's task is {name!r}; it may be {', '.join(TASKS)}; save the bundle anew.")
    return TASKS[name].from_dict(record)


__all__ = ["TASKS", "Classification", "Multilabel", "Regression", "Task", "from_dict", "get"]
