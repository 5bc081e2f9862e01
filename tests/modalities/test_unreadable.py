"""Files that are no pictures are refused with a reason, with no warning and no change to PIL's settings."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

from headstart.modalities import get
from headstart.modalities.image import ImageSpec
from headstart.modalities.types import Unreadable

from .pictures import encoded, photo

SPEC = ImageSpec(32, 32)


def reason(value: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Unreadable) as caught:
            get("image").decode(value, SPEC)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone.png") == "no such file"
    assert reason(tmp_path) == "a folder, not a file"
    assert "null" in reason("a\0b.png")
    with pytest.raises(Unreadable, match="no such file"):
        get("image").content_key(tmp_path / "gone.png")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.write_bytes(b"")
    assert reason(path) == "empty file (0 bytes)"


def test_text_in_a_jpg(tmp_path: Path) -> None:
    path = tmp_path / "page.jpg"
    path.write_text("<html>404 not found</html>")
    assert reason(path).startswith("not an image: the file is text that starts with '<html>404")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes(range(128, 256)) * 4, "no known picture format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "EPS"),
    ],
)
def test_bytes_that_are_no_picture(data: bytes, words: str) -> None:
    assert reason(data).startswith("not an image: ")
    assert words in reason(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_cut_off_file(kind: str, share: float) -> None:
    data = encoded(photo(300, 200), kind)
    assert reason(data[: int(len(data) * share)]).startswith(("truncated", "damaged"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_file_cut_in_the_middle_is_called_truncated(kind: str) -> None:
    data = encoded(photo(300, 200), kind)
    assert reason(data[: len(data) // 2]).startswith("truncated: ")


def test_cut_off_picture_opened_by_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(photo(300, 200), "JPEG")[:2000])
    assert reason(Image.open(path)).startswith("truncated: ")
    with pytest.raises(Unreadable, match="truncated"):
        get("image").content_key(Image.open(path))


@pytest.mark.parametrize("limit", [40_000, 10_000])  # above the limit PIL warns, above twice the limit it raises
def test_decompression_bomb(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo(300, 200)
    data = encoded(picture, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    for value in (data, picture):
        assert reason(value).startswith(f"too large: 300 x 200 is 60,000 pixels, the limit is {limit:,}")


def test_nothing_global_is_changed() -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    get("image").decode(photo(64, 64), SPEC)
    for data in (b"", b"text", encoded(photo(300, 200), "JPEG")[:2000]):
        with pytest.raises(Unreadable):
            get("image").decode(data, SPEC)
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
