"""Two thumbnails laid over one another: do they show the same picture, one of them cropped a little?"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

SIDE = 64  # of a thumbnail, pixels
_SMALL = 32  # side at which crops are compared, pixels
_SCALES = (1.0, 0.97, 0.95, 0.93, 0.9)  # share of each side that a crop has left
_PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a crop, along each side
_BLUR = 1.5  # standard deviation of what is taken off to leave the detail, pixels of the small side
_LOOK = 0.85  # plain correlation below which a crop is not the right one
_UNCROPPED = (0.3, 0.05)  # plain correlation and agreement that even a cropped copy reaches as it is
_PLAIN = 0.95  # agreement at which there is no crop to look for


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """How far the detail of two grey thumbnails [64, 64] uint8 agrees, -1..1; 0 where they look different at once.

    The greatest correlation, over crops of either by up to 10 % a side, of what is left when a blurred copy is taken
    off. Different pictures of one kind of thing share their broad shapes, hence a high plain correlation, but not their
    detail; a picture resized, re-compressed or lit anew keeps both.
    """
    whole, other = _crops(a, 0), _crops(b, 0)
    plain, found = _likeness(whole, other)
    if plain < _UNCROPPED[0] or found < _UNCROPPED[1]:
        return 0.0
    return found if found >= _PLAIN else max(found, _best(a, other), _best(b, whole))


def _likeness(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Correlation of two pictures [1, 32, 32], and of their detail."""
    plain = _standard(one) @ _standard(other)[0]
    return float(plain[0]), float((_standard(_detail(one)) @ _standard(_detail(other))[0])[0])


def _best(whole: np.ndarray, target: np.ndarray) -> float:
    """The agreement of ``target`` [1, 32, 32] with the crop of ``whole`` [64, 64] most like it; 0 where none is."""
    wanted, fine, best = _standard(target)[0], _standard(_detail(target))[0], 0.0
    for i in range(1, len(_SCALES)):
        crops = _crops(whole, i)
        likely = _standard(crops) @ wanted >= _LOOK
        if likely.any():
            best = max(best, float((_standard(_detail(crops[likely])) @ fine).max()))
    return best


def _crops(thumbnail: np.ndarray, scale: int) -> np.ndarray:
    """[places ** 2, 32, 32]: crops at every place; resizing is a product on the left and one on the right."""
    windows = _windows()[scale]  # [places, 32, 64]
    crops = (windows @ thumbnail.astype(np.float32))[:, None] @ windows.transpose(0, 2, 1)[None]
    return crops.reshape(-1, _SMALL, _SMALL)


@lru_cache(maxsize=1)
def _windows() -> tuple[np.ndarray, ...]:
    """For each scale [places, 32, 64]: what takes a line of 64 pixels to 32 of a window of it."""
    every = Image.fromarray(np.eye(SIDE, dtype=np.float32))
    found = []
    for scale in _SCALES:
        room = SIDE * (1 - scale)
        starts = [place * room for place in (_PLACES if room else _PLACES[:1])]
        boxes = [(0.0, start, float(SIDE), start + SIDE * scale) for start in starts]
        resized = [every.resize((SIDE, _SMALL), Image.Resampling.BILINEAR, box) for box in boxes]
        found.append(np.stack([np.asarray(window) for window in resized]))
    return tuple(found)


def _detail(crops: np.ndarray) -> np.ndarray:
    """``crops`` [n, 32, 32] less their Gaussian blur."""
    blur = _blur()
    return crops - blur @ crops @ blur.T


@lru_cache(maxsize=1)
def _blur() -> np.ndarray:
    """[32, 32]: blurs a line."""
    place = np.arange(_SMALL)
    weights = np.exp(-0.5 * ((place[:, None] - place) / _BLUR) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _standard(crops: np.ndarray) -> np.ndarray:
    """[n, 32 * 32]: each of mean 0 and length 1; a picture of one grey stays near 0."""
    flat = crops.reshape(len(crops), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1.0)
