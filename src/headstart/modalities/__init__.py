"""One folder a modality: decode, prepare, fingerprint, augment, damage, show, classical features."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from headstart.errors import SettingError, nearest
from headstart.modalities.audio.modality import Audio
from headstart.modalities.image.modality import Image
from headstart.modalities.modality import Modality
from headstart.modalities.text.modality import Text
from headstart.plugins import added

#: Entry points of this group are subclasses of `Modality`.
GROUP = "headstart.modalities"


@cache
def modalities() -> dict[str, Modality]:
    """Every modality by its name: those of headstart, then those that other distributions add.

    Text comes last of headstart's own: every string is a text, so others are asked first what a value is.

    Raises:
        SettingError: one of another distribution cannot be had, is none, or carries a name that is taken.
    """
    first: dict[str, Modality] = {one.name: one for one in (Audio(), Image())}
    return {**first, **added(GROUP, "modality", (*first, Text.name), _made), Text.name: Text()}


def get(name: str) -> Modality:
    """The modality called ``name``; `SettingError` if there is none."""
    known = modalities()
    if name not in known:
        raise SettingError(f"modality {name!r} is unknown; it may be {', '.join(known)}.{nearest(name, known)}")
    return known[name]


def told_by(values: Iterable[Any]) -> str:
    """The modality of ``values``: the first that takes them all.

    Raises:
        SettingError: there are none, or no modality takes them all.
    """
    values = list(values)
    if not values:
        raise SettingError("there are no inputs.")
    for one in modalities().values():
        if all(one.takes(value) for value in values):
            return one.name
    odd = [value for value in values if not any(one.takes(value) for one in modalities().values())]
    what = f"not all of a known kind (one is {type(odd[0]).__name__})" if odd else "of several kinds"
    raise SettingError(f"the inputs are {what}; pass modality={' or '.join(map(repr, modalities()))}.")


@cache
def file_types() -> dict[str, str]:
    """Ending of a file, with its dot -> the modality of such files."""
    return {ending: one.name for one in modalities().values() for ending in sorted(one.files)}


def baselines() -> tuple[str, ...]:
    """The baselines of all modalities by name, the plainest first."""
    return ("majority", *dict.fromkeys(one.baseline for one in modalities().values() if one.baseline))


def _made(loaded: Any) -> tuple[str, Modality] | None:
    one = loaded()
    return (one.name, one) if isinstance(one, Modality) else None


__all__ = ["GROUP", "Modality", "baselines", "file_types", "get", "modalities", "told_by"]
