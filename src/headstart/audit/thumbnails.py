"""Grey thumbnails and perceptual hashes of pictures, made when first asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image

from headstart.audit.overlay import SIDE
from headstart.modalities.image import shown
from headstart.modalities.types import Unreadable

_LOW = 8  # lowest frequencies along each side that a perceptual hash looks at
_HASHED = 32  # a side, of what it is taken of, pixels
_BLOCKS = 16  # a side, of the broad shapes
_BATCH = 256  # pictures decoded between looks at the clock


class Thumbnails:
    """Thumbnails [64, 64] uint8 of the pictures of ``inputs``, 4 KiB each, and their hashes; by row."""

    def __init__(self, inputs: Sequence[Any] | np.ndarray) -> None:
        self._inputs = inputs
        self._pictures: dict[int, np.ndarray | None] = {}
        self._hashes: dict[int, np.ndarray] = {}

    def make(self, rows: Iterable[int], until: float | None = None) -> bool:
        """Decode what is missing of ``rows`` on threads; False where `time.perf_counter` passed ``until`` before."""
        missing = [row for row in dict.fromkeys(rows) if row not in self._pictures]
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(missing), _BATCH):
                if until is not None and time.perf_counter() > until:
                    return False
                batch = missing[start : start + _BATCH]
                self._pictures.update(zip(batch, pool.map(self._thumbnail, batch), strict=True))
        return True

    def picture(self, row: int) -> np.ndarray | None:
        """The thumbnail of a row that was made; None where the input cannot be read."""
        return self._pictures[row]

    def hash(self, row: int) -> np.ndarray:
        """The `perceptual_hash` [64] bool of a row that was made; all 0 where it cannot be read."""
        if row not in self._hashes:
            picture = self._pictures[row]
            self._hashes[row] = np.zeros(_LOW**2, bool) if picture is None else perceptual_hash(picture)
        return self._hashes[row]

    def shapes(self) -> np.ndarray:
        """[n, 256] float32: block means of every picture, to find near ones by where there are no features."""
        self.make(range(len(self._inputs)))
        blocks = np.zeros((len(self._inputs), _BLOCKS**2), np.float32)
        for row, picture in self._pictures.items():
            if picture is not None:
                split = picture.reshape(_BLOCKS, SIDE // _BLOCKS, _BLOCKS, SIDE // _BLOCKS)
                blocks[row] = split.mean(axis=(1, 3)).ravel()
        return blocks

    def _thumbnail(self, row: int) -> np.ndarray | None:
        try:
            picture = shown(self._inputs[row], lambda width, height: SIDE)
        except Unreadable:
            return None
        return np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0))


def perceptual_hash(picture: np.ndarray) -> np.ndarray:
    """pHash (Zauner 2010) of grey pixels [h, w] uint8: [64] bool, which low frequencies are above their median."""
    from scipy.fft import dctn

    small = Image.fromarray(picture).resize((_HASHED, _HASHED), Image.Resampling.LANCZOS)
    low = dctn(np.asarray(small, np.float64))[:_LOW, :_LOW]
    return (low > np.median(low)).ravel()
