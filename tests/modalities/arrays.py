"""Pictures of many bands and of deep values to test with."""

from __future__ import annotations

import io
from typing import Any

import numpy as np


def bands(channels: int, seed: int = 0, top: float = 4000, side: tuple[int, int] = (40, 48)) -> np.ndarray:
    """[h, w, channels] uint16: a gradient, other in each band, and some noise, up to about ``top``."""
    y, x = np.mgrid[: side[0], : side[1]] / max(side)
    noise = np.random.default_rng(seed).random((*side, channels)) / 4
    waves = np.stack([0.4 + 0.3 * np.sin((k + 1) * x + (k + 2) * y + seed) for k in range(channels)], axis=-1)
    return ((waves + noise) * top).clip(0, top).astype(np.uint16)


def npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def tiff(values: np.ndarray, **options: Any) -> bytes:
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()
