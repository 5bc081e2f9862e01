"""Changed copies of a picture are near duplicates of it; other pictures of the same kind are not."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from headstart.audit import near_images
from headstart.audit.overlay import agreement
from headstart.audit.thumbnails import Thumbnails


def picture(seed: int) -> Image.Image:
    """A photo-like picture [180, 240]: shapes of every size."""
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(0, 60 / np.sqrt(n), (n, n, 3)), n) for n in (3, 6, 12, 24)]
    total = np.full((180, 240, 3), 128.0)
    for values, _ in layers:
        small = Image.fromarray((values * 0.8 + 128).clip(0, 255).astype(np.uint8))
        total += np.asarray(small.resize((240, 180), Image.Resampling.BICUBIC), float) - 128
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


COPIES = {
    "resized": lambda image: image.resize((130, 97)),
    "re-compressed": lambda image: jpeg(image, 25),
    "cropped": lambda image: image.crop((3, 9, 231, 180)),
    "trimmed": lambda image: image.crop((12, 9, 228, 171)),
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "grey": lambda image: image.convert("L"),
}


def verified(inputs: list, first: list[int], second: list[int], until: float | None = None) -> tuple:
    vectors = np.random.default_rng(0).normal(size=(len(inputs), 8)).astype(np.float32)
    return near_images.verified(Thumbnails(inputs), vectors, np.array(first), np.array(second), until)


@pytest.mark.parametrize("kind", COPIES)
def test_changed_copies_are_found(kind: str) -> None:
    inputs = [picture(seed) for seed in range(8)]
    inputs.append(COPIES[kind](inputs[0]))
    similarity, _, seen = verified(inputs, [0, 1, 2], [8, 8, 3])
    assert seen == 3
    assert similarity[0] >= near_images.LEAST
    assert similarity[1:].tolist() == [0, 0]


def test_pictures_all_alike_must_agree_in_more() -> None:
    """The same ring at slightly other places: near by every measure, but no copies."""
    y, x = np.mgrid[:64, :64]
    rng = np.random.default_rng(0)
    rings = [np.hypot(x - 32 - dx, y - 32 - dy) for dx, dy in rng.uniform(-2, 2, (60, 2))]
    inputs = [((abs(ring - 20) < 4) * 255.0).astype(np.uint8) for ring in rings]
    first, second = np.triu_indices(60, 1)
    similarity, _, _ = verified(inputs, first.tolist(), second.tolist())
    assert (similarity > 0).mean() < 0.05
    assert agreement(inputs[0], inputs[0]) > 0.99


def test_a_picture_of_one_grey_and_an_unreadable_one_are_like_nothing() -> None:
    grey = np.full((64, 64), 100, np.uint8)
    similarity, _, _ = verified([grey, grey + 20, b"no picture", picture(0)], [0, 2, 0], [1, 3, 3])
    assert similarity.tolist() == [0, 0, 0]


def test_only_pictures_of_the_pairs_are_decoded() -> None:
    opened = []

    class Inputs(list):
        def __getitem__(self, row):
            opened.append(row)
            return super().__getitem__(row)

    verified(Inputs([picture(seed) for seed in range(5)]), [0], [3])
    assert sorted(opened) == [0, 3]


def test_the_clock_stops_verifying() -> None:
    similarity, _, seen = verified([picture(0), picture(0)], [0], [1], until=0.0)
    assert (similarity.tolist(), seen) == ([0], 0)
