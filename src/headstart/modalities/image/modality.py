"""What makes pictures a modality."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image as pil

from headstart.modalities.feed import Feed, Rows
from headstart.modalities.image import decode
from headstart.modalities.image.augment import ImageAugmentation, augmented, image_default
from headstart.modalities.image.classical import CLASSICAL_VERSION, CLASSICAL_WIDTH, SHAPES, classical, contrast
from headstart.modalities.image.damage import image_damage
from headstart.modalities.image.decode import ImageSpec
from headstart.modalities.image.looks import headers, properties, thumbnail
from headstart.modalities.modality import Modality
from headstart.modalities.stream import Ahead, Pieces, asked, decoded_pieces, window
from headstart.modalities.types import Classical, Reads, Reject, Shown, Unreadable

_FLAT = 0.02  # contrast, 0..1, under which a picture shows nothing
_ENDINGS = ".jpg .jpeg .jpe .jfif .png .gif .bmp .webp .tif .tiff .ppm .pgm .pbm .pnm .avif .npy .npz"


class Image(Modality):
    """Pictures: paths, encoded bytes, PIL images and arrays [h, w(, c)]."""

    name = "image"
    noun, plural, example = "image", "images", "new.jpg"
    files = frozenset(_ENDINGS.split())
    readers = ("pillow",)
    libraries = ("torch", "timm", "headstart.training.run")
    baseline = "pixels + linear"
    classical = Classical(CLASSICAL_WIDTH, CLASSICAL_VERSION, SHAPES)
    mixup = True
    input_unit = "pixels"
    units: ClassVar = {"size": ("megapixels", 2), "aspect": ("width / height", 2), "brightness": ("of white", 2)}

    def takes(self, value: Any) -> bool:
        """Paths that end as pictures' do, PIL images, arrays and encoded pictures."""
        if isinstance(value, str | os.PathLike):
            return self.named(value)
        return isinstance(value, pil.Image | np.ndarray | bytes | bytearray | memoryview)

    def content(self, value: Any) -> bytes:
        """See `headstart.modalities.image.decode.content`."""
        return decode.content(value)

    def decode(self, value: Any, spec: ImageSpec) -> np.ndarray:
        """See `headstart.modalities.image.decode.decoded`."""
        return decode.decoded(value, spec)

    def spec(self, values: dict[str, Any]) -> ImageSpec:
        """See `Modality.spec`."""
        return ImageSpec.from_dict(values)

    def stream(
        self,
        inputs: Sequence[Any] | np.ndarray,
        base: Reads,
        for_base: np.ndarray,
        for_classical: np.ndarray,
        reject: Reject,
        reader: Any = None,
    ) -> Pieces:
        """See `Modality.stream`."""
        return image_pieces(inputs, base.spec, for_base, for_classical, reject)

    def feed(self, base: Reads, rows: Rows, augmentation: ImageAugmentation | None, seed: int) -> Feed:
        """See `Modality.feed`."""
        return _ImageFeed(base, rows, augmentation, seed)

    def probe(self, spec: ImageSpec) -> tuple[np.ndarray, ...]:
        """Noise."""
        shape = (3, spec.size, spec.size, spec.channels)
        return (np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8),)

    def work(self, size: int) -> float:
        """Pixels."""
        return float(size**2)

    def augmentation(
        self, asked: str, labels: tuple[str, ...], per_class: int, spec: ImageSpec
    ) -> tuple[ImageAugmentation, str]:
        """See `image_default`."""
        return image_default(labels, per_class, asked == "corruption", spec.channels)

    def damage(self, spec: ImageSpec) -> Any:
        """See `Modality.damage`; only of grey and colour."""
        if spec.channels != 3:
            return f"images of {spec.channels} channels cannot be corrupted; those of grey or colour can"
        return image_damage(spec)

    def show(self, value: Any) -> Shown:
        """A JPEG of 96 x 96 pixels."""
        return Shown(picture=thumbnail(value))

    def properties(self, inputs: Sequence[Any]) -> dict[str, np.ndarray]:
        """Size, aspect and brightness."""
        return properties(inputs)

    def headers(self, inputs: Sequence[Any] | np.ndarray) -> dict[str, np.ndarray]:
        """Size and type of the file, dimensions of the picture."""
        return headers(inputs)

    def blank(self, inputs: Sequence[Any] | np.ndarray, classical: np.ndarray | None) -> tuple[list[int], str]:
        """Pictures of one colour."""
        return [] if classical is None else np.flatnonzero(contrast(classical) < _FLAT).tolist(), "of one colour"


def image_pieces(
    inputs: Sequence[Any] | np.ndarray,
    spec: ImageSpec,
    for_base: np.ndarray,
    for_classical: np.ndarray,
    reject: Reject,
) -> Pieces:
    """Pictures decoded once each, for the base, the baseline's classical features, or both.

    Args:
        inputs: paths, bytes, PIL images or arrays.
        spec: the base's preprocessing.
        for_base, for_classical: [n] bool, which rows are wanted for what.
        reject: told the row and reason of an unreadable input.
    """

    def read(row: int) -> tuple[np.ndarray, np.ndarray | None] | Unreadable:
        try:
            pixels = decode.decoded(inputs[row], spec)
        except Unreadable as error:
            return error
        return pixels, classical(pixels) if for_classical[row] else None

    return decoded_pieces(asked(for_base, for_classical), read, window(spec.size**2 * spec.channels), reject)


class _ImageFeed(Feed):
    """Pictures, decoded on threads ahead of the compute."""

    def stream(self, batches: list[np.ndarray], view: int | None) -> Iterator[tuple[np.ndarray, ...]]:
        """Pixels [batch, size, size, channels] uint8."""
        spec, how = self.base.spec, self.augmentation

        def pixels(row: int) -> np.ndarray:
            value = self.rows.inputs[row]
            if view is None or how is None:
                return decode.decoded(value, spec)
            return augmented(value, spec, how, self.view_seed(row, view))

        ahead = Ahead(pixels, [int(row) for rows in batches for row in rows], window(spec.size**2 * spec.channels))
        try:
            for rows in batches:
                yield (np.stack([next(ahead)[1] for _ in rows]),)
        finally:
            ahead.close()
