"""Pictures to test with."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def photo(width: int, height: int) -> Image.Image:
    """A synthetic photo: smooth light, edges, and texture of several scales."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    red = 0.5 + 0.3 * np.sin(7 * x + 3 * y) + 0.1 * np.sin(60 * x) * np.sin(45 * y)
    green = 0.4 + 0.4 * (np.hypot(x - 0.4, y - 0.3) < 0.2) + 0.05 * np.sin(200 * (x + y))
    blue = 0.3 + 0.5 * y + 0.1 * (np.sin(25 * x) > 0)
    noise = np.random.default_rng(0).normal(0, 0.02, (height, width, 1))
    return Image.fromarray(((np.stack([red, green, blue], -1) + noise) * 255).clip(0, 255).astype(np.uint8))


def corners(width: int = 64, height: int = 64) -> Image.Image:
    """Four flat quarters: red, green / blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of ``kind``."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
