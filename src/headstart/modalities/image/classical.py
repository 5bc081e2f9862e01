"""Classical features of a picture, for the control that borrows nothing: thumbnails, gradients, colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

#: To be raised whenever the features change: it is part of the key they are cached under.
CLASSICAL_VERSION = 1
_SIDE = 64  # all is computed on a picture of this many pixels a side
_GREY, _COLOUR = 16, 8  # thumbnail sides, pixels
#: The first of the features are a small grey version, 16 × 16 pixels, 0..1.
SHAPES = _GREY**2
_CELLS, _BINS = 8, 9  # gradient histograms: cells a side, unsigned orientations in each
_LEVELS = 4  # colour histogram: levels a channel
#: Length of the feature vector.
CLASSICAL_WIDTH = _GREY**2 + 3 * _COLOUR**2 + _BINS * _CELLS**2 + _LEVELS**3


def classical(pixels: np.ndarray) -> np.ndarray:
    """Features [CLASSICAL_WIDTH] float32 of a decoded picture ``pixels`` [size, size, channels] uint8.

    A grey thumbnail, a colour thumbnail, histograms of oriented gradients (Dalal & Triggs 2005, with one
    normalisation a cell instead of four) and a joint colour histogram. Of many bands, the means of their first, middle
    and last third are taken for the three colours.
    """
    pixels = pixels if pixels.shape[2] == 3 else _thirds(pixels)
    # Pillow shrinks without BLAS, whose threads would fight those that decode and those that compute (60 -> 110
    # images/s over the whole extraction on 2 cores).
    picture = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(picture, np.float32) / np.float32(255)  # [64, 64, 3], 0..1
    grey = np.asarray(picture.convert("L"), np.float32) / np.float32(255)
    parts = (_blocks(grey, _GREY), _blocks(small, _COLOUR), _gradients(grey), _colours(small))
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def _thirds(pixels: np.ndarray) -> np.ndarray:
    """[h, w, bands] -> [h, w, 3] uint8; of two bands the third colour is the mean."""
    parts = np.array_split(np.arange(pixels.shape[2]), 3)
    means = [pixels[..., part if len(part) else slice(None)].mean(axis=2) for part in parts]
    return np.rint(np.stack(means, axis=-1)).astype(np.uint8)


def contrast(features: np.ndarray) -> np.ndarray:
    """[n] 0..1: how much there is to see in each of ``features`` [n, CLASSICAL_WIDTH]; 0 for a picture of one colour.

    The greatest range of brightness or colour between blocks, or, for patterns finer than these, a tenth of the
    greatest share of a cell's gradients that point one way. Evenly spread noise counts as nothing to see.
    """
    grey, colour = _GREY**2, 3 * _COLOUR**2
    gradients = features[:, grey + colour : grey + colour + _BINS * _CELLS**2]
    channels = features[:, grey : grey + colour].reshape(len(features), -1, 3)
    ranges = np.maximum(np.ptp(features[:, :grey], axis=1), np.ptp(channels, axis=1).max(axis=1))
    # Noise of any strength points all ways, so that no direction has more than 0.18 of it; lines have nearly all.
    return np.maximum(ranges, gradients.max(axis=1) ** 2 / 10)


def _blocks(picture: np.ndarray, side: int) -> np.ndarray:
    """Block means: [64, 64(, 3)] -> [side, side(, 3)]."""
    step = _SIDE // side
    return picture.reshape(side, step, side, step, -1).mean(axis=(1, 3))


def _gradients(grey: np.ndarray) -> np.ndarray:
    """[64, 64] -> [8, 8, 9]: gradient magnitude by cell and orientation, shared by the two nearest bins."""
    dy, dx = np.zeros_like(grey), np.zeros_like(grey)
    dy[1:-1] = grey[2:] - grey[:-2]
    dx[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    magnitude = np.hypot(dx, dy)
    position = np.arctan2(dy, dx) % np.float32(np.pi) * np.float32(_BINS / np.pi)
    low = position.astype(np.int64)
    high_share = magnitude * (position - low)
    votes = np.concatenate([magnitude - high_share, high_share], axis=None)
    bins = _cell_start() + np.stack([low % _BINS, (low + 1) % _BINS])  # [2, 64, 64]
    counts = np.bincount(bins.ravel(), votes, minlength=_CELLS**2 * _BINS).reshape(_CELLS, _CELLS, _BINS)
    return np.sqrt(counts / (_around(counts.sum(axis=-1)) + 0.5)[..., None])


@lru_cache(maxsize=1)
def _cell_start() -> np.ndarray:
    """[64, 64]: where in the flat [8, 8, 9] the bins of each pixel's cell start."""
    cell = np.arange(_SIDE) * _CELLS // _SIDE
    return (cell[:, None] * _CELLS + cell) * _BINS


def _around(energy: np.ndarray) -> np.ndarray:
    """[8, 8]: the mean of each cell and its eight neighbours, the border repeated."""
    padded = np.pad(energy, 1, mode="edge")
    columns = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (columns[:-2] + columns[1:-1] + columns[2:]) / 9


def _colours(small: np.ndarray) -> np.ndarray:
    """[64, 64, 3] -> [64]: square roots of the shares of 4 x 4 x 4 colours."""
    level = np.minimum((small * _LEVELS).astype(np.int64), _LEVELS - 1)
    joint = (level[..., 0] * _LEVELS + level[..., 1]) * _LEVELS + level[..., 2]
    return np.sqrt(np.bincount(joint.ravel(), minlength=_LEVELS**3) / joint.size)
