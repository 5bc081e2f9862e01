"""What is told of pictures without a base: thumbnails for pages, properties to slice by, what headers say."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from headstart.modalities.image.decode import ImageSpec, fitted, shown
from headstart.modalities.types import Unreadable

_THUMBNAIL = ImageSpec(size=96, resize=96, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
_SIDE = 64  # pixels to which pictures are reduced to tell their brightness
_ROTATED = range(5, 9)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_UNKNOWN = -1.0


def thumbnail(value: Any) -> bytes | None:
    """A JPEG of 96 x 96 pixels (of many bands, the first three), or None where the picture can no longer be read."""
    try:
        picture = fitted(shown(value, lambda width, height: _THUMBNAIL.least), _THUMBNAIL).convert("RGB")
    except Unreadable:
        return None
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def properties(inputs: Sequence[Any]) -> dict[str, np.ndarray]:
    """Megapixels, width over height and mean brightness of each; nan for what cannot be read."""
    with ThreadPoolExecutor() as pool:  # Pillow decodes without holding other threads up
        measured = np.array(list(pool.map(_picture, inputs)), dtype=float).reshape(-1, 3)
    return dict(zip(("size", "aspect", "brightness"), measured.T, strict=True))


def headers(inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
    """File size, file type and dimensions; pictures are not decoded, only their headers are read."""
    read = [_header(value) for value in inputs]
    kinds = {kind: number for number, kind in enumerate(sorted({kind for *_, kind in read}))}
    size, wide, high, kind = (np.array(column) for column in zip(*read, strict=True))
    shape = np.where(high > 0, wide / np.maximum(high, 1), _UNKNOWN)
    coded = np.eye(len(kinds))[[kinds[name] for name in kind]]
    return {
        "file size": size[:, None].astype(float),
        "file type": coded,
        "picture dimensions": np.column_stack([wide, high, shape, wide * high]).astype(float),
    }


def _header(value: Any) -> tuple[float, int, int, str]:
    """Bytes, width and height in pixels, and the file's type and colour mode; unknown ones are -1."""
    is_path = isinstance(value, str)
    try:
        size = float(os.path.getsize(value) if is_path else len(value))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture too large was set aside when it was read
            with Image.open(value if is_path else io.BytesIO(value)) as picture:
                wide, high = picture.size
                return (
                    size,
                    wide,
                    high,
                    f"{os.path.splitext(value)[1].lower() if is_path else ''} {picture.format} {picture.mode}",
                )
    except Exception:  # Pillow raises nearly anything; rows that matter were read before
        return _UNKNOWN, -1, -1, "unknown"


def _picture(item: Any) -> tuple[float, float, float]:
    """Megapixels, width over height as shown, and mean brightness from 0 to 1; nan for what cannot be read."""
    try:
        if isinstance(item, np.ndarray):
            return _array(item)
        if isinstance(item, Image.Image):
            return _measured(item)
        with Image.open(io.BytesIO(item) if isinstance(item, bytes) else item) as picture:
            return _measured(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return float("nan"), float("nan"), float("nan")


def _measured(picture: Any) -> tuple[float, float, float]:
    width, height = picture.size
    if picture.getexif().get(_ORIENTATION) in _ROTATED:
        width, height = height, width
    picture.draft("L", (_SIDE, _SIDE))  # a JPEG is decoded at a fraction of its size
    grey = np.asarray(picture.convert("L").resize((_SIDE, _SIDE)))
    return width * height / 1e6, width / height, float(grey.mean()) / 255


def _array(pixels: np.ndarray) -> tuple[float, float, float]:
    height, width = pixels.shape[:2]
    whole = 255.0 if np.issubdtype(pixels.dtype, np.integer) else 1.0
    return (
        width * height / 1e6,
        width / height,
        float(pixels[..., :3].mean() if pixels.ndim == 3 else pixels.mean()) / whole,
    )
