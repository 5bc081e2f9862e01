"""Tasks: how targets become numbers and probabilities become answers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from headstart.errors import BundleError, SettingError, nearest
from headstart.plugins import added
from headstart.tasks.classification import Classification
from headstart.tasks.multilabel import Multilabel
from headstart.tasks.regression import Regression
from headstart.tasks.tag import Tag
from headstart.tasks.task import Task

#: Entry points of this group are subclasses of `Task`.
GROUP = "headstart.tasks"


@cache
def tasks() -> dict[str, type[Task]]:
    """Every task by its name: those of headstart, then those that other distributions add.

    Raises:
        SettingError: one of another distribution cannot be had, is none, or carries a name that is taken.
    """
    own: dict[str, type[Task]] = {one.name: one for one in (Classification, Multilabel, Regression, Tag)}
    return {**own, **added(GROUP, "task", own, _whole)}


def get(name: str) -> type[Task]:
    """The task class called ``name``; `SettingError` if there is none."""
    known = tasks()
    if name not in known:
        raise SettingError(f"task {name!r} is unknown; it may be {', '.join(known)}.{nearest(name, known)}")
    return known[name]


def posed(name: str) -> type[Task]:
    """The task that heads and losses are of for that called ``name``: itself, or what each of its items poses."""
    return get(get(name).each or name)


def baselines() -> tuple[str, ...]:
    """The baselines that tasks have of their own, by name."""
    return tuple(dict.fromkeys(name for one in tasks().values() for name in one.controls))


def from_dict(record: Mapping[str, Any]) -> Task:
    """The task that `Task.to_dict` wrote; `BundleError` if the record is not one."""
    name, known = record.get("task"), tasks()
    if name not in known:
        raise BundleError(f"the record's task is {name!r}; it may be {', '.join(known)}; save the bundle anew.")
    return known[name].from_dict(record)


def _whole(loaded: Any) -> tuple[str, type[Task]] | None:
    whole = isinstance(loaded, type) and issubclass(loaded, Task) and not inspect.isabstract(loaded)
    return (loaded.name, loaded) if whole else None


__all__ = [
    "GROUP",
    "Classification",
    "Multilabel",
    "Regression",
    "Tag",
    "Task",
    "baselines",
    "from_dict",
    "get",
    "posed",
    "tasks",
]
