"""Which bases of the catalogue fit: modality, licence, size; what is left out is kept, with the reason."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from headstart.bases.entry import Entry
from headstart.bases.licences import asks_commercial, objection
from headstart.bases.table import entries
from headstart.errors import SettingError, nearest
from headstart.modalities import modalities

_UNITS = {"k": 1e-3, "m": 1.0, "b": 1e3}  # in millions
_LEAST = 1e-3  # millions of parameters; no base is smaller, so a limit below that is a forgotten unit


@dataclass(frozen=True)
class LeftOut:
    """A base that was asked not to be chosen.

    Attributes:
        name: of the base.
        reason: all that speaks against it, with its own numbers: "45.2 M parameters, over 30 M".
        ground: the first reason as all bases left out for it share it: "over 30 M parameters".
    """

    name: str
    reason: str
    ground: str


@dataclass(frozen=True)
class Selection:
    """The bases that fit, in the catalogue's order, and those of the same modality that do not."""

    kept: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kept": [entry.to_dict() for entry in self.kept], "left_out": [asdict(one) for one in self.left_out]}


def choose(modality: str | None = None, licence: str | None = None, max_params: float | None = None) -> Selection:
    """The bases that fit.

    Args:
        modality: "image", "text" or "audio"; None: all.
        licence: "commercial" leaves out what is not known to allow commercial use; "any" or None: nothing.
        max_params: greatest number of parameters without the head, in millions; see `parse_parameters`.

    Raises:
        SettingError: a word that is not allowed.
        BaseError: see `headstart.bases.table.entries`.
    """
    known = modalities()
    if modality is not None and modality not in known:
        raise SettingError(
            f"modality {modality!r} is unknown; it is one of {', '.join(known)}.{nearest(modality, known)}"
        )
    commercial = asks_commercial(licence)
    kept, left_out = [], []
    for entry in entries().values():
        if modality in (None, entry.modality):
            against = _against(entry, commercial, max_params)
            if against:
                reasons, grounds = zip(*against, strict=True)
                left_out.append(LeftOut(entry.name, "; ".join(reasons), grounds[0]))
            else:
                kept.append(entry)
    return Selection(tuple(kept), tuple(left_out))


def _against(entry: Entry, commercial: bool, max_params: float | None) -> list[tuple[str, str]]:
    """(reason, ground) of everything that speaks against ``entry``."""
    against = []
    if commercial and (why := objection(entry.licence, entry.commercial)):
        against.append((why, why))
    if max_params is not None and entry.parameters > max_params:
        most = in_millions(max_params)
        against.append((f"{in_millions(entry.parameters)} parameters, over {most}", f"over {most} parameters"))
    return against


def in_millions(parameters: float) -> str:
    """ "22.6 M", "7,505 M"; ``parameters`` in millions."""
    return f"{parameters:,.0f} M" if parameters >= 1000 else f"{parameters:.4g} M"


def parse_parameters(text: str) -> float:
    """``"30M"``, ``"1.5B"``, ``"300k"`` or ``"30000000"`` in millions of parameters.

    Raises:
        SettingError: anything else, or fewer than any network has.
    """
    cleaned = text.strip().lower().replace(",", "").replace("_", "")
    number, unit = (cleaned[:-1], _UNITS[cleaned[-1]]) if cleaned[-1:] in _UNITS else (cleaned, 1e-6)
    try:
        millions = float(number) * unit
    except ValueError:
        millions = 0.0
    if not _LEAST <= millions < math.inf:
        raise SettingError(f"{text!r} is not a number of parameters; write it like 300k, 30M or 1.5B.")
    return millions
