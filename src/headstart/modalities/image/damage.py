"""Damage that pictures meet after deployment, in five strengths of each kind."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from headstart.modalities.damage import Damage, amount_of
from headstart.modalities.image.decode import ImageSpec, layers, plain
from headstart.modalities.image.pixels import mean_colour

#: What each kind does at strengths 1 to 5.
AMOUNTS: dict[str, tuple[float, ...]] = {
    "blur": (0.003, 0.006, 0.010, 0.015, 0.022),  # Gaussian, radius as a share of the shorter side
    "noise": (5, 10, 18, 28, 40),  # Gaussian, standard deviation in grey levels of 255
    "jpeg": (50, 30, 20, 12, 7),  # quality of JPEG, colour at half the resolution
    "light": (0.7, 0.5, 0.35, 0.22, 0.12),  # share of the light that is left; with the noise of few photons
    "crop": (0.85, 0.7, 0.55, 0.4, 0.25),  # share of the area that is kept, somewhere, and enlarged
    "rotation": (4, 8, 15, 25, 40),  # degrees to either side; corners in the mean colour
}
KINDS = tuple(AMOUNTS)
_SIDE = 384  # pixels of the shorter side that larger pictures are damaged at, so that damage and cost are alike

_PHOTONS = 500  # counted at white in full light: a small sensor


def damaged(pixels: np.ndarray, kind: str, strength: int, seed: int) -> np.ndarray:
    """``pixels`` uint8 [h, w, 3] RGB with damage of ``kind``, one of `KINDS`, and ``strength`` 1..5; same shape.

    The same for the same ``seed``; strengths of one seed differ in amount alone (same noise, same side).

    Raises:
        SettingError: an unknown kind or strength.
    """
    amount = amount_of(AMOUNTS, kind, strength)
    return _DAMAGES[kind](pixels, amount, np.random.default_rng(seed))


def _blur(pixels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    radius = share * min(pixels.shape[:2])
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _noise(pixels: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return _bytes(pixels + np.float32(sigma) * rng.standard_normal(pixels.shape, np.float32))


def _jpeg(pixels: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(quality), subsampling="4:2:0")
    with Image.open(buffer) as picture:
        return np.array(picture)


def _light(pixels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Photons are counted with a variance equal to their number; the normal law stands in for Poisson's."""
    light = pixels * np.float32(share)
    spread = np.sqrt(light * np.float32(255 / _PHOTONS))
    return _bytes(light + spread * rng.standard_normal(pixels.shape, np.float32))


def _crop(pixels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[:2]
    side = math.sqrt(share)
    left, top = rng.random(2) * (1 - side) * (width, height)
    box = (left, top, left + side * width, top + side * height)
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box))


def _rotation(pixels: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    picture = Image.fromarray(pixels)
    turn = degrees if rng.random() < 0.5 else -degrees
    return np.array(picture.rotate(turn, Image.Resampling.BICUBIC, fillcolor=mean_colour(picture)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


_DAMAGES: dict[str, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]] = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "light": _light,
    "crop": _crop,
    "rotation": _rotation,
}


def image_damage(spec: ImageSpec) -> Damage:
    """Of pictures of grey or colour, whose values are read by the levels of ``spec``."""
    return Damage(KINDS, partial(_picture, spec=spec), damaged)


def _picture(value: Any, spec: ImageSpec) -> np.ndarray:
    """``value`` as uint8 [h, w, 3], the shorter side at most 384 pixels."""

    def need(width: int, height: int) -> int:
        return _SIDE

    picture = (plain(value, need) if spec.plain else layers(value, spec, need)[0]).convert("RGB")
    share = _SIDE / min(picture.size)
    if share < 1:
        width, height = (max(_SIDE, round(side * share)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.array(picture)
