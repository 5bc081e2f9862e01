from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as pil

from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.data.source import open_source
from headstart.data.table import Table, objects
from headstart.errors import SourceError
from headstart.modalities.image import ImageSpec
from headstart.modalities.image.modality import Image
from headstart.training.features import extract
from headstart.training.reading import read_as
from tests.bases.checkpoints import timm_folder
from tests.modalities.arrays import bands, npy, tiff
from tests.modalities.pictures import encoded, photo


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Base]:
    folder = timm_folder(tmp_path_factory.mktemp("bases") / "resnet")
    return lambda: open_base(str(folder), "image")


def table(inputs: list[Any], split: list[str] | None = None) -> Table:
    ids = np.array([f"p{i}" for i in range(len(inputs))])
    return Table(ids, objects(inputs), None, np.array(split or [""] * len(inputs)), "image")


def spec_of(base: Base) -> ImageSpec:
    assert isinstance(base.spec, ImageSpec)
    return base.spec


def said(base: Base) -> str:
    return " | ".join(f"{fact.what}: {fact.value} ({fact.reason})" for fact in base.facts)


def test_eight_bits_of_grey_and_colour_leave_the_base_as_it_is(base: Callable[[], Base]) -> None:
    given = base()
    colour = photo(30, 30)
    plain = [encoded(colour, "JPEG"), encoded(colour.convert("L"), "PNG"), encoded(colour.convert("RGBA"), "PNG")]
    plain += [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), colour]  # type: ignore[list-item]
    assert read_as(given, table(plain)) is given
    assert not given.facts
    assert read_as(given, table([])) is given
    assert read_as(given, table(["no such file.png"])) is given


def test_the_channels_that_most_have_are_taken_and_the_others_set_aside(base: Callable[[], Base]) -> None:
    inputs = [npy(bands(5, seed)) for seed in range(6)] + [npy(bands(4)), encoded(photo(30, 30), "JPEG")]
    fitted = read_as(base(), table(inputs))
    assert spec_of(fitted).channels == 5
    assert len(spec_of(fitted).levels) == 5
    assert "channels: 5 (6 of 8 pictures looked at have; the base's first layer is adapted" in said(fitted)
    assert "values: uint16, of each channel its own range" in said(fitted)
    features = extract(fitted, inputs, classical=True)
    assert features.rejected == {6: "4 channels, where 5 are expected", 7: "3 channels, where 5 are expected"}
    assert np.isfinite(features.vectors).all()
    assert len(np.unique(features.vectors[:6], axis=0)) == 6


def test_deep_grey_keeps_its_brightness_over_the_data_set(base: Callable[[], Base]) -> None:
    inputs = [npy(bands(1, seed, top)[..., 0]) for seed, top in enumerate([500, 1000, 2000, 4000])]
    fitted = read_as(base(), table(inputs))
    spec = spec_of(fitted)
    assert spec.channels == 3
    assert len(spec.levels) == 1
    assert spec.levels[0][1] < 4000
    assert "values: uint16, " in said(fitted)
    assert "the same for every picture, from 4 pictures" in said(fitted)


def test_the_given_test_part_is_not_looked_at(base: Callable[[], Base]) -> None:
    inputs = [npy(bands(1, 0, 1000)[..., 0])] * 3 + [npy(bands(1, 0, 60000)[..., 0])] * 3
    fitted = read_as(base(), table(inputs, ["train"] * 3 + ["test"] * 3))
    assert spec_of(fitted).levels[0][1] < 1100


def test_eight_bits_among_deep_ones_are_taken_as_they_are(base: Callable[[], Base]) -> None:
    deep = encoded(pil.fromarray(bands(1)[..., 0]), "PNG")
    fitted = read_as(base(), table([deep, deep, encoded(photo(30, 30), "JPEG")]))
    assert "the 1 of 8 bits stay as they are" in said(fitted)
    features = extract(fitted, [encoded(photo(30, 30), "JPEG")])
    np.testing.assert_allclose(features.vectors, extract(base(), [encoded(photo(30, 30), "JPEG")]).vectors, atol=1e-4)


def test_bands_of_eight_bits_among_deep_ones_are_taken_as_they_are(base: Callable[[], Base]) -> None:
    shallow = (bands(5) / 16).astype(np.uint8)
    fitted = read_as(base(), table([npy(bands(5)), npy(bands(5, 1)), npy(shallow)]))
    assert "the 1 of 8 bits stay as they are" in said(fitted)
    found = Image().decode(npy(shallow), spec_of(fitted))
    assert abs(found.mean() - shallow.mean()) < 8  # by the levels of the deep ones it would be next to black


def test_four_bands_with_a_meaning_are_no_transparency(base: Callable[[], Base]) -> None:
    four = (bands(4) / 16).astype(np.uint8)
    meant = tiff(four, photometric="rgb", extrasamples=["unspecified"])
    assert spec_of(read_as(base(), table([meant]))).channels == 4
    assert spec_of(read_as(base(), table([npy(four)]))).levels == ()
    assert spec_of(read_as(base(), table([encoded(photo(9, 9).convert("RGBA"), "TIFF")]))).channels == 3


def test_too_many_channels_are_refused_in_one_line(base: Callable[[], Base]) -> None:
    many = npy(np.zeros((300, 300, 200), np.uint8))
    with pytest.raises(SourceError, match="p0: 200 channels, where at most 64 can be taken; choose the bands"):
        read_as(base(), table([many, many]))


def test_a_base_fitted_to_bands_keeps_its_levels_and_refuses_others(base: Callable[[], Base]) -> None:
    fitted = read_as(base(), table([npy(bands(5))]))
    assert read_as(fitted, table([npy(bands(5, 3, 900))])) is fitted
    with pytest.raises(SourceError, match=r"4 channels, where base .* was fitted to 5"):
        read_as(fitted, table([npy(bands(4))]))


def test_a_folder_of_arrays_is_a_source(base: Callable[[], Base], tmp_path: Path) -> None:
    for label in ("field", "town"):
        (tmp_path / label).mkdir()
        for i in range(3):
            (tmp_path / label / f"{i}.npy").write_bytes(npy(bands(5, i)))
    opened = open_source(tmp_path)
    assert opened.table.modality == "image"
    assert spec_of(read_as(base(), opened.table)).channels == 5
