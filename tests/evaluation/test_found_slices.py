"""Slices that nobody named: what they are called, and that they hold the rows they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.errors import SettingError
from headstart.evaluation.slices import binned, clusters, properties
from headstart.modalities import get
from headstart.modalities.text.looks import script


def told(name: str, values: np.ndarray) -> np.ndarray:
    units = {**get("image").units, **get("text").units}
    return binned(values, *units.get(name, ("", 2)))


def test_numbers_are_cut_into_thirds_named_by_what_they_hold():
    values = np.arange(1, 10)
    assert sorted(set(told("length", values))) == ["1–3 characters", "4–6 characters", "7–9 characters"]
    assert told("length", values)[4] == "4–6 characters"
    assert set(told("aspect", np.array([0.5, 1.0, 2.0]))) == {f"{v:.2f} width / height" for v in (0.5, 1, 2)}


def test_equal_numbers_are_never_parted():
    values = np.array([5] * 20 + [9])
    assert set(told("length", values)) == {"5 characters", "9 characters"}
    assert set(told("brightness", np.full(9, 0.3))) == {"0.30 of white"}
    close = np.array([0.501, 0.502, 0.9, 0.503])  # the same as shown
    assert told("brightness", close).tolist() == ["0.50 of white"] * 2 + ["0.90 of white", "0.50 of white"]


def test_what_cannot_be_told_is_named_so():
    assert told("size", np.array([1.0, np.nan, 3.0])).tolist()[1] == "not known"
    assert told("script", np.array(["Latin", "Cyrillic"], dtype=object)).tolist() == ["Latin", "Cyrillic"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("naïve café, 12!", "Latin"),
        ("привет, world and мир", "Cyrillic"),
        ("東京は晴れ東京", "Cjk"),
        ("مرحبا", "Arabic"),
        ("42 + 1", "none"),
        ("", "none"),
    ],
)
def test_a_texts_script_is_that_of_most_letters(text, name):
    assert script(text) == name


def test_pictures_are_measured_in_every_form(tmp_path: Path):
    grey = Image.new("RGB", (40, 20), (51, 51, 51))
    grey.save(tmp_path / "a.png")
    content = io.BytesIO()
    grey.save(content, "JPEG")
    inputs = [str(tmp_path / "a.png"), content.getvalue(), grey, np.asarray(grey), np.full((20, 40), 0.2)]
    found = get("image").properties(inputs)
    assert found["size"] == pytest.approx([0.0008] * 5)
    assert found["aspect"] == pytest.approx([2.0] * 5)
    assert found["brightness"] == pytest.approx([0.2] * 5, abs=0.01)


def test_a_picture_lying_on_its_side_is_measured_as_shown(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    assert get("image").properties([str(tmp_path / "a.jpg")])["aspect"] == pytest.approx([0.5])


def test_an_unreadable_picture_is_not_known(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    found = get("image").properties([str(tmp_path / "a.png"), str(tmp_path / "missing.png")])
    assert np.isnan(found["brightness"]).all()


def test_clusters_follow_the_features_and_are_named_by_the_labels():
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1], 40)
    vectors = np.eye(8)[kind] * 3 + 0.1 * rng.normal(size=(80, 8))
    found = clusters(vectors, np.array(["ant", "bee"])[kind])
    assert {name.partition(": ")[2] for name in found} == {"ant", "bee"}
    assert len(set(found[:40])) == len(set(found[40:])) == 1
    assert set(clusters(vectors)) == {"1", "2"}
    assert clusters(vectors, seed=1).tolist() == clusters(vectors, seed=1).tolist()


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(SettingError, match="not finite"):
        clusters(np.full((70, 3), np.nan))


def test_properties_are_ready_to_slice_by():
    texts = ["word " * (i + 1) for i in range(80)]
    rng = np.random.default_rng(0)
    found = properties(get("text").properties(texts), get("text").units, rng.normal(size=(80, 4)), ["a"] * 80)
    assert set(found) == {"length", "cluster"}  # the script is the same everywhere
    assert sorted(set(found["length"])) == ["140–265 characters", "270–400 characters", "5–135 characters"]
    assert all(len(column) == 80 for column in found.values())


def test_too_few_rows_have_none():
    assert properties(get("text").properties(["a", "bb"]), get("text").units) == {}
