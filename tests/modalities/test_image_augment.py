"""Random changes of pictures: repeatable, of the right form, within their limits, and as the labels allow."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.errors import SettingError
from headstart.modalities import get
from headstart.modalities.image import ImageSpec
from headstart.modalities.image import file as image_file
from headstart.modalities.image.augment import ImageAugmentation, augmented, image_default
from headstart.modalities.types import Unreadable

from .pictures import corners, encoded, photo

SPEC = ImageSpec(32, 36)
SQUASH = ImageSpec(64, 64, "bilinear", crop="squash")
NOTHING = ImageAugmentation((1.0, 1.0), flip=False, operations=0)
CROP = ImageAugmentation((0.3, 0.6), flip=False, operations=0)
ALL = ImageAugmentation(damage=True)


def slope(width: int, height: int) -> np.ndarray:
    """Red tells the place across, green the place down, each 0..255 from edge to edge."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 / (width - 1), y * 255 / (height - 1), 0 * x], -1).astype(np.uint8)


def kept(seed: int, width: int, height: int, spec: ImageSpec, how: ImageAugmentation = CROP) -> tuple[float, ...]:
    """Left, right, top, bottom of what a crop keeps, as shares of the picture."""
    pixels = augmented(slope(width, height), spec, how, seed).astype(float) / 255
    across, down = pixels[..., 0].mean(0), pixels[..., 1].mean(1)
    edge = [(a[-1] - a[0]) / (len(a) - 1) / 2 for a in (across, down)]  # half a pixel
    return across[0] - edge[0], across[-1] + edge[0], down[0] - edge[1], down[-1] + edge[1]


@pytest.mark.parametrize("how", [NOTHING, CROP, ALL, ImageAugmentation()])
@pytest.mark.parametrize("spec", [SPEC, SQUASH])
def test_same_seed_same_pixels(how: ImageAugmentation, spec: ImageSpec) -> None:
    picture = photo(90, 60)
    seen = [augmented(picture, spec, how, seed) for seed in range(8)]
    state = np.random.get_state()[1].copy()
    for seed, first in enumerate(seen):
        assert first.shape == (spec.size, spec.size, 3)
        assert first.dtype == np.uint8
        assert np.array_equal(first, augmented(picture, spec, how, seed))
    assert np.array_equal(state, np.random.get_state()[1])
    assert len({s.tobytes() for s in seen}) == (1 if how == NOTHING else 8)


@pytest.mark.parametrize("spec", [SPEC, SQUASH])
def test_no_augmentation_is_decoding(spec: ImageSpec) -> None:
    data = encoded(photo(200, 120), "JPEG")
    assert np.array_equal(augmented(data, spec, NOTHING, 3), get("image").decode(data, spec))


def test_every_kind_of_input(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    photo(70, 50).save(path)
    pictures = [str(path), path, path.read_bytes(), Image.open(path), np.asarray(photo(70, 50))]
    first, *others = [augmented(p, SPEC, ALL, 5) for p in pictures]
    assert all(np.array_equal(first, other) for other in others)
    for mode in ("L", "P", "RGBA", "CMYK", "1"):
        assert augmented(photo(70, 50).convert(mode), SPEC, ALL, 5).shape == (32, 32, 3)


def test_the_caller_keeps_the_picture() -> None:
    picture = photo(70, 50)
    before = picture.tobytes()
    for seed in range(10):
        augmented(picture, SPEC, ALL, seed)
    assert picture.tobytes() == before


@pytest.mark.parametrize("bad", [b"", b"text", None, encoded(photo(300, 200), "JPEG")[:2000]])
@pytest.mark.parametrize("how", [NOTHING, ALL])
def test_what_cannot_be_read_is_unreadable_as_in_decoding(bad: Any, how: ImageAugmentation) -> None:
    with pytest.raises(Unreadable) as decoding:
        get("image").decode(bad, SPEC)
    with pytest.raises(Unreadable) as augmenting:
        augmented(bad, SPEC, how, 0)
    assert str(augmenting.value) == str(decoding.value)


def test_decompression_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(Unreadable, match="too large"):
        augmented(encoded(photo(300, 200), "PNG"), SPEC, ALL, 0)


@pytest.mark.parametrize("turned", [3, 6, 8])
def test_pictures_stand_upright(turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    stored = corners(400, 300).transpose({3: Image.ROTATE_180, 6: Image.ROTATE_90, 8: Image.ROTATE_270}[turned])
    gentle = ImageAugmentation((0.9, 1.0), flip=False, operations=0)
    pixels = augmented(encoded(stored, "JPEG", exif=exif), SPEC, gentle, 1).astype(int)
    expected = augmented(corners(400, 300), SPEC, gentle, 1)
    assert np.abs(pixels - expected).mean() < 8


@pytest.mark.parametrize(("width", "height"), [(200, 200), (260, 200), (200, 300)])
def test_crops_keep_their_share_and_proportions(width: int, height: int) -> None:
    shares, ratios, middles = [], [], []
    for seed in range(60):
        left, right, top, bottom = kept(seed, width, height, SPEC)
        assert min(left, top) > -0.03
        assert max(right, bottom) < 1.03
        shares.append((right - left) * (bottom - top))
        ratios.append((right - left) * width / ((bottom - top) * height))
        middles.append((left + right) / 2)
    assert 0.27 < min(shares) < 0.36
    assert 0.54 < max(shares) < 0.64
    assert 0.7 < min(ratios) < 0.85
    assert 1.15 < max(ratios) < 1.4
    assert np.ptp(middles) > 0.2


def test_crops_of_squashed_pictures_go_by_the_square() -> None:
    """A picture of 4 to 1 is cropped to 3/4..4/3 of its own proportion, not of a square of pixels."""
    ratios, shares = [], []
    for seed in range(40):
        left, right, top, bottom = kept(seed, 400, 100, SQUASH)
        shares.append((right - left) * (bottom - top))
        ratios.append((right - left) / (bottom - top))
    assert 0.27 < min(shares) < max(shares) < 0.64
    assert 0.7 < min(ratios) < 0.85 < 1.15 < max(ratios) < 1.4


def test_middle_where_no_crop_fits() -> None:
    how = ImageAugmentation((0.9, 1.0), flip=False, operations=0)
    for seed in range(5):  # 4 to 1: no window of 4 to 3 has 90 % of the area
        left, right, top, bottom = kept(seed, 400, 100, SPEC, how)
        assert (left, right, top, bottom) == pytest.approx((1 / 3, 2 / 3, 0, 1), abs=0.03)


def test_crops_never_lead_outside() -> None:
    spec = ImageSpec(4, 4)
    for seed in range(300):
        width, height = np.random.default_rng(seed).integers(1, 40, 2)
        shape = (int(height), int(width), 3)
        assert augmented(np.zeros(shape, np.uint8), spec, ImageAugmentation((0.99, 1.0)), seed).shape == (4, 4, 3)


def test_large_jpegs_are_decoded_small_but_not_smaller_than_the_crop_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    load: Callable[..., Image.Image] = image_file.load

    def watched(*args: Any) -> Image.Image:
        picture = load(*args)
        sizes.append(picture.size)
        return picture

    monkeypatch.setattr(image_file, "load", watched)
    data = encoded(photo(1200, 900), "JPEG")
    for least, expected in ((0.9, (300, 225)), (0.1, (600, 450))):
        how = ImageAugmentation((least, least), flip=False, operations=0)
        augmented(data, ImageSpec(128, 128), how, 0)
        assert sizes[-1] == expected


def test_scaled_decode_changes_little() -> None:
    data = encoded(photo(1200, 900), "JPEG", quality=90)
    full = np.asarray(Image.open(io.BytesIO(data)))
    for seed in range(4):
        small, large = (augmented(value, ImageSpec(96, 96), CROP, seed).astype(int) for value in (data, full))
        assert np.abs(small - large).mean() < 4


def test_every_second_picture_is_flipped() -> None:
    plain = get("image").decode(corners(), SPEC)
    how = ImageAugmentation((1.0, 1.0), operations=0)
    flipped = [np.array_equal(augmented(corners(), SPEC, how, seed), plain[:, ::-1]) for seed in range(100)]
    same = [np.array_equal(augmented(corners(), SPEC, how, seed), plain) for seed in range(100)]
    assert 35 < sum(flipped) < 65
    assert sum(flipped) + sum(same) == 100


def test_every_second_picture_is_damaged() -> None:
    plain = get("image").decode(photo(64, 64), SPEC)
    how = ImageAugmentation((1.0, 1.0), flip=False, operations=0, damage=True)
    damaged = [not np.array_equal(augmented(photo(64, 64), SPEC, how, seed), plain) for seed in range(60)]
    assert 18 < sum(damaged) < 42


def test_threads_give_the_same_as_one() -> None:
    data = [encoded(photo(120 + i, 100), "JPEG") for i in range(12)]
    alone = [augmented(d, SPEC, ALL, i) for i, d in enumerate(data)]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda i: augmented(data[i], SPEC, ALL, i), range(12))
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"crop": (0.0, 1.0)},
        {"crop": (0.9, 0.5)},
        {"crop": (0.5, 1.1)},
        {"operations": -1},
        {"magnitude": 10.5},
        {"geometry": 2.0},
    ],
)
def test_settings_that_are_not_allowed(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        ImageAugmentation(**options)


def test_settings_are_plain_json() -> None:
    how = ImageAugmentation((0.2, 0.9), operations=1, geometry=0.5)
    assert ImageAugmentation.from_dict(json.loads(json.dumps(how.to_dict()))) == how


# --- Defaults -------------------------------------------------------------------------------------


def test_photos_get_everything() -> None:
    how, why = image_default(("ants", "bees"), 100, damage=False)
    assert how == ImageAugmentation()
    assert (
        why == "random crops of 50% to 100% of the area, left-right flips, 2 operations of RandAugment at magnitude 5"
    )


GLYPHS = [
    ("0", "1", "2"),
    ("b", "d", "p", "q"),
    ("seven", "eight"),
    ("-3.5", "cat"),
    ("capital A", "capital B"),
    ("digit_3", "digit_4"),
    ("text", "photo"),
    ("あ", "い"),
]
SIDED = [("left", "right"), ("turnLeft", "turnRight"), ("arrow_right", "arrow_up"), ("spin clockwise", "still")]
FREE = [("cat", "dog"), ("bright", "dull"), ("design", "upright"), ("boeing 747-400", "A320"), ("Blue Jay", "robin")]


@pytest.mark.parametrize("labels", GLYPHS)
def test_writing_is_neither_flipped_nor_turned(labels: tuple[str, ...]) -> None:
    how, why = image_default(labels, 100, damage=False)
    assert not how.flip
    assert how.crop == (0.8, 1.0)
    assert how.magnitude / 10 * how.geometry * 30 < 5  # degrees
    assert f"because {labels[0]!r} is a digit" in why
    assert "left-right flips" not in why


@pytest.mark.parametrize("labels", SIDED)
def test_sides_are_not_flipped(labels: tuple[str, ...]) -> None:
    how, why = image_default(labels, 100, damage=False)
    assert how == ImageAugmentation(flip=False)
    assert f"no flips, because {labels[0]!r}" in why


@pytest.mark.parametrize("labels", FREE)
def test_words_that_only_look_alike_are_flipped(labels: tuple[str, ...]) -> None:
    assert image_default(labels, 100, damage=False)[0] == ImageAugmentation()


def test_without_labels_nothing_is_flipped() -> None:
    how, why = image_default((), 100, damage=False)
    assert not how.flip
    assert "no flips" in why


def test_colours_stay_where_they_are_the_labels() -> None:
    how, why = image_default(("red", "dark green"), 100, damage=False)
    assert how.operations == 0
    assert "'red' and 'dark green' are colours" in why
    assert image_default(("apple", "orange"), 100, damage=False)[0].operations == 2


def test_few_examples_are_changed_gently() -> None:
    few, why = image_default(("ants", "bees"), 20, damage=True)
    many, _ = image_default(("ants", "bees"), 21, damage=True)
    assert (few.operations, few.magnitude) < (many.operations, many.magnitude)
    assert few.damage
    assert "only 20 examples a class" in why
    assert "every second picture" in why
