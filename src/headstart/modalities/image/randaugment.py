"""RandAugment: a few of thirteen operations on a picture, drawn at random, all of one magnitude."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from headstart.modalities.image.pixels import mean_colour

Operation = Callable[[Image.Image, float], Image.Image]

#: What the operations do at magnitude 10, as in AutoAugment (Cubuk et al. 2019, table 6).
_DEGREES = 30.0  # of rotation
_SHEAR = 0.3  # pixels sideways for each pixel along
_SHIFT = 150 / 331  # share of the side
_FACTOR = 0.9  # colour, contrast, brightness, sharpness: 1 - this to 1 + this
_BITS = 4  # of 8 that posterize takes away

#: The greatest magnitude.
MOST = 10.0


def randaugment(
    picture: Image.Image,
    operations: int,
    magnitude: float,
    geometry: float,
    rng: np.random.Generator,
    names: Iterable[str] | None = None,
) -> Image.Image:
    """``picture`` after ``operations`` random operations of ``magnitude`` 0..10 (Cubuk et al. 2020).

    Directions are drawn too: left or right, brighter or darker. ``geometry`` (0..1) scales rotation, shear and
    shift alone. The paper's fourteenth operation, to do nothing, is left out. What comes into view is filled
    with the picture's mean colour. ``names`` are the operations to draw from, all of them where not given; a grey
    picture can have those of `GEOMETRIC`.
    """
    known = list(OPERATIONS if names is None else names)
    for name in (known[i] for i in rng.integers(len(known), size=operations)):
        amount = magnitude / MOST * (1 if rng.random() < 0.5 else -1)
        picture = OPERATIONS[name](picture, amount * geometry if name in GEOMETRIC else amount)
    return picture


def _rotate(picture: Image.Image, amount: float) -> Image.Image:
    return picture.rotate(_DEGREES * amount, fillcolor=mean_colour(picture))


def _shear_x(picture: Image.Image, amount: float) -> Image.Image:
    shear = _SHEAR * amount
    return _affine(picture, (1, shear, -shear * picture.height / 2, 0, 1, 0))


def _shear_y(picture: Image.Image, amount: float) -> Image.Image:
    shear = _SHEAR * amount
    return _affine(picture, (1, 0, 0, shear, 1, -shear * picture.width / 2))


def _translate_x(picture: Image.Image, amount: float) -> Image.Image:
    return _affine(picture, (1, 0, round(_SHIFT * amount * picture.width), 0, 1, 0))


def _translate_y(picture: Image.Image, amount: float) -> Image.Image:
    return _affine(picture, (1, 0, 0, 0, 1, round(_SHIFT * amount * picture.height)))


def _affine(picture: Image.Image, coefficients: tuple[float, ...]) -> Image.Image:
    """Each pixel (x, y) of the result from the one nearest to (a x + b y + c, d x + e y + f) of ``picture``.

    Nearest as in torchvision's RandAugment: bilinear takes fourteen times as long (1.1 ms for 224 x 224).
    """
    fill = mean_colour(picture)
    return picture.transform(picture.size, Image.Transform.AFFINE, coefficients, fillcolor=fill)


def _enhanced(enhance: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    return lambda picture, amount: enhance(picture).enhance(1 + _FACTOR * amount)


def _posterize(picture: Image.Image, amount: float) -> Image.Image:
    return ImageOps.posterize(picture, 8 - round(_BITS * abs(amount)))


def _solarize(picture: Image.Image, amount: float) -> Image.Image:
    return ImageOps.solarize(picture, round(256 * (1 - abs(amount))))


#: The operations that move things.
GEOMETRIC: dict[str, Operation] = {
    "rotate": _rotate,
    "shear x": _shear_x,
    "shear y": _shear_y,
    "translate x": _translate_x,
    "translate y": _translate_y,
}
#: Every operation by name: picture (RGB) and amount -1..1 to picture; two know no amount.
OPERATIONS: dict[str, Operation] = {
    **GEOMETRIC,
    "autocontrast": lambda picture, amount: ImageOps.autocontrast(picture),
    "equalize": lambda picture, amount: ImageOps.equalize(picture),
    "posterize": _posterize,
    "solarize": _solarize,
    "colour": _enhanced(ImageEnhance.Color),
    "contrast": _enhanced(ImageEnhance.Contrast),
    "brightness": _enhanced(ImageEnhance.Brightness),
    "sharpness": _enhanced(ImageEnhance.Sharpness),
}
