"""What other distributions add, by entry points."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from headstart.errors import SettingError

T = TypeVar("T")


def added(group: str, what: str, taken: Collection[str], read: Callable[[Any], tuple[str, T] | None]) -> dict[str, T]:
    """What the entry points of ``group`` give, by name.

    Args:
        what: such a thing in words.
        taken: names that there are already.
        read: of what an entry point loads, the name and the thing; None if it is none.

    Raises:
        SettingError: one cannot be had, is none, or carries a name that is taken.
    """
    found: dict[str, T] = {}
    for point in importlib.metadata.entry_points(group=group):
        try:
            loaded = point.load()
            one = read(loaded)
        except Exception as error:  # code of others may fail in any way
            raise SettingError(
                f"entry point {point.value} could not give its {what}: {type(error).__name__}: {error}; update or "
                "uninstall its distribution."
            ) from error
        if one is None:
            other = getattr(loaded, "__name__", type(loaded).__name__)
            raise SettingError(f"entry point {point.value} gives no {what} but {other}.")
        if one[0] in {*found, *taken}:
            raise SettingError(f"entry point {point.value} adds a {what} {one[0]!r}, which is known already.")
        found |= [one]
    return found
