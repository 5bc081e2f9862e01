"""Small pictures for pages."""

from __future__ import annotations

import io
from typing import Any

from headstart.modalities import get as get_modality
from headstart.modalities.image import ImageSpec
from headstart.modalities.modality import Unreadable

_THUMBNAIL = ImageSpec(size=96, resize=96, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)


def thumbnail(value: Any) -> bytes | None:
    """A JPEG of 96 x 96 pixels, or None where the picture can no longer be read."""
    from PIL import Image

    try:
        pixels = get_modality("image").decode(value, _THUMBNAIL)
    except Unreadable:
        return None
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
