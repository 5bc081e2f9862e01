"""Damage that inputs meet after deployment: kinds, each with an amount for every strength."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from headstart.errors import SettingError, nearest

#: The strengths of each kind, slight to severe.
STRENGTHS = (1, 2, 3, 4, 5)

Amount = TypeVar("Amount")


@dataclass(frozen=True)
class Damage:
    """How inputs of one modality are damaged.

    Attributes:
        kinds: of damage.
        read: an input as it is damaged; `headstart.modalities.types.Unreadable` where it cannot be.
        apply: (what was read, kind, strength, seed) -> an input for the model.
    """

    kinds: tuple[str, ...]
    read: Callable[[Any], Any]
    apply: Callable[[Any, str, int, int], Any]


def amount_of(amounts: Mapping[str, tuple[Amount, ...]], kind: str, strength: int) -> Amount:
    """The entry of a table for a kind and a strength of 1 to 5; `SettingError` where there is none."""
    if kind not in amounts:
        raise SettingError(f"corruption {kind!r} is unknown; it may be {', '.join(amounts)}.{nearest(kind, amounts)}")
    if strength not in STRENGTHS:
        raise SettingError(f"strength of corruption is {strength!r}; it must be a whole number from 1 to 5.")
    return amounts[kind][strength - 1]
