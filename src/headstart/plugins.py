"""What other distributions add, by entry points."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from headstart.errors import SettingError


class _Named(Protocol):
    @property
    def name(self) -> str:
        """What it is known by."""
        ...


T = TypeVar("T", bound=_Named)


def added(group: str, what: str, taken: Collection[str], read: Callable[[Any], T | None]) -> dict[str, T]:
    """What the entry points of ``group`` give, by name.

    Args:
        what: such a thing in words.
        taken: names that there are already.
        read: of what an entry point loads, the thing itself; None if it is none.

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
            raise SettingError(
                f"entry point {point.value} gives no {what} but {getattr(loaded, '__name__', type(loaded).__name__)}."
            )
        if one.name in found or one.name in taken:
            raise SettingError(f"entry point {point.value} adds a {what} {one.name!r}, which is known already.")
        found[one.name] = one
    return found
