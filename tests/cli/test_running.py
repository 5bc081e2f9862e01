"""Stopping a run, going on, repeating it; what goes where; and what the smaller verbs say."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from headstart import __version__, records
from headstart.data.split import assign
from tests.cli.running import (
    BATCH,
    PATIENCE,
    call,
    fitted,
    fresh_cache,
    noise_images,
    process,
    stuck,
    timeless,
)

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def own_cache(known_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without features, for subprocesses too."""
    folder = fresh_cache(known_cache, tmp_path / "cache")
    monkeypatch.setenv("HEADSTART_CACHE", str(folder))
    return folder


def computed(result: dict[str, Any]) -> tuple[int, int]:
    """How many examples went through the base, and how many did not need to."""
    return result["features"]["computed"], result["features"]["cached"]


# --- Stopped half-way --------------------------------------------------------------------------------


def test_ctrl_c_ends_with_one_line_and_keeps_what_was_computed(
    capsys: Capsys, here: Path, image_base: Path, own_cache: Path
) -> None:
    noise_images(here / "photos", 80)
    run = stuck(here.parent / "mark", 2, "fit", "photos", "--base", image_base, "--quiet")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130
    assert out == ""
    kept = "features so far and the last checkpoint of training are kept"
    assert err == f"interrupted; {kept}, run the same command again to go on\n"
    assert [path.name for path in here.iterdir()] == ["photos"]
    assert computed(fitted(capsys, "photos", "--base", image_base)) == (80 - 2 * BATCH, 2 * BATCH)


#: Where the very same numbers are asked for: which runtime serves all stages is measured anew in every fresh cache.
PROBE = ("--strategy", "probe")


def test_killed_run_goes_on_and_comes_to_the_same(
    capsys: Capsys, here: Path, image_base: Path, own_cache: Path, known_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = 256  # headstart.training.extraction._ROWS_PER_COMMIT
    noise_images(here / "photos", 320)
    run = stuck(here.parent / "mark", kept // BATCH + 1, "fit", "photos", "--base", image_base, *PROBE)
    run.kill()
    run.communicate(timeout=PATIENCE)
    assert not (here / "runs" / "photos").exists()
    resumed = fitted(capsys, "photos", "--base", image_base, *PROBE)
    assert computed(resumed) == (320 - kept, kept)
    assert [path.name for path in (here / "runs").iterdir()] == ["photos"]  # the dead run's remains are gone

    monkeypatch.setenv("HEADSTART_CACHE", str(fresh_cache(known_cache, here.parent / "unbroken")))
    unbroken = fitted(capsys, "photos", "--base", image_base, *PROBE, "--out", "unbroken")
    assert computed(unbroken) == (320, 0)
    assert timeless(resumed) == timeless(unbroken)


def test_two_runs_into_one_folder_at_once(here: Path, image_base: Path, own_cache: Path) -> None:
    noise_images(here / "photos", 48)
    first = stuck(here.parent / "mark", 1, "fit", "photos", "--base", image_base)
    try:
        second = process("fit", "photos", "--base", image_base)
        assert second.code == 2
        assert f"is being written by another run (process {first.pid})" in second.error
    finally:
        first.kill()
        first.communicate(timeout=PATIENCE)


# --- Repeated and changed ----------------------------------------------------------------------------


def test_same_seed_gives_the_same_result(
    capsys: Capsys, here: Path, image_base: Path, known_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise_images(here / "photos", 60)
    results = []
    for name in ("first", "second"):
        monkeypatch.setenv("HEADSTART_CACHE", str(fresh_cache(known_cache, here.parent / name)))
        results.append(fitted(capsys, "photos", "--base", image_base, *PROBE, "--seed", 3, "--out", name))
    assert [computed(result) for result in results] == [(60, 0), (60, 0)]
    assert timeless(results[0]) == timeless(results[1])


def test_seed_decides_the_split(
    capsys: Capsys, here: Path, image_base: Path, known_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests: list[set[str]] = []

    def spy(*given: Any, **options: Any) -> Any:
        table, facts = assign(*given, **options)
        tests.append({str(name) for name in table.ids[table.split == "test"]})
        return table, facts

    monkeypatch.setattr("headstart.flow.preparation.assign", spy)
    noise_images(here / "photos", 60)
    for run, seed in enumerate((0, 1, 0)):
        fitted(capsys, "photos", "--base", image_base, "--seed", seed, "--out", f"run{run}")
    assert tests[0] != tests[1]
    assert tests[0] == tests[2]


def test_added_photos_cost_their_own_passes_only(capsys: Capsys, here: Path, image_base: Path, own_cache: Path) -> None:
    noise_images(here / "photos", 40)
    assert computed(fitted(capsys, "photos", "--base", image_base)) == (40, 0)
    noise_images(here / "photos", 50, start=40)
    said = call(capsys, "fit", "photos", "--base", image_base, "--overwrite", "--verbose")
    assert said.code == 0
    assert "features: 50 computed (" in said.err
    assert "), 40 from the cache" in said.err


def test_moved_relabelled_and_repeated_photos_cost_nothing(
    capsys: Capsys, here: Path, image_base: Path, own_cache: Path
) -> None:
    noise_images(here / "photos", 40)
    fitted(capsys, "photos", "--base", image_base)
    (here / "photos" / "dark" / "0000.png").rename(here / "photos" / "bright" / "moved.png")
    (here / "photos" / "dark" / "twin.png").write_bytes((here / "photos" / "dark" / "0002.png").read_bytes())
    (here / "photos").rename(here / "pictures")
    assert computed(fitted(capsys, "pictures", "--base", image_base)) == (0, 41)


def test_relabelled_row_costs_nothing(capsys: Capsys, here: Path, text_base: Path, toy_texts: Path) -> None:
    fitted(capsys, toy_texts, "--base", text_base)
    with toy_texts.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][1] = "travel" if rows[1][1] == "food" else "food"
    with toy_texts.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert computed(fitted(capsys, toy_texts, "--base", text_base, "--overwrite")) == (0, 60)


# --- What goes where ---------------------------------------------------------------------------------


def names(record: type) -> set[str]:
    """As JSON has them."""
    return {field.metadata.get("name", field.name) for field in fields(record)}


def test_json_is_all_of_stdout_and_has_the_documented_keys(here: Path, photos: Path, image_base: Path) -> None:
    said = process("fit", "photos", "--base", image_base, "--json")
    assert said.code == 0, said.err
    result = json.loads(said.out)
    assert result.keys() == names(records.Result)
    for key, record in [
        ("data", records.DataRecord),
        ("test", records.TestRecord),
        ("verdict", records.VerdictRecord),
        ("features", records.FeatureRecord),
        ("selected", records.Chosen),
    ]:
        assert result[key].keys() == names(record)
    assert result == json.loads((here / "runs" / "photos" / "result.json").read_text(encoding="utf-8"))
    assert result["settings"]["command"] == f"headstart fit photos --base {image_base} --json"
    page = Path(__file__).resolve().parents[2] / "docs" / "result.md"
    assert all(f"`{name}`" in page.read_text(encoding="utf-8") for name in result)


def test_no_bar_where_stderr_is_no_terminal(photos: Path, image_base: Path, own_cache: Path) -> None:
    said = process("fit", "photos", "--base", image_base)
    assert said.code == 0
    assert not set("\x1b\r━") & set(said.out + said.err)
    assert said.out.lstrip().splitlines()[0].endswith(".")  # the verdict, before all numbers
    assert said.err.startswith("24 images for classification")


def test_quiet_leaves_stderr_empty(capsys: Capsys, photos: Path, image_base: Path) -> None:
    said = call(capsys, "fit", "photos", "--base", image_base, "--quiet")
    assert (said.code, said.err) == (0, "")
    assert "report   " in said.out


def test_predictions_alone_are_on_stdout(capsys: Capsys, photos: Path, image_base: Path) -> None:
    fitted(capsys, "photos", "--base", image_base)
    lines = process("predict", "runs/photos", "photos", "--json").out.splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 24
    assert {tuple(row) for row in rows} == {("input", "label", "confidence", "unknown")}
    table = call(capsys, "predict", "runs/photos", "photos", "--probabilities").out
    first = next(csv.DictReader(table.splitlines()))
    assert list(first) == ["input", "label", "confidence", "unknown", "p(bright)", "p(dark)"]
    assert float(first["p(bright)"]) + float(first["p(dark)"]) == pytest.approx(1, abs=2e-4)


def test_inspect_as_text_and_json(capsys: Capsys, photos: Path) -> None:
    assert call(capsys, "inspect", "photos").out.startswith("photos: 24 images, classification\n")
    seen = json.loads(call(capsys, "inspect", "photos", "--json").out)
    assert (seen["rows"], seen["labels"]) == (24, {"bright": 12, "dark": 12})


def test_closed_pipe_is_silent(photos: Path, image_base: Path) -> None:
    command = [sys.executable, "-m", "headstart.cli", "fit", "photos", "--base", str(image_base), "--quiet", "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    os.close(writing)
    assert done.stderr == ""


# --- The cache ---------------------------------------------------------------------------------------


def test_cache_is_shown_and_pruned(capsys: Capsys, photos: Path, image_base: Path, own_cache: Path) -> None:
    assert str(own_cache) in call(capsys, "cache").out
    assert json.loads(call(capsys, "cache", "--json").out)["spaces"] == []
    fitted(capsys, "photos", "--base", image_base, "--strategy", "probe")
    shown = call(capsys, "cache").out
    assert "24 examples" in shown
    assert "tiny" in shown
    held = json.loads(call(capsys, "cache", "--json").out)
    assert held["folder"] == str(own_cache)
    assert sorted((space["rows"], space["stage"]) for space in held["spaces"]) == [(24, "classical"), (24, "pooled")]

    assert call(capsys, "cache", "prune").out.startswith("removed 0 sets of features")  # far below the limit
    assert call(capsys, "cache", "prune", "--to", "0").out.startswith("removed 2 sets of features")
    assert list((own_cache / "features").iterdir()) == []
    fitted(capsys, "photos", "--base", image_base, "--strategy", "probe", "--overwrite")
    assert call(capsys, "cache", "prune", "--all").out.startswith("removed 2 sets of features")
    assert json.loads(call(capsys, "cache", "--json").out)["spaces"] == []


def test_damaged_features_are_made_again(capsys: Capsys, photos: Path, image_base: Path, own_cache: Path) -> None:
    fitted(capsys, "photos", "--base", image_base)
    for file in (own_cache / "features").glob("*.sqlite"):
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        file.write_bytes(b"not a database " * 100)
    said = process("fit", "photos", "--base", image_base, "--overwrite")
    assert said.code == 0
    assert "is damaged; it was moved to" in said.err
    assert "Traceback" not in said.err


# --- Help and the rest -------------------------------------------------------------------------------

_HEAVY = {"torch", "timm", "transformers", "accelerate", "peft", "sklearn", "scipy"}
_HEAVY |= {"pyarrow", "onnxruntime", "datasets", "numpy", "PIL"}


@pytest.mark.parametrize("verb", ["", "fit", "predict", "inspect", "cache", "cache prune"])
def test_help_is_light(verb: str) -> None:
    program = (
        "import sys; from headstart.cli import main; code = main(sys.argv[1:]); "
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *verb.split(), "--help"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert "Usage: headstart" in done.stdout
    assert not _HEAVY & set(done.stderr.split())


def test_version(capsys: Capsys) -> None:
    assert call(capsys, "--version").out == f"headstart {__version__}\n"


def test_completion_prints_a_script_and_completes() -> None:
    script = process("--show-completion", "bash")
    assert script.code == 0
    assert "complete -o default -F _headstart_completion headstart" in script.out
    words = {"_HEADSTART_COMPLETE": "complete_bash", "COMP_WORDS": "headstart ins", "COMP_CWORD": "1"}
    assert process(**words).out.split() == ["inspect"]


def test_debug_shows_the_traceback_wherever_it_stands() -> None:
    for arguments in (["--debug", "inspect", "nowhere"], ["inspect", "nowhere", "--debug"]):
        said = process(*arguments)
        assert said.code == 1
        assert said.err.startswith("Traceback")
        assert "SourceError: nowhere: no such file or folder." in said.err


def test_defect_is_called_one(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("headstart.api.inspect", broken)
    said = call(capsys, "inspect", "photos")
    assert said.code == 1
    assert (
        said.error == "error: ZeroDivisionError: division by zero (this is a defect of headstart; --debug shows where)"
    )
