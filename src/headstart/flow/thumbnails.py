"""Small pictures for pages."""

from __future__ import annotations

import io
from typing import Any

from headstart.modalities.image import ImageSpec, fitted, shown
from headstart.modalities.modality import Unreadable

_THUMBNAIL = ImageSpec(size=96, resize=96, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


def thumbnail(value: Any) -> bytes | None:
    """A JPEG of 96 x 96 pixels (of many bands, the first three), or None where the picture can no longer be read."""
    try:
        picture = fitted(shown(value, lambda width, height: _THUMBNAIL.least), _THUMBNAIL).convert("RGB")
    except Unreadable:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
