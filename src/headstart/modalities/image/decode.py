"""Pictures: every sane kind of file or array, decoded once at the size needed."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from PIL import Image as pil

from headstart.errors import SettingError
from headstart.modalities.image import bands, file, pixels
from headstart.modalities.image.levels import Levels, levels_of
from headstart.modalities.types import Unreadable

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
        channels: 3, grey being copied to all three; else the number of bands, 2 to 64.
        levels: values that are laid on 0 and 255, of pictures with more than 8 bits: one pair, or one a band. Without
            them such pictures are read by `pixels.eight_bit`, each for itself.

    Raises:
        SettingError: a value that is not allowed.
    """

    size: int
    resize: int
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    crop: str = "center"
    channels: int = 3
    levels: Levels = ()

    def __post_init__(self) -> None:
        if self.interpolation not in _RESAMPLING or self.crop not in _CROPS:
            raise SettingError(
                f"interpolation {self.interpolation!r} and crop {self.crop!r}: allowed are "
                f"{', '.join(_RESAMPLING)} and {', '.join(_CROPS)}."
            )
        if self.size < 1 or (self.crop == "center" and self.resize < self.size):
            raise SettingError(f"size {self.size} and resize {self.resize}: 1 <= size <= resize is needed.")
        if not 2 <= self.channels <= bands.MOST:
            raise SettingError(f"channels is {self.channels}; it is 3 for grey and colour, else 2 to {bands.MOST}.")
        if {len(self.mean), len(self.std)} != {self.channels} or not all(s > 0 for s in self.std):
            raise SettingError(f"mean {self.mean} and std {self.std}: {self.channels} numbers each, std above 0.")
        allowed = (0, 1) if self.channels == 3 else (0, self.channels)
        if len(self.levels) not in allowed or not all(low < high for low, high in self.levels):
            raise SettingError(f"levels {self.levels}: {allowed[1]} pairs of a low and a higher value, or none.")

    @property
    def side(self) -> int:
        """See `headstart.modalities.types.Spec`."""
        return self.size

    @property
    def least(self) -> int:
        """Shorter side in pixels below which a picture is enlarged."""
        return self.resize if self.crop == "center" else self.size

    @property
    def plain(self) -> bool:
        """Whether pictures are read as 8 bits of grey or colour."""
        return self.channels == 3 and not self.levels

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; without channels and levels where `plain`, so that caches made before still serve."""
        values = {**asdict(self), "mean": list(self.mean), "std": list(self.std)}
        channels, levels = values.pop("channels"), values.pop("levels")
        beyond = {} if self.plain else {"channels": channels, "levels": [list(pair) for pair in levels]}
        return {**values, **beyond}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        levels = tuple((float(low), float(high)) for low, high in values.get("levels", ()))
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"]), "levels": levels})


def layers(value: Any, spec: ImageSpec, need: file.Need) -> list[pil.Image]:
    """``value`` as `plain` gives it, by the levels of ``spec``; of many bands each as one grey picture, in order.

    Raises:
        Unreadable: also where it has other channels than ``spec`` says.
    """
    if spec.plain:
        return [plain(value, need)]
    value = value if isinstance(value, np.ndarray | pil.Image) else _encoded(value)
    kind = bands.looked(value)
    transparent = isinstance(value, np.ndarray) and kind.channels == 4  # as `pixels.from_array` takes it
    if spec.channels == 3 and (kind.channels in (1, 3) or transparent):
        return [_deep(value, spec) if kind.deep else plain(value, need)]
    if kind.channels != spec.channels:
        raise Unreadable(wrong_channels(kind.channels, spec.channels))
    values = bands.raw(value)
    if kind.deep and not spec.levels:
        raise Unreadable(f"{kind.dtype} values, where 8 bits are expected")
    values = pixels.levelled(values, spec.levels) if kind.deep else pixels.bytes_of(values)
    return [pil.fromarray(np.ascontiguousarray(values[..., band])) for band in range(spec.channels)]


def _deep(value: Any, spec: ImageSpec) -> pil.Image:
    return pixels.from_array(pixels.levelled(bands.raw(value), spec.levels))


def wrong_channels(found: int, taken: int) -> str:
    """Why a picture of ``found`` channels is set aside where ``taken`` are taken."""
    return f"{found} channel{'s' * (found != 1)}, where {taken if taken != 3 else '1 or 3'} are expected"


def shown(value: Any, need: file.Need) -> pil.Image:
    """``value`` for the eye, in "L" or "RGB": of many bands the first three, and deep ones stretched each for itself.

    Raises:
        Unreadable: see `plain`.
    """
    value = value if isinstance(value, np.ndarray | pil.Image) else _encoded(value)
    kind = bands.looked(value)
    if not kind.deep and kind.channels in (1, 3):
        return plain(value, need)
    values = bands.raw(value)
    values = values if values.ndim == 2 else values[..., : 3 if kind.channels > 2 else 1]
    return pixels.from_array(pixels.levelled(values, levels_of([values], 3)) if kind.deep else values)


def plain(value: Any, need: file.Need) -> pil.Image:
    """``value`` as an upright picture of 8 bits in mode "L" or "RGB", not to be written to; or `Unreadable`.

    A JPEG may come smaller than it is, but with both sides at least ``need``.
    """
    picture = _loaded(value, need)
    with file.reading():
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


def content(value: Any) -> bytes:
    """A file's bytes; for PIL images and arrays their pixels and all that decides how these are read."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str} {value.shape} ".encode() + value.tobytes()
    if isinstance(value, pil.Image):
        file.check_size(value)
        with file.reading():
            return _header(value) + value.tobytes()
    return _encoded(value)


def decoded(value: Any, spec: ImageSpec) -> np.ndarray:
    """``value`` as uint8 [size, size, 3] RGB (or its bands), upright, resized and cropped as ``spec`` says.

    Safe to call from several threads, on different PIL images; most of the time the GIL is released.
    """
    parts = layers(value, spec, lambda width, height: spec.least)
    with file.reading():
        if spec.channels == 3:
            return np.array(fitted(parts[0], spec).convert("RGB"))
        return np.stack([np.asarray(fitted(part, spec)) for part in parts], axis=-1)


def _encoded(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str | os.PathLike):
        return file.read(value)
    raise Unreadable(f"not a picture but {type(value).__name__}; allowed are a path, bytes, a PIL image or an array")


def _header(picture: pil.Image) -> bytes:
    palette = picture.palette.tobytes() if picture.palette else b""
    transparency = picture.info.get("transparency")
    picture.load()  # before the orientation: a TIFF turns itself
    facts = (picture.mode, picture.size, pixels.orientation(picture), transparency, palette)
    return repr(facts).encode()


def _of_array_file(data: bytes) -> pil.Image:
    values = bands.array_file(data)
    channels = bands.looked(values).channels
    if channels not in (1, 3):
        raise Unreadable(wrong_channels(channels, 3))
    return pixels.from_array(values)


def _loaded(value: Any, need: file.Need) -> pil.Image:
    """The picture with its pixels in memory; a file's sides at least ``need`` pixels, where they were."""
    if isinstance(value, np.ndarray):
        return pixels.from_array(value)
    if not isinstance(value, pil.Image):
        data = _encoded(value)
        return _of_array_file(data) if bands.is_array_file(data) else file.load(data, need)
    file.check_size(value)
    with file.reading():
        value.load()  # never drafted: that would change the caller's picture
    return value
