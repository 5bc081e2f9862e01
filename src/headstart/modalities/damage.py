"""Tables of damage: kinds, each with an amount for every strength."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from headstart.errors import SettingError, nearest

#: The strengths of each kind, slight to severe.
STRENGTHS = (1, 2, 3, 4, 5)

Amount = TypeVar("Amount")


def amount_of(amounts: Mapping[str, tuple[Amount, ...]], kind: str, strength: int) -> Amount:
    """The entry of a table for a kind and a strength of 1 to 5; `SettingError` where there is none."""
    if kind not in amounts:
        raise SettingError(f"corruption {kind!r} is unknown; it may be {', '.join(amounts)}.{nearest(kind, amounts)}")
    if strength not in STRENGTHS:
        raise SettingError(f"strength of corruption is {strength!r}; it must be a whole number from 1 to 5.")
    return amounts[kind][strength - 1]
