"""Every kind of picture file and array decodes right, upright and at the right place."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.errors import SettingError
from headstart.modalities import get
from headstart.modalities.image import ImageSpec
from headstart.modalities.types import Unreadable

from .pictures import corners, encoded, photo

SPEC = ImageSpec(32, 32)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def decode(value: Any, spec: ImageSpec = SPEC) -> np.ndarray:
    pixels = get("image").decode(value, spec)
    assert pixels.shape == (spec.size, spec.size, 3)
    assert pixels.dtype == np.uint8
    return pixels


def near(pixels: np.ndarray, colours: list[Any], within: int = 12) -> None:
    """The middles of the four quarters have these colours, row by row."""
    quarter = len(pixels) // 4
    seen = pixels[quarter :: 2 * quarter, quarter :: 2 * quarter].reshape(4, 3).astype(int)
    assert np.abs(seen - np.array(colours)).max() <= within, seen


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM", "GIF", "JPEG2000", "MPO"])
def test_kinds_of_file(kind: str, tmp_path: Path) -> None:
    options = {"append_images": [photo(64, 64)], "save_all": True} if kind in ("GIF", "MPO", "WEBP") else {}
    path = tmp_path / "picture.dat"
    path.write_bytes(encoded(corners(), kind, **options))
    for value in (str(path), path, path.read_bytes(), Image.open(path)):
        near(decode(value), [RED, GREEN, BLUE, WHITE], within=30)
    assert get("image").content_key(path) == get("image").content_key(path.read_bytes())


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "RGBA", "YCbCr", "HSV"])
def test_modes_of_a_picture(mode: str) -> None:
    near(decode(corners().convert(mode)), [RED, GREEN, BLUE, WHITE])


def test_cmyk_jpeg() -> None:
    near(decode(encoded(corners().convert("CMYK"), "JPEG", quality=95)), [RED, GREEN, BLUE, WHITE], within=20)


def test_one_bit() -> None:
    bits = Image.fromarray(np.kron([[0, 1], [1, 0]], np.ones((32, 32))).astype(bool))
    assert bits.mode == "1"
    near(decode(encoded(bits, "PNG")), [(0,) * 3, WHITE, WHITE, (0,) * 3])


GREYS = np.kron([[0, 100], [200, 255]], np.ones((32, 32)))


def grey(*values: int) -> list[tuple[int, int, int]]:
    return [(v, v, v) for v in values]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_by_its_depth(kind: str) -> None:
    deep = Image.fromarray((GREYS * 257).astype(np.uint16))
    near(decode(encoded(deep, kind)), grey(0, 100, 200, 255), within=1)
    dark = Image.fromarray(GREYS.astype(np.uint16))  # 255 of 65,535 is nearly black: not stretched
    assert decode(encoded(dark, kind)).max() <= 1


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bit_tiff_is_stretched(dtype: type) -> None:
    deep = Image.fromarray((GREYS * 1000 - 5000).astype(dtype))
    near(decode(encoded(deep, "TIFF")), grey(0, 100, 200, 255), within=1)


def test_what_is_not_finite_is_dark_and_what_is_constant_is_no_error() -> None:
    values = (GREYS + 10).astype(np.float32)
    values[:32, :32] = np.nan
    near(decode(encoded(Image.fromarray(values), "TIFF")), grey(0, 0, 164, 255), within=1)
    assert not decode(Image.fromarray(np.full((40, 40), 5, np.int32))).any()
    with pytest.raises(Unreadable, match="finite"):
        decode(Image.fromarray(np.full((40, 40), np.inf, np.float32)))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_transparency_becomes_white(mode: str) -> None:
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 32))
    picture.paste((0, 0, 0, 128), (32, 0, 64, 32))
    near(decode(picture.convert(mode)), grey(255, 127, 0, 0), within=3)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry_becomes_white(kind: str) -> None:
    flat = Image.fromarray(np.kron([[0, 1], [1, 0]], np.ones((32, 32))).astype(np.uint8), mode=None)
    picture = flat.convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0])
    near(decode(encoded(picture, kind, transparency=0)), [WHITE, RED, RED, WHITE])
    near(decode(encoded(picture, kind)), [(0,) * 3, RED, RED, (0,) * 3])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_exif_rotation(kind: str, turned: int, expected: list[Any]) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    data = encoded(corners(300, 300), kind, exif=exif)  # large enough for a scaled JPEG decode
    near(decode(data), expected, within=30)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_refuse() -> None:
    data = encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")
    near(decode(data), [RED, GREEN, BLUE, WHITE], within=30)


@pytest.mark.parametrize(
    "values",
    [
        GREYS.astype(np.uint8),
        GREYS.astype(np.uint8)[..., None],
        np.repeat(GREYS[..., None], 3, axis=2).astype(np.float32),
        GREYS / 255,
        (GREYS * 257).astype(np.uint16),
        GREYS.astype(np.int64),
        np.dstack([GREYS.astype(np.uint8)] * 3 + [np.full((64, 64), 255, np.uint8)]),
    ],
    ids=["u8", "u8-1", "f32-3", "f64-unit", "u16", "i64", "rgba"],
)
def test_arrays(values: np.ndarray) -> None:
    near(decode(values), grey(0, 100, 200, 255), within=1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((3, 64, 64), np.uint8), r"shape \[3, 64, 64\]"),
        (np.zeros(5, np.uint8), r"shape \[5\]"),
        (np.zeros((0, 4), np.uint8), r"shape \[0, 4\]"),
        (np.full((4, 4), 300.0), "from 300 to 300"),
        (np.full((4, 4), -1), "from -1"),
        (np.full((4, 4), np.nan), "nan"),
        (np.full((4, 4), "x"), "dtype <U1"),
    ],
)
def test_arrays_that_are_no_pictures(values: np.ndarray, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        decode(values)


def test_array_key_knows_shape_and_dtype() -> None:
    keys = [
        get("image").content_key(a)
        for a in (
            np.zeros((4, 8), np.uint8),
            np.zeros((8, 4), np.uint8),
            np.zeros((4, 4), np.uint16),
            np.zeros((4, 8), bool),
        )
    ]
    assert len(set(keys)) == 4


def test_picture_key_knows_all_that_decides_how_it_looks() -> None:
    flat = Image.new("P", (8, 8))
    flat.putpalette([0, 0, 0])
    other = Image.new("P", (8, 8))
    other.putpalette([9, 0, 0])
    assert get("image").content_key(flat) != get("image").content_key(other)
    other = flat.copy()
    other.info["transparency"] = 0
    assert get("image").content_key(flat) != get("image").content_key(other)


@pytest.mark.parametrize("shape", [(700, 900), (901, 640), (60, 41), (100, 3000)])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_same_as_resizing_the_whole_then_cropping(shape: tuple[int, int], interpolation: str) -> None:
    picture = photo(*shape)
    short = min(shape)
    wide, high = 256 * shape[0] // short, 256 * shape[1] // short
    whole = np.asarray(picture.resize((wide, high), getattr(Image.Resampling, interpolation.upper())))
    left, top = round((wide - 224) / 2), round((high - 224) / 2)
    expected = whole[top : top + 224, left : left + 224].astype(int)
    assert np.abs(decode(picture, ImageSpec(224, 256, interpolation)) - expected).mean() < 0.5


@pytest.mark.parametrize("side", [600, 1100, 2300])
def test_scaled_jpeg_decode_is_close_to_the_full_one(side: int) -> None:
    data = encoded(photo(side * 4 // 3, side), "JPEG", quality=90)
    full = decode(np.asarray(Image.open(io.BytesIO(data))), ImageSpec(224, 256)).astype(int)
    assert np.abs(decode(data, ImageSpec(224, 256)) - full).mean() < 3


def test_large_jpeg_is_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart.modalities.image import file as image_file

    data = encoded(photo(1200, 1000), "JPEG")
    assert image_file.load(data, lambda *sides: 240).size == (300, 250)  # 1/4: 250 >= 240
    assert image_file.load(data, lambda *sides: 256).size == (600, 500)
    mine = Image.open(io.BytesIO(data))
    decode(mine)
    assert mine.size == (1200, 1000)  # the caller's picture stays as it was


def test_squash_keeps_the_whole_picture() -> None:
    wide = corners(400, 100)
    near(decode(wide, ImageSpec(32, 32, crop="squash")), [RED, GREEN, BLUE, WHITE])
    cropped = decode(photo(400, 100), ImageSpec(32, 32))
    squashed = decode(photo(400, 100), ImageSpec(32, 32, crop="squash"))
    assert np.abs(cropped.astype(int) - squashed).mean() > 5


def test_threads_give_the_same_as_one() -> None:
    data = [encoded(photo(300 + i, 300), "JPEG") for i in range(12)]
    alone = [decode(d) for d in data]
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(a, b) for a, b in zip(alone, pool.map(decode, data), strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"interpolation": "nearest"},
        {"crop": "left"},
        {"size": 0},
        {"size": 33},
        {"mean": (0.5,)},
        {"std": (0.0, 1.0, 1.0)},
    ],
)
def test_settings_that_are_not_allowed(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        ImageSpec(**{"size": 32, "resize": 32, **options})


def test_spec_is_plain_json() -> None:
    assert ImageSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
