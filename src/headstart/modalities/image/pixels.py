"""Pixels of any kind to 8 bits: grey depths, palettes, transparency, colour spaces, rotation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as pil

from headstart.modalities.types import Unreadable

_ORIENTATION = 0x0112  # EXIF tag
_BITS_PER_SAMPLE = 258  # TIFF tag
_UPRIGHT = {
    2: pil.Transpose.FLIP_LEFT_RIGHT,
    3: pil.Transpose.ROTATE_180,
    4: pil.Transpose.FLIP_TOP_BOTTOM,
    5: pil.Transpose.TRANSPOSE,
    6: pil.Transpose.ROTATE_270,
    7: pil.Transpose.TRANSVERSE,
    8: pil.Transpose.ROTATE_90,
}


def orientation(picture: pil.Image) -> int:
    """The EXIF orientation, 1 to 8, of a loaded picture; 1 where there is none."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata of any kind; the pixels are good, and every viewer shows them
        return 1


def upright(picture: pil.Image, turned: int) -> pil.Image:
    """``picture`` turned and flipped as its EXIF orientation ``turned`` asks."""
    return picture.transpose(_UPRIGHT[turned]) if turned in _UPRIGHT else picture


def turned(values: np.ndarray, turn: int) -> np.ndarray:
    """`upright` for an array [h, w(, c)]."""
    if turn >= 5:
        values, turn = values.swapaxes(0, 1), {5: 1, 6: 2, 7: 3, 8: 4}.get(turn, 1)
    across, down = turn in (2, 3), turn in (3, 4)
    return np.ascontiguousarray(values[:: -1 if down else 1, :: -1 if across else 1])


def eight_bit(picture: pil.Image) -> pil.Image:
    """``picture`` in mode "L" or "RGB"; what is transparent becomes white.

    16-bit grey is scaled by its own bit depth; 32-bit integers and floats have none and are stretched from
    their least to their greatest value.
    """
    if picture.mode in ("I", "F") or picture.mode.startswith("I;"):
        return _grey(picture)
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return pil.alpha_composite(pil.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def mean_colour(picture: pil.Image) -> tuple[int, ...]:
    """The mean of each channel of an RGB or grey ``picture``, 0..255."""
    colour = picture.resize((1, 1), pil.Resampling.BOX).getpixel((0, 0))
    return colour if isinstance(colour, tuple) else (round(colour or 0),)


def from_array(values: np.ndarray) -> pil.Image:
    """An array [h, w], [h, w, 1], [h, w, 3] or [h, w, 4] as a picture of 8 bits a channel.

    Floats whose greatest value is at most 1 are taken as 0..1, other numbers as 0..255, uint16 as 0..65535.
    """
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    colour = values.ndim == 3 and values.shape[2] in (3, 4)
    if not (values.ndim == 2 or colour) or not values.size:
        raise Unreadable(
            f"an array of shape {list(values.shape)}; allowed are [h, w], [h, w, 1], [h, w, 3] and [h, w, 4]"
        )
    return pil.fromarray(bytes_of(values))


def levelled(values: np.ndarray, levels: Sequence[tuple[float, float]]) -> np.ndarray:
    """``values`` [h, w(, c)] as uint8: low to high is laid on 0 to 255, what lies beyond is cut off, nan becomes low.

    Args:
        values: numbers of any kind.
        levels: (low, high) of each channel, or one pair for all.
    """
    low, high = np.array(levels if len(levels) > 1 else levels[0], np.float64).T
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.rint(np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)).clip(0, 255).astype(np.uint8)


def bytes_of(values: np.ndarray) -> np.ndarray:
    """``values`` of any kind as uint8, by the rule of `from_array`."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return _scaled(values, 255 / 65535)
    if values.dtype == bool:
        return values.astype(np.uint8) * 255
    if values.dtype.kind not in "iuf":
        raise Unreadable(f"an array of dtype {values.dtype}; allowed are bool, integers and floats")
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 255):  # false for nan, too
        raise Unreadable(f"an array with values from {low:g} to {high:g}; allowed are 0 to 1 and 0 to 255")
    return _scaled(values, 255 if values.dtype.kind == "f" and high <= 1 else 1)


def _grey(picture: pil.Image) -> pil.Image:
    values, depth = np.asarray(picture), _bit_depth(picture)
    if depth is not None:
        return pil.fromarray(_scaled(values, 255 / (2**depth - 1)))
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise Unreadable("no pixel has a finite value")
    low, high = float(finite.min()), float(finite.max())
    stretched = (np.where(np.isfinite(values), values, low) - low) / ((high - low) or 1.0)
    return pil.fromarray(_scaled(stretched, 255))


def _bit_depth(picture: pil.Image) -> int | None:
    """Bits of a grey value; None where the mode has no natural greatest value."""
    if picture.mode.startswith("I;16"):
        tags = getattr(picture, "tag_v2", {})  # a TIFF of 12 bits comes in the same mode
        return int(tags.get(_BITS_PER_SAMPLE, (16,))[0])
    if picture.mode == "I" and picture.format in ("PNG", "PPM"):  # 16 bits in 32: older Pillow, and PGM
        return 16
    return None


def _scaled(values: np.ndarray, factor: float) -> np.ndarray:
    return np.rint(values * np.float32(factor)).clip(0, 255).astype(np.uint8)
