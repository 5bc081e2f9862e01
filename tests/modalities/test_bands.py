from __future__ import annotations

import io
import pickle
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image as pil

from headstart.errors import SettingError
from headstart.modalities.image import ImageSpec, shown
from headstart.modalities.image.augment import ImageAugmentation, augmented, image_default
from headstart.modalities.image.bands import Kind, looked, raw
from headstart.modalities.image.classical import CLASSICAL_WIDTH, classical
from headstart.modalities.image.modality import Image
from headstart.modalities.types import Unreadable
from tests.modalities.arrays import bands, npy, npz, tiff
from tests.modalities.pictures import encoded, photo

CONTIG: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "contig"}
PLAIN = ImageSpec(size=32, resize=36)


def spec(channels: int, top: float = 4000) -> ImageSpec:
    levels = ((0.0, top),) * (1 if channels == 3 else channels)
    return replace(PLAIN, channels=channels, levels=levels, mean=(0.5,) * channels, std=(0.25,) * channels)


@pytest.mark.parametrize("channels", [2, 4, 5, 8, 13])
def test_every_kind_of_file_and_the_array_give_the_same_bands(channels: int) -> None:
    values = bands(channels)
    first = np.moveaxis(values, -1, 0).copy()
    files = [npy(values), npz(picture=values), tiff(values, **CONTIG), tiff(values, compression="zlib", **CONTIG)]
    files += [tiff(first, photometric="minisblack", planarconfig="separate"), tiff(first, photometric="minisblack")]
    files += [tiff(first, ome=True, metadata={"axes": "CYX"}), tiff(first, imagej=True, metadata={"axes": "CYX"})]
    expected = Image().decode(values, spec(channels))
    assert expected.shape == (32, 32, channels)
    assert expected.dtype == np.uint8
    for data in files:
        assert looked(data) == Kind(channels, "uint16", True)
        np.testing.assert_array_equal(Image().decode(data, spec(channels)), expected)


def test_a_band_is_read_as_a_grey_picture_of_its_own() -> None:
    values = bands(5)
    together = Image().decode(values, spec(5))
    for band in range(5):
        alone = Image().decode(np.ascontiguousarray(values[..., band]), spec(3))
        np.testing.assert_array_equal(together[..., band], alone[..., 0])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encoded(photo(20, 20), "JPEG"), Kind(3)),
        (encoded(photo(20, 20), "PNG"), Kind(3)),
        (encoded(photo(20, 20).convert("L"), "PNG"), Kind(1)),
        (encoded(photo(20, 20).convert("RGBA"), "PNG"), Kind(3)),
        (encoded(photo(20, 20), "TIFF"), Kind(3)),
        (encoded(photo(20, 20).convert("P"), "TIFF"), Kind(3)),
        (encoded(photo(20, 20).convert("CMYK"), "TIFF"), Kind(3)),
        (encoded(pil.fromarray(np.zeros((9, 9), np.uint16)), "PNG"), Kind(1, "uint16", True)),
        (encoded(pil.fromarray(np.zeros((9, 9), np.float32)), "TIFF"), Kind(1, "float32", True)),
        (encoded(pil.fromarray(np.zeros((9, 9), np.int32)), "PPM"), Kind(1, "int32", True)),
        (tiff(np.zeros((9, 9, 3), np.uint16), photometric="rgb"), Kind(3, "uint16", True)),
        (tiff(np.zeros((9, 9, 4), np.uint8), photometric="rgb"), Kind(3)),  # tifffile takes the fourth for alpha
        (tiff(np.zeros((9, 9, 4), np.uint8), photometric="rgb", extrasamples=["unspecified"]), Kind(4)),
        (tiff(np.zeros((9, 9, 2), np.uint8), **CONTIG), Kind(2)),
        (tiff(np.zeros((5, 9, 9), np.uint16), imagej=True, metadata={"axes": "ZYX"}), Kind(1, "uint16", True)),
        (npy(np.zeros((9, 9, 4), np.uint8)), Kind(4)),
        (npy(np.zeros((9, 9))), Kind(1, "float64", True)),
    ],
)
def test_the_kind_of_a_picture_is_told_from_its_header(data: bytes, kind: Kind) -> None:
    assert looked(data) == kind


def test_a_tiff_lying_on_its_side_is_turned_upright() -> None:
    values = bands(5, side=(30, 50))
    for turn in range(1, 9):
        stored = pil.fromarray(np.ascontiguousarray(values[..., 0]).astype(np.uint8))
        exif = pil.Exif()
        exif[0x0112] = turn
        with pil.open(io.BytesIO(encoded(stored, "TIFF", exif=exif))) as picture:
            picture.load()
            expected = np.asarray(picture)
        data = tiff(values.astype(np.uint8), extratags=[(274, "H", 1, turn, True)], **CONTIG)
        np.testing.assert_array_equal(raw(data)[..., 0], expected)


@pytest.mark.parametrize(
    ("value", "taken", "reason"),
    [
        (bands(5), 13, "5 channels, where 13 are expected"),
        (npy(bands(5)), 3, "5 channels, where 1 or 3 are expected"),
        (encoded(photo(20, 20), "JPEG"), 13, "3 channels, where 13 are expected"),
        (npy(np.moveaxis(bands(5), -1, 0)), 5, "channels last"),
        (npy(np.zeros((2, 9, 9, 3))), 3, r"shape \[2, 9, 9, 3\]"),
        (npy(np.array(["a"] * 9).reshape(3, 3)), 3, "dtype <U1"),
        (npy(bands(5))[:200], 5, "truncated"),
        (npz(a=bands(5), b=bands(5)), 5, "2 arrays in one .npz file"),
        (b"PK\x03\x04 no archive", 5, "damaged"),
        (tiff(bands(5), **CONTIG)[:400], 5, "truncated|damaged"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(value: Any, taken: int, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        Image().decode(value, spec(taken))


def test_without_levels_a_file_of_other_channels_is_refused_too() -> None:
    with pytest.raises(Unreadable, match="5 channels, where 1 or 3 are expected"):
        Image().decode(npy(bands(5)), PLAIN)
    eight = replace(spec(5), levels=())
    with pytest.raises(Unreadable, match="uint16 values, where 8 bits are expected"):
        Image().decode(bands(5), eight)
    assert Image().decode((bands(5) / 16).astype(np.uint8), eight).shape == (32, 32, 5)


def test_no_object_is_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return print, ("opened",)

    buffer = io.BytesIO()
    np.save(buffer, np.array([Trap()], dtype=object), allow_pickle=True)
    assert pickle.dumps(Trap()) in buffer.getvalue() or b"print" in buffer.getvalue()
    with pytest.raises(Unreadable, match="array of objects"):
        looked(buffer.getvalue())


def test_a_header_that_promises_a_huge_array_is_not_believed() -> None:
    header = npy(np.zeros((9, 9), np.uint8)).replace(b"(9, 9)", b"(99999, 99999)".ljust(6))
    with pytest.raises(Unreadable):
        looked(header[:128])


def test_a_16_bit_colour_png_says_that_the_upper_bits_are_read() -> None:
    rows = b"".join(b"\0" + bytes(5 * 6) for _ in range(4))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 4, 16, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert looked(data) == Kind(3, "uint16, of which the upper 8 bits")


def test_a_plain_spec_is_kept_as_before_and_others_come_back() -> None:
    assert set(PLAIN.to_dict()) == {"size", "resize", "interpolation", "mean", "std", "crop"}
    assert ImageSpec.from_dict(spec(5).to_dict()) == spec(5)
    assert ImageSpec.from_dict(PLAIN.to_dict()) == PLAIN


@pytest.mark.parametrize("wrong", [{"channels": 1}, {"channels": 65}, {"channels": 4}, {"levels": ((1.0, 1.0),)}])
def test_a_spec_that_fits_no_picture_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        replace(PLAIN, **wrong)


def test_augmentation_moves_all_bands_alike_and_keeps_their_values() -> None:
    values = np.repeat(bands(1), 5, axis=2)
    seen = [augmented(values, spec(5), ImageAugmentation(damage=True), seed) for seed in range(6)]
    for pixels in seen:
        assert pixels.shape == (32, 32, 5)
        np.testing.assert_array_equal(pixels, np.repeat(pixels[..., :1], 5, axis=2))
    assert len({pixels.tobytes() for pixels in seen}) == 6
    flat = np.full((40, 40, 5), 2000, np.uint16)
    assert set(np.unique(augmented(flat, spec(5), ImageAugmentation(operations=4, magnitude=10), 0))) == {128}


def test_the_default_augmentation_of_bands_is_said_to_leave_values_alone() -> None:
    how, words = image_default(("crop", "forest"), 100, True, channels=13)
    assert not how.damage
    assert "values left alone and no corruption, because the 13 channels are not colours" in words


def test_classical_features_of_bands_differ_by_their_thirds() -> None:
    pixels = Image().decode(bands(6), spec(6))
    features = classical(pixels)
    assert features.shape == (CLASSICAL_WIDTH,)
    assert not np.array_equal(features, classical(pixels[..., ::-1]))
    means = pixels.reshape(32, 32, 3, 2).mean(axis=3)
    np.testing.assert_allclose(features, classical(np.rint(means).astype(np.uint8)), atol=1e-6)
    assert classical(Image().decode(bands(2), spec(2))).shape == (CLASSICAL_WIDTH,)


def test_a_picture_of_bands_can_be_shown() -> None:
    assert shown(npy(bands(13)), min).mode == "RGB"
    grey = np.asarray(shown(npy(bands(1, top=900)[..., 0]), min))
    assert grey.max() == 255
