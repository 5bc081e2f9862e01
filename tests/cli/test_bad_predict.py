"""What can be wrong with a run to predict by, with what it is given, and with where the answers go."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

import headstart.files
from tests.cli.running import ROWS, call, fitted, full_disk, refused, write_table

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def image_run(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> Path:
    fitted(capsys, photos, "--base", image_base, "--strategy", "probe", "--out", "run")
    return here / "run"


@pytest.fixture
def text_run(capsys: Capsys, here: Path, text_base: Path) -> Path:
    write_table(here / "queries.csv", ROWS)
    fitted(capsys, "queries.csv", "--base", text_base, "--out", "run")
    return here / "run"


def test_missing_run(capsys: Capsys, here: Path) -> None:
    assert "runs/none does not exist" in refused(capsys, "predict", "runs/none", "a.png")
    (here / "empty").mkdir()
    assert "empty is not a run or bundle" in refused(capsys, "predict", "empty", "a.png")


def cut_record(bundle: Path) -> None:
    (bundle / "bundle.json").write_text((bundle / "bundle.json").read_text()[:-40])


def drop_key(bundle: Path) -> None:
    record = json.loads((bundle / "bundle.json").read_text())
    del record["task"]
    (bundle / "bundle.json").write_text(json.dumps(record))


def newer_layout(bundle: Path) -> None:
    record = json.loads((bundle / "bundle.json").read_text())
    (bundle / "bundle.json").write_text(json.dumps({**record, "schema": 99}))


def cut_weights(bundle: Path) -> None:
    weights = bundle / "head.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])


def flip_a_bit(bundle: Path) -> None:
    content = bytearray((bundle / "head.safetensors").read_bytes())
    content[-1] ^= 1
    (bundle / "head.safetensors").write_bytes(content)


def layout_1(bundle: Path) -> None:
    """As written before there were checksums."""
    record = json.loads((bundle / "bundle.json").read_text())
    del record["files"]
    (bundle / "bundle.json").write_text(json.dumps({**record, "schema": 1}))


def narrow_weights(bundle: Path) -> None:
    layout_1(bundle)
    tensors = load_file(bundle / "head.safetensors")
    save_file({"weight": tensors["weight"][:, :1].copy(), "bias": tensors["bias"]}, bundle / "head.safetensors")


def short_weights(bundle: Path) -> None:
    layout_1(bundle)
    tensors = load_file(bundle / "head.safetensors")
    save_file({"weight": tensors["weight"][:-1].copy(), "bias": tensors["bias"]}, bundle / "head.safetensors")


def other_weights(bundle: Path) -> None:
    record = json.loads((bundle / "bundle.json").read_text())
    record["base"]["weights"] = "0" * 64
    (bundle / "bundle.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (cut_record, "bundle.json cannot be read"),
        (drop_key, "bundle.json is damaged: KeyError 'task'; restore it or fit again"),
        (newer_layout, "has layout 99, this headstart reads up to 5; upgrade headstart"),
        (cut_weights, "head.safetensors is not what was saved (its sha256 differs)"),
        (flip_a_bit, "head.safetensors is not what was saved (its sha256 differs)"),
        (narrow_weights, "head.safetensors has shape (96, 1) for 2 outputs"),
        (short_weights, "head.safetensors takes 95 features, base"),
        (other_weights, "has other weights than in training"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_damaged_bundle(
    capsys: Capsys, photos: Path, image_run: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(image_run / "bundle")
    assert says in refused(capsys, "predict", image_run, photos)


def test_base_that_is_gone(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    shutil.copytree(image_base, here / "base")
    fitted(capsys, photos, "--base", "base", "--out", "run")
    shutil.rmtree(here / "base")
    refused(capsys, "predict", "run", photos)


def test_image_for_a_text_model(capsys: Capsys, photos: Path, text_run: Path) -> None:
    image = next((photos / "dark").iterdir())
    error = refused(capsys, "predict", text_run, image)
    assert f"{image} holds images, but this model takes texts" in error
    assert "holds images" in refused(capsys, "predict", text_run, photos)


def test_missing_table_is_not_taken_for_a_text(capsys: Capsys, text_run: Path) -> None:
    error = refused(capsys, "predict", text_run, "querys.csv")
    assert "querys.csv: no such file or folder. Did you mean 'queries.csv'?" in error


def test_text_too_long_for_a_path_is_a_text(capsys: Capsys, text_run: Path) -> None:
    said = call(capsys, "predict", text_run, "the cat sat " * 2000)
    assert said.code == 0
    assert len(said.out.splitlines()) == 2


def test_missing_image(capsys: Capsys, photos: Path, image_run: Path) -> None:
    assert "no such file or folder" in refused(capsys, "predict", image_run, photos / "dark" / "none.png")


def test_nothing_readable_of_what_was_named(capsys: Capsys, here: Path, image_run: Path) -> None:
    (here / "a.png").write_bytes(b"")
    (here / "b.png").write_text("text")
    said = call(capsys, "predict", image_run, "a.png", "b.png")
    assert said.code == 1
    rows = list(csv.DictReader(said.out.splitlines()))
    assert [(row["input"], row["label"]) for row in rows] == [("a.png", ""), ("b.png", "")]
    assert rows[0]["error"] == "empty file (0 bytes)"
    assert "not readable: a.png (empty file (0 bytes))" in said.err


def test_nothing_readable_in_a_folder(capsys: Capsys, here: Path, image_run: Path) -> None:
    (here / "odd").mkdir()
    (here / "odd" / "a.png").write_bytes(b"")
    error = refused(capsys, "predict", image_run, "odd")
    assert "none of 1 inputs is readable; the first: odd/a.png (empty file (0 bytes))" in error


def test_some_readable(capsys: Capsys, here: Path, photos: Path, image_run: Path) -> None:
    (here / "a.png").write_bytes(b"")
    good = next((photos / "dark").iterdir())
    said = call(capsys, "predict", image_run, "a.png", good)
    assert said.code == 1
    assert "not readable: a.png (empty file (0 bytes))" in said.err
    rows = list(csv.DictReader(said.out.splitlines()))
    assert [row["input"] for row in rows] == ["a.png", str(good)]
    assert [bool(row["label"]) for row in rows] == [False, True]


def test_unreadable_files_in_a_folder_are_listed_and_no_rows(capsys: Capsys, photos: Path, image_run: Path) -> None:
    (photos / "dark" / "a.png").write_bytes(b"")
    said = call(capsys, "predict", image_run, photos)
    assert said.code == 0
    assert f"not readable: {photos / 'dark' / 'a.png'} (empty file (0 bytes))" in said.err
    rows = list(csv.DictReader(said.out.splitlines()))
    assert len(rows) == 24
    assert "error" not in rows[0]


def test_nothing_given(capsys: Capsys, text_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", ["\n", "  \n"])
    assert "nothing to label in -" in refused(capsys, "predict", text_run, "-")


def test_out_in_use(capsys: Capsys, here: Path, photos: Path, image_run: Path) -> None:
    (here / "answers.csv").write_text("mine")
    error = refused(capsys, "predict", image_run, photos, "--out", "answers.csv")
    assert "answers.csv exists; pass --overwrite to replace it" in error
    assert call(capsys, "predict", image_run, photos, "--out", "answers.csv", "--overwrite").code == 0
    assert (here / "answers.csv").read_text().startswith("input,label,confidence,unknown\n")


def test_full_disk_under_the_answers(
    capsys: Capsys, photos: Path, image_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headstart.files.os, "replace", full_disk)
    assert "the disk is full" in refused(capsys, "predict", image_run, photos, "--out", "answers.csv")
