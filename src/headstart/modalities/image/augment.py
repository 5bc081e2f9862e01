"""Augmentation of pictures: random crop, flip, RandAugment and, where asked for, damage as after deployment."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from PIL import Image as pil

from headstart.errors import SettingError
from headstart.modalities.damage import STRENGTHS
from headstart.modalities.image import file, label_words
from headstart.modalities.image.damage import damaged
from headstart.modalities.image.decode import ImageSpec, fitted, layers, resized
from headstart.modalities.image.randaugment import GEOMETRIC, MOST, randaugment

_RATIO = 4 / 3  # greatest proportion of a random crop's sides; the least is its inverse
_TRIALS = 10  # draws of a random crop before the middle is taken
_WHOLE = (1.0, 1.0)
_DAMAGES = ("blur", "noise", "jpeg", "light")
_DAMAGE_SHARE = 0.5
_FEW = 20  # examples a class up to which the defaults are gentler


@dataclass(frozen=True)
class ImageAugmentation:
    """How a picture is changed at random, each time it is seen.

    Attributes:
        crop: least and greatest share of the area that the random crop keeps; (1, 1): cropped as without.
        flip: left-right with probability 1/2.
        operations: number of RandAugment's operations, N (Cubuk et al. 2020); 0: none.
        magnitude: of the operations, M, 0..10.
        damage: one of blur, noise, JPEG and low light, of strength 1 to 5, with probability 1/2.
        geometry: share, 0..1, of RandAugment's rotation, shear and shift that ``magnitude`` gets; 1 is up to
            30 degrees, 0.3 and 45 % of the side at magnitude 10.

    Raises:
        SettingError: a value that is not allowed.
    """

    crop: tuple[float, float] = (0.5, 1.0)
    flip: bool = True
    operations: int = 2
    magnitude: float = 5.0
    damage: bool = False
    geometry: float = 1.0

    def __post_init__(self) -> None:
        if len(self.crop) != 2 or not 0 < self.crop[0] <= self.crop[1] <= 1:
            raise SettingError(f"crop is {self.crop}; two shares of the area are needed, 0 < least <= greatest <= 1.")
        if self.operations < 0 or not 0 <= self.magnitude <= MOST:
            raise SettingError(
                f"operations {self.operations} and magnitude {self.magnitude}: "
                f"allowed are 0 or more, and from 0 to {MOST:g}."
            )
        if not 0 <= self.geometry <= 1:
            raise SettingError(f"geometry is {self.geometry}; it must be from 0 to 1.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "crop": list(self.crop)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**values, "crop": tuple(values["crop"])})


def augmented(value: Any, spec: ImageSpec, how: ImageAugmentation, seed: int) -> np.ndarray:
    """``value`` as uint8 [size, size, 3] RGB (or its bands), changed at random as ``how`` says; same for same ``seed``.

    ``value`` is whatever `decoded` takes. Colours are changed after resizing, so that this costs the same
    for pictures of every size. Bands that are not red, green and blue are moved, all alike, and keep their values.
    Safe to call from several threads, on different PIL images.

    Raises:
        Unreadable: as `decoded`.
    """
    rng = np.random.default_rng(seed)
    if spec.channels != 3:
        return _bands(_cropped(value, spec, how.crop, rng), how, rng)
    picture = _cropped(value, spec, how.crop, rng)[0].convert("RGB")
    if how.flip and rng.random() < 0.5:
        picture = picture.transpose(pil.Transpose.FLIP_LEFT_RIGHT)
    changed = np.array(randaugment(picture, how.operations, how.magnitude, how.geometry, rng))
    if how.damage and rng.random() < _DAMAGE_SHARE:
        kind, strength = _DAMAGES[rng.integers(len(_DAMAGES))], int(rng.choice(STRENGTHS))
        changed = damaged(changed, kind, strength, int(rng.integers(2**32)))
    return changed


def _bands(parts: list[pil.Image], how: ImageAugmentation, rng: np.random.Generator) -> np.ndarray:
    """Each band [size, size] flipped and moved as all others: [size, size, bands]."""
    if how.flip and rng.random() < 0.5:
        parts = [part.transpose(pil.Transpose.FLIP_LEFT_RIGHT) for part in parts]
    seed, operations = int(rng.integers(2**32)), how.operations
    moved = [
        randaugment(part, operations, how.magnitude, how.geometry, np.random.default_rng(seed), GEOMETRIC)
        for part in parts
    ]
    return np.stack([np.asarray(part) for part in moved], axis=-1)


def image_default(
    labels: tuple[str, ...], per_class: int, damage: bool, channels: int = 3
) -> tuple[ImageAugmentation, str]:
    """The augmentation for classes called ``labels`` with ``per_class`` examples each, and why, in words.

    Left-right flips only where the labels allow: not for digits, letters, writing, or sides, nor where there are
    no labels (numbers to predict, an angle perhaps). Digits, letters and writing also get crops of 80 to 100 % of
    the area and 0.3 of the rotation (at most 4.5 degrees), shear and shift: a turned 6 is a 9, half an 8 is a 3.
    Labels that are colours get none of RandAugment's operations, some of which change colours. With up to 20
    examples a class, one gentler operation instead of two: heavier changes would outweigh what so few show.
    """
    glyph = label_words.first_glyph(labels)
    sided = label_words.first_sided(labels)
    colours = label_words.colours(labels)
    few = per_class <= _FEW
    how = ImageAugmentation(
        crop=(0.8, 1.0) if glyph else (0.5, 1.0),
        flip=bool(labels) and not glyph and not sided,
        operations=0 if len(colours) > 1 else 1 if few else 2,
        magnitude=3.0 if few else 5.0,
        damage=damage and channels == 3,
        geometry=0.3 if glyph else 1.0,
    )
    reasons = []
    if glyph:
        reasons.append(f"no flips and little turning, because {glyph!r} is a digit, letter or writing")
    elif sided:
        reasons.append(f"no flips, because {sided!r} may tell left from right")
    elif not labels:
        reasons.append("no flips, because numbers to predict may depend on the side")
    if len(colours) > 1:
        reasons.append(f"colours left alone, because {colours[0]!r} and {colours[1]!r} are colours")
    elif few:
        reasons.append(f"gentle, because there are only {per_class} examples a class")
    if channels != 3:
        reasons.append(
            f"values left alone{' and no corruption' * damage}, because the {channels} channels are not colours"
        )
    return how, "; ".join([_in_words(how), *reasons])


def _in_words(how: ImageAugmentation) -> str:
    parts = [f"random crops of {how.crop[0]:.0%} to {how.crop[1]:.0%} of the area"]
    parts += ["left-right flips"] * how.flip
    if how.operations:
        number = "1 operation" if how.operations == 1 else f"{how.operations} operations"
        parts.append(f"{number} of RandAugment at magnitude {how.magnitude:g}")
    parts += ["blur, noise, JPEG or low light on every second picture"] * how.damage
    return ", ".join(parts)


def _cropped(value: Any, spec: ImageSpec, shares: tuple[float, float], rng: np.random.Generator) -> list[pil.Image]:
    """`layers` of ``value`` as [size, size], from one random crop."""
    draws = rng.random((_TRIALS, 4))  # always, so that what follows is the same with and without crops
    if shares == _WHOLE:
        parts = layers(value, spec, lambda width, height: spec.least)
        with file.reading():
            return [fitted(part, spec) for part in parts]
    draws[:, 0] = shares[0] + draws[:, 0] * (shares[1] - shares[0])
    draws[:, 1] = _RATIO ** (2 * draws[:, 1] - 1)
    parts = layers(value, spec, lambda width, height: _need(draws, width, height, spec))
    with file.reading():
        return [resized(part, spec, _box(draws, *part.size, spec)) for part in parts]


def _need(draws: np.ndarray, width: int, height: int, spec: ImageSpec) -> int:
    """The shorter side at which the crop still has [size, size] pixels."""
    left, top, right, bottom = _box(draws, width, height, spec)
    return math.ceil(spec.size * min(width, height) / min(right - left, bottom - top))


def _box(draws: np.ndarray, width: int, height: int, spec: ImageSpec) -> tuple[float, float, float, float]:
    """Left, top, right, bottom (pixels) of the first of ``draws`` that fits (Szegedy et al. 2015).

    ``draws`` [trials, 4]: share of the area, proportion of the sides, place along each side, 0..1. As in
    torchvision's RandomResizedCrop, the middle where none fits. Where ``spec`` squashes, shares and proportions
    are those of the squashed picture. All goes by the longer and the shorter side, so that the size of the crop
    is known before a picture stored lying is turned.
    """
    longer, shorter = max(width, height), min(width, height)
    along, across = (1.0, 1.0) if spec.crop == "squash" else (longer / shorter, 1.0)
    start, low, end, high = _window(draws, along, across)
    start, end = start * longer / along, min(end * longer / along, longer)  # rounding must not lead outside
    low, high = low * shorter, min(high * shorter, shorter)
    return (start, low, end, high) if width >= height else (low, start, high, end)


def _window(draws: np.ndarray, along: float, across: float) -> tuple[float, float, float, float]:
    for share, proportion, place_along, place_across in draws.tolist():
        long, short = math.sqrt(share * along * across * proportion), math.sqrt(share * along * across / proportion)
        if long <= along and short <= across:
            start, low = place_along * (along - long), place_across * (across - short)
            return start, low, start + long, low + short
    long = min(along, across * _RATIO)
    return (along - long) / 2, 0.0, (along + long) / 2, across
