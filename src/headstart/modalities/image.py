"""Pictures: every sane kind of file or array, decoded once at the size needed."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from PIL import Image as pil

from headstart.errors import SettingError
from headstart.modalities import image_file, pixels
from headstart.modalities.classical import CLASSICAL_VERSION, CLASSICAL_WIDTH, classical
from headstart.modalities.modality import Modality, Unreadable

_RESAMPLING = {"bicubic": pil.Resampling.BICUBIC, "bilinear": pil.Resampling.BILINEAR}
_CROPS = ("center", "squash")
_GAP = 2.0  # PIL's reducing_gap: from a factor of 4 on, average whole blocks first; the eye sees no difference


@dataclass(frozen=True)
class ImageSpec:
    """Preprocessing of an image base.

    Attributes:
        size: side of the square that the base takes, pixels.
        resize: shorter side before the centre crop, pixels; at least ``size``.
        interpolation: "bicubic" or "bilinear", antialiased.
        mean: of each channel, pixels scaled to 0..1.
        std: of each channel, pixels scaled to 0..1.
        crop: "center", or "squash": the whole picture to the square, whatever its proportions.

    Raises:
        SettingError: a value that is not allowed.
    """

    size: int
    resize: int
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    crop: str = "center"

    def __post_init__(self) -> None:
        if self.interpolation not in _RESAMPLING or self.crop not in _CROPS:
            raise SettingError(
                f"interpolation {self.interpolation!r} and crop {self.crop!r}: allowed are "
                f"{', '.join(_RESAMPLING)} and {', '.join(_CROPS)}."
            )
        if self.size < 1 or (self.crop == "center" and self.resize < self.size):
            raise SettingError(f"size {self.size} and resize {self.resize}: 1 <= size <= resize is needed.")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(s > 0 for s in self.std):
            raise SettingError(f"mean {self.mean} and std {self.std}: three numbers each, std above 0.")

    @property
    def least(self) -> int:
        """Shorter side in pixels below which a picture is enlarged."""
        return self.resize if self.crop == "center" else self.size

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


class Image(Modality):
    """Pictures: paths, encoded bytes, PIL images and arrays [h, w(, c)]."""

    name = "image"

    def content(self, value: Any) -> bytes:
        """A file's bytes; for PIL images and arrays their pixels and all that decides how these are read."""
        if isinstance(value, np.ndarray):
            return f"{value.dtype.str} {value.shape} ".encode() + value.tobytes()
        if isinstance(value, pil.Image):
            image_file.check_size(value)
            with image_file.reading():
                return _header(value) + value.tobytes()
        return _encoded(value)

    def decode(self, value: Any, spec: ImageSpec) -> np.ndarray:
        """``value`` as uint8 [size, size, 3] RGB, upright, resized and cropped as ``spec`` says.

        Safe to call from several threads, on different PIL images; most of the time the GIL is released.
        """
        picture = plain(value, lambda width, height: spec.least)
        with image_file.reading():
            return np.array(fitted(picture, spec).convert("RGB"))


def plain(value: Any, need: image_file.Need) -> pil.Image:
    """``value`` as an upright picture of 8 bits in mode "L" or "RGB", not to be written to; or `Unreadable`.

    A JPEG may come smaller than it is, but with both sides at least ``need``.
    """
    picture = _loaded(value, need)
    with image_file.reading():
        return pixels.upright(pixels.eight_bit(picture), pixels.orientation(picture))


def fitted(picture: pil.Image, spec: ImageSpec) -> pil.Image:
    """``picture`` [h, w] as [size, size]: only what the crop keeps is resized, to the same values."""
    width, height = picture.size
    if spec.crop == "squash":
        return resized(picture, spec, (0, 0, width, height))
    shorter = min(width, height)
    wide, high = spec.resize * width // shorter, spec.resize * height // shorter
    left, top = round((wide - spec.size) / 2), round((high - spec.size) / 2)
    across, down = width / wide, height / high  # source pixels in one of the resized picture
    box = (left * across, top * down, (left + spec.size) * across, (top + spec.size) * down)
    return resized(picture, spec, box)


def resized(picture: pil.Image, spec: ImageSpec, box: tuple[float, float, float, float]) -> pil.Image:
    """What lies in ``box`` (left, top, right, bottom; pixels) as [size, size]."""
    return picture.resize((spec.size, spec.size), _RESAMPLING[spec.interpolation], box, reducing_gap=_GAP)


def _encoded(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | os.PathLike):
        return image_file.read(value)
    raise Unreadable(f"not a picture but {type(value).__name__}; allowed are a path, bytes, a PIL image or an array")


def _header(picture: pil.Image) -> bytes:
    palette = picture.palette.tobytes() if picture.palette else b""
    transparency = picture.info.get("transparency")
    picture.load()  # before the orientation: a TIFF turns itself
    facts = (picture.mode, picture.size, pixels.orientation(picture), transparency, palette)
    return repr(facts).encode()


def _loaded(value: Any, need: image_file.Need) -> pil.Image:
    """The picture with its pixels in memory; a file's sides at least ``need`` pixels, where they were."""
    if isinstance(value, np.ndarray):
        return pixels.from_array(value)
    if not isinstance(value, pil.Image):
        return image_file.load(_encoded(value), need)
    image_file.check_size(value)
    with image_file.reading():
        value.load()  # never drafted: that would change the caller's picture
    return value


__all__ = ["CLASSICAL_VERSION", "CLASSICAL_WIDTH", "Image", "ImageSpec", "classical", "fitted", "plain", "resized"]
