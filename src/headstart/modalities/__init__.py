"""One file a modality: decode, prepare, fingerprint, classical features."""

from __future__ import annotations

from headstart.errors import SettingError, nearest
from headstart.modalities.image import Image
from headstart.modalities.modality import Modality
from headstart.modalities.text import Text

#: Every modality by its name; a new modality is one new file and one row here.
MODALITIES: dict[str, Modality] = {modality.name: modality for modality in (Image(), Text())}


def get(name: str) -> Modality:
    """The modality called ``name``; `SettingError` if there is none."""
    if name not in MODALITIES:
        raise SettingError(
            f"modality {name!r} is unknown; it may be {', '.join(MODALITIES)}.{nearest(name, MODALITIES)}"
        )
    return MODALITIES[name]


__all__ = ["MODALITIES", "Modality", "get"]
