"""What a user can get wrong: one line that says what came and what to do, exit code 2, and no file changed."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import headstart.files
from tests.cli.running import ROWS, call, fitted, full_disk, noise_images, process, refused, snapshot, write_table

Capsys = pytest.CaptureFixture[str]

# --- Where the data are ------------------------------------------------------------------------------


def test_no_such_path_offers_the_nearest(capsys: Capsys, here: Path) -> None:
    (here / "photos").mkdir()
    error = refused(capsys, "fit", "photo")
    assert "photo: no such file or folder" in error
    assert "Did you mean 'photos'?" in error


def test_empty_folder(capsys: Capsys, here: Path) -> None:
    (here / "photos").mkdir()
    assert "photos: the folder is empty" in refused(capsys, "fit", "photos")


def test_folder_without_images(capsys: Capsys, here: Path) -> None:
    (here / "photos" / "bees").mkdir(parents=True)
    (here / "photos" / "bees" / "notes.txt").write_text("no picture")
    assert "no image or audio file found (but .txt files)" in refused(capsys, "fit", "photos")


def test_file_of_another_type(capsys: Capsys, here: Path) -> None:
    (here / "data.xlsx").write_bytes(b"PK")
    assert "files of type .xlsx are not supported" in refused(capsys, "fit", "data.xlsx")


def test_images_without_labels(capsys: Capsys, here: Path) -> None:
    Image.new("RGB", (8, 8)).save(here / "a.png")
    assert "no labels found (the images lie in no class folders)" in refused(capsys, "fit", ".", "--out", "run")


def test_inspect_says_the_same(capsys: Capsys, here: Path) -> None:
    assert "photos: no such file or folder" in refused(capsys, "inspect", "photos")


# --- Classes -----------------------------------------------------------------------------------------


def test_one_class(capsys: Capsys, here: Path, image_base: Path) -> None:
    noise_images(here / "photos", 8)
    shutil.rmtree(here / "photos" / "dark")
    assert "only one class was found (bright)" in refused(capsys, "fit", "photos", "--base", image_base)


def test_class_of_one_example_is_named_before_any_work(
    capsys: Capsys, here: Path, image_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.flow.preparation.extract", None)  # calling it would be a defect
    noise_images(here / "photos", 8)
    (here / "photos" / "rare").mkdir()
    Image.new("RGB", (8, 8)).save(here / "photos" / "rare" / "only.png")
    error = refused(capsys, "fit", "photos", "--base", image_base)
    assert "one example only: 'rare'" in error


def test_label_of_the_test_source_unseen_in_training(capsys: Capsys, here: Path, text_base: Path) -> None:
    write_table(here / "train.csv", ROWS)
    write_table(here / "later.csv", [["the parcel is lost", "parcel"], ["the cat ran", "cat"]])
    error = refused(capsys, "fit", "train.csv", "--test", "later.csv", "--base", text_base)
    assert "label of the test split never occurs in train: 'parcel' (1 row)" in error


@pytest.mark.parametrize("label", ["", "  ", "NaN"])
def test_empty_label(capsys: Capsys, here: Path, label: str) -> None:
    write_table(here / "queries.csv", [*ROWS, ["the log is lost", label]])
    error = refused(capsys, "fit", "queries.csv")
    assert "1 of 25 rows have no label in column 'label' (queries.csv:26)" in error


# --- Pictures that cannot be read --------------------------------------------------------------------


def png_of_claimed_size(path: Path, side: int) -> None:
    """A few bytes that claim to hold ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


def spoil(photos: Path) -> dict[str, str]:
    """Put four unreadable files among the photos; id -> what its reason must say."""
    dark = photos / "dark"
    whole = next(iter(sorted(dark.iterdir())))
    Image.open(whole).resize((200, 200)).save(dark / "cut.jpg")
    (dark / "cut.jpg").write_bytes((dark / "cut.jpg").read_bytes()[:2000])
    (dark / "none.jpg").write_bytes(b"")
    (dark / "page.jpg").write_text("<html>not found</html>")
    png_of_claimed_size(dark / "bomb.png", 50_000)
    return {
        "dark/bomb.png": "too large: 50000 x 50000",
        "dark/cut.jpg": "truncated",
        "dark/none.jpg": "empty file",
        "dark/page.jpg": "not an image",
    }


def test_few_unreadable_pictures_are_set_aside_and_listed(capsys: Capsys, here: Path, image_base: Path) -> None:
    reasons = spoil(noise_images(here / "photos", 36))
    said = call(capsys, "fit", "photos", "--base", image_base, "--max-rejected", "0.1")
    assert said.code == 0
    assert "excluded: 4 unusable rows, listed in rejected.csv; the first is dark/bomb.png (too large" in said.err
    with (here / "runs" / "photos" / "rejected.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    assert listed.keys() == reasons.keys()
    assert all(reasons[row] in listed[row] for row in reasons), listed
    result = json.loads((here / "runs" / "photos" / "result.json").read_text(encoding="utf-8"))
    assert (result["data"]["rows"], result["data"]["rejected"]) == (36, 4)
    assert sum(result["data"]["splits"].values()) == 36


def test_too_many_unreadable_pictures(capsys: Capsys, here: Path, image_base: Path) -> None:
    spoil(noise_images(here / "photos", 36))
    error = refused(capsys, "fit", "photos", "--base", image_base)
    assert "4 of 40 rows are unusable, more than --max-rejected 0.05 allows; the first is dark/bomb.png" in error


def test_no_picture_at_all_is_readable(capsys: Capsys, here: Path, image_base: Path) -> None:
    for label in ("bees", "ants"):
        (here / "photos" / label).mkdir(parents=True)
        for i in range(5):
            (here / "photos" / label / f"{i}.png").write_bytes(f"{label} {i}".encode())
    error = refused(capsys, "fit", "photos", "--base", image_base, "--max-rejected", "1")
    assert "none of the 10 rows is usable; the first is ants/0.png (not an image" in error


def test_all_examples_of_a_class_but_one_unreadable(capsys: Capsys, here: Path, image_base: Path) -> None:
    noise_images(here / "photos", 20)
    (here / "photos" / "rare").mkdir()
    Image.new("RGB", (8, 8)).save(here / "photos" / "rare" / "good.png")
    (here / "photos" / "rare" / "bad.png").write_bytes(b"")
    error = refused(capsys, "fit", "photos", "--base", image_base, "--max-rejected", "0.5")
    assert "one example only: 'rare'" in error


# --- Tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--input", "--target", "--group", "--slice", "--split"])
def test_missing_column_offers_the_nearest(capsys: Capsys, here: Path, option: str) -> None:
    write_table(here / "visits.csv", [[*row, "p1"] for row in ROWS], ["text", "label", "patient"])
    error = refused(capsys, "fit", "visits.csv", option, "patiend")
    assert f"no column 'patiend' (asked for by {option}); it has text, label, patient." in error
    assert "Did you mean 'patient'?" in error


def test_column_of_a_folder(capsys: Capsys, here: Path) -> None:
    noise_images(here / "photos", 4)
    assert "files have no columns; drop --group" in refused(capsys, "fit", "photos", "--group", "patient")


def test_table_that_is_not_utf8(capsys: Capsys, here: Path) -> None:
    (here / "queries.csv").write_bytes(b"text,label\nplain,a\ncaf\xe9,b\n")
    error = refused(capsys, "fit", "queries.csv")
    assert "not UTF-8: byte 22 (line 3) is 0xe9" in error
    assert "iconv -f WINDOWS-1252" in error


def test_ragged_table(capsys: Capsys, here: Path) -> None:
    (here / "queries.csv").write_text("text,label\nplain,a\nwith, a comma,b\n")
    assert "line 3 has 3 fields where the header has 2" in refused(capsys, "fit", "queries.csv")


def test_table_without_rows(capsys: Capsys, here: Path) -> None:
    (here / "queries.csv").write_text("text,label\n")
    assert "the table has no rows" in refused(capsys, "fit", "queries.csv")


# --- Where the results go ----------------------------------------------------------------------------


def test_run_in_use_is_kept_unless_overwrite(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    fitted(capsys, photos, "--base", image_base, "--seed", 0)
    error = refused(capsys, "fit", photos, "--base", image_base, "--seed", 1)
    assert "runs/photos holds an earlier run; pass --overwrite to replace it" in error
    fitted(capsys, photos, "--base", image_base, "--seed", 1, "--overwrite")
    assert json.loads((here / "runs" / "photos" / "result.json").read_text())["seed"] == 1
    assert [path.name for path in (here / "runs").iterdir()] == ["photos"]


@pytest.mark.parametrize("content", ["thesis.tex", "result.json"])
def test_folder_that_is_no_run_is_never_replaced(
    capsys: Capsys, here: Path, photos: Path, image_base: Path, content: str
) -> None:
    (here / "work").mkdir()
    (here / "work" / content).write_text("{}")
    error = refused(capsys, "fit", photos, "--base", image_base, "--out", "work", "--overwrite")
    assert "work exists and is not a headstart run, so it is left alone" in error


def test_out_that_is_a_file(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    (here / "work").write_text("mine")
    assert "is not a headstart run" in refused(capsys, "fit", photos, "--base", image_base, "--out", "work")
    assert "cannot write" in refused(capsys, "fit", photos, "--base", image_base, "--out", "work/run")


def test_failed_overwrite_keeps_the_earlier_run(capsys: Capsys, photos: Path, image_base: Path) -> None:
    fitted(capsys, photos, "--base", image_base)
    refused(capsys, "fit", photos, "--base", image_base, "--overwrite", "--metric", "r2")


@pytest.mark.parametrize("earlier", [False, True])
def test_full_disk_under_the_run(
    capsys: Capsys, photos: Path, image_base: Path, known_cache: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    if earlier:
        fitted(capsys, photos, "--base", image_base)
    monkeypatch.setattr(headstart.files.os, "replace", full_disk)
    error = refused(capsys, "fit", photos, "--base", image_base, "--overwrite")
    assert "the disk is full; free some space or choose another folder" in error


def test_full_disk_under_the_cache(
    capsys: Capsys, photos: Path, image_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def small(*given: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*given, **options)
        connection.execute("PRAGMA max_page_count = 6")  # SQLite says the same of this as of a full disk
        return connection

    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "full"))
    monkeypatch.setattr("headstart.training.cache.sqlite3.connect", small)
    error = refused(capsys, "fit", photos, "--base", image_base)
    assert "cannot write the feature cache" in error
    assert "the disk is full. Free space ('headstart cache prune') or set HEADSTART_CACHE." in error


# --- Settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--strategy", "prob"], "strategy 'prob' is unknown; it is one of auto, probe"),
        (["--metric", "acuracy"], "Did you mean 'accuracy'"),
        (["--metric", "r2"], "metric 'r2' is not for classification"),
        (["--task", "clasification"], "Did you mean 'classification'"),
        (["--modality", "vision"], "modality 'vision' is unknown; it is one of audio, image, text"),
        (["--modality", "text"], "these are image files"),
        (["--seed", "-1"], "seed is -1; it is a whole number from 0"),
        (["--seed", str(2**40)], "it is a whole number from 0 to 4294967295"),
        (["--seed", "one"], "Invalid value for '--seed'"),
        (["--test-size", "1"], "test-size is 1; it is a share"),
        (["--valid-size", "-0.2"], "valid-size is -0.2; it is a share"),
        (["--valid-size", "nan"], "valid-size is nan; it is a share"),
        (["--valid-size", "20"], "valid-size is 20; it is a share"),
        (["--test-size", "0.99"], "too few rows for a valid split"),
        (["--max-rejected", "5"], "max-rejected is 5; it is a share from 0 to 1"),
        (["--colour", "red"], "No such option: --colour"),
    ],
)
def test_setting_that_is_not_allowed(
    capsys: Capsys, photos: Path, image_base: Path, arguments: list[str], says: str
) -> None:
    assert says in refused(capsys, "fit", photos, "--base", image_base, *arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fitt", "photos"], "No such command 'fitt'. Did you mean 'fit'? See 'headstart --help'."),
        (["fit"], "Missing argument 'DATA'. See 'headstart fit --help'."),
        (["cache", "prune", "--to", "much"], "'much' is not a size; write it like 500M, 5G"),
        (["cache", "prune", "--to", "-5G"], "'-5G' is not a size"),
        (["cache", "prune", "--to", "inf"], "'inf' is not a size"),
        (["cache", "prune", "--to", "5G", "--all"], "--to and --all came together"),
    ],
)
def test_call_that_is_not_understood(capsys: Capsys, arguments: list[str], says: str) -> None:
    assert says in refused(capsys, *arguments)


def test_wrong_size_of_the_cache_is_said_before_the_work(
    capsys: Capsys, photos: Path, image_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_CACHE_SIZE", "plenty")
    assert "'plenty' is not a size" in refused(capsys, "fit", photos, "--base", image_base)


# --- Bases -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "near"), [("efficientnet_light0", "efficientnet_lite0"), ("resnet5o", "resnet50")])
def test_unknown_base_offers_the_nearest(capsys: Capsys, photos: Path, name: str, near: str) -> None:
    error = refused(capsys, "fit", photos, "--base", name)
    assert f"no base is called {name!r}" in error
    assert near in error.partition("Did you mean")[2]


def test_base_of_another_modality(capsys: Capsys, photos: Path, text_base: Path) -> None:
    assert "takes text inputs but the data are image" in refused(capsys, "fit", photos, "--base", text_base)


def test_folder_that_is_no_base(capsys: Capsys, photos: Path) -> None:
    assert "no config.json in" in refused(capsys, "fit", photos, "--base", photos)


def test_damaged_base(capsys: Capsys, photos: Path, image_base: Path, tmp_path: Path) -> None:
    shutil.copytree(image_base, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "cannot be loaded safely" in refused(capsys, "fit", photos, "--base", tmp_path / "cut")


def test_hub_name_without_network(here: Path) -> None:
    noise_images(here / "photos", 8)
    closed = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(here.parent / "hub")}
    said = process("fit", "photos", "--base", "nobody/nothing", **closed)
    assert said.code == 2
    assert "could not be fetched from the Hub (no network, or" in said.error
    assert not (here / "runs").exists()


def test_hub_name_while_offline(capsys: Capsys, photos: Path) -> None:
    error = refused(capsys, "fit", photos, "--base", "nobody/nothing")
    assert "HF_HUB_OFFLINE is set" in error


def test_own_process_ends_with_2_and_one_line(here: Path) -> None:
    before = snapshot(here)
    said = process("fit", "photos")
    assert (said.code, said.out) == (2, "")
    assert said.error == "error: photos: no such file or folder."
    assert snapshot(here) == before
