"""The table of known bases: the rows shipped in ``table.csv``, then those that other distributions add."""

from __future__ import annotations

import csv
import importlib.metadata
from functools import cache
from importlib.resources import files

from headstart.bases.entry import Entry
from headstart.errors import BaseError

#: Entry points of this group are callables that give an iterable of `Entry`.
GROUP = "headstart.bases"


@cache
def shipped() -> dict[str, Entry]:
    """The rows of ``table.csv``; the embedded ones first, of each modality its default first."""
    text = files("headstart.bases").joinpath("table.csv").read_text(encoding="utf-8")
    return {row["name"]: Entry.from_row(row) for row in csv.DictReader(text.splitlines())}


def entries() -> dict[str, Entry]:
    """Every known base by name.

    Raises:
        BaseError: rows of another distribution cannot be had, are no `Entry`, or carry a name that is taken.
    """
    found = dict(shipped())
    for point in importlib.metadata.entry_points(group=GROUP):
        for entry in _added(point):
            if entry.name in found:
                raise BaseError(
                    f"{_distribution(point)} adds a base {entry.name!r}, but one of that name is known already; "
                    f"it must be renamed there, or the distribution uninstalled."
                )
            found[entry.name] = entry
    return found


def entry_of(name: str) -> Entry | None:
    """The row called ``name``; None where there is none.

    Raises:
        BaseError: see `entries`.
    """
    return shipped().get(name) or entries().get(name)


def _added(point: importlib.metadata.EntryPoint) -> list[Entry]:
    try:
        rows = list(point.load()())
    except Exception as error:  # code of others may fail in any way
        raise BaseError(
            f"{_distribution(point)} could not give its bases (entry point {point.value}): {type(error).__name__}: "
            f"{error}; update or uninstall it."
        ) from error
    if wrong := [row for row in rows if not isinstance(row, Entry)]:
        raise BaseError(
            f"{_distribution(point)} gives a base as {type(wrong[0]).__name__} (entry point {point.value}); it must "
            f"be a headstart.bases.entry.Entry."
        )
    return rows


def _distribution(point: importlib.metadata.EntryPoint) -> str:
    return f"distribution {point.dist.name!r}" if point.dist else f"entry point {point.name!r}"
