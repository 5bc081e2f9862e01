"""Answers and vectors keep the rows, the columns and the order that a user handed over."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart as hs
from tests.cli.running import ROWS, Said, call, fitted, refused, write_table

Capsys = pytest.CaptureFixture[str]

HEADER = ("ticket", "date", "what was said", "kind")
TABLE = [[f"T-{i}", f"2026-01-{i + 1:02}", text, label] for i, (text, label) in enumerate(ROWS)]
NEW = [["T-77", "2026-02-01", "the cat sat"], ["T-78", "2026-02-02", " "], ["T-79", "", "a dog,\nit sat"]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, text_base: Path) -> Path:
    """A run on a table in which the input is neither named as is usual nor the longest text."""
    folder = tmp_path_factory.mktemp("made")
    write_table(folder / "t.csv", TABLE, HEADER)
    options = {"input": HEADER[2], "target": HEADER[3], "base": str(text_base), "strategy": "probe"}
    hs.fit(folder / "t.csv", out=folder / "run", **options)  # type: ignore[arg-type]
    return folder / "run"


@pytest.fixture
def run(here: Path, made: Path) -> Path:
    shutil.copytree(made, here / "run")
    write_table(here / "new.csv", NEW, HEADER[:3])
    return here / "run"


def rows_of(said: Said) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(said.out, newline="")))


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_table_keeps_its_columns_and_rows(capsys: Capsys, run: Path) -> None:
    said = call(capsys, "predict", run, "new.csv")
    assert said.code == 1  # one row has no text
    rows = rows_of(said)
    assert list(rows[0])[:5] == [*HEADER[:3], "label", "confidence"]
    assert [[row[name] for name in HEADER[:3]] for row in rows] == NEW
    assert [bool(row["label"]) for row in rows] == [True, False, True]
    assert [row["error"] for row in rows] == ["", "empty text", ""]
    assert "not readable: new.csv:3 (empty text)" in said.err


def test_readable_rows_end_with_0_and_have_no_column_of_errors(capsys: Capsys, here: Path, run: Path) -> None:
    write_table(here / "good.csv", NEW[::2], HEADER[:3])
    said = call(capsys, "predict", run, "good.csv")
    assert said.code == 0
    assert "error" not in rows_of(said)[0]


def test_a_column_of_the_same_name_is_not_overwritten(capsys: Capsys, here: Path, run: Path) -> None:
    write_table(here / "twice.csv", [["mine", "the cat sat", "x"]], ("label", HEADER[2], "predicted_confidence"))
    (row,) = rows_of(call(capsys, "predict", run, "twice.csv"))
    assert row["label"] == "mine"
    assert row["predicted_label"] in ("cat", "dog")
    assert row["predicted_confidence"] == "x"
    assert float(row["confidence"]) > 0


def test_a_table_without_the_trained_column(capsys: Capsys, here: Path, run: Path) -> None:
    write_table(here / "other.csv", [["a", "the cat sat"], ["b", "the dog sat"]], ("id", "text"))
    said = call(capsys, "predict", run, "other.csv")
    assert said.code == 0
    assert f"other.csv has no column {HEADER[2]!r}, which the model was trained on; column 'text' is read" in said.err
    write_table(here / "none.csv", [["a", "1"], ["b", "2"]], ("id", "size"))
    error = refused(capsys, "predict", run, "none.csv")
    assert "no column could serve as the input" in error
    assert f"trained on column {HEADER[2]!r}" in error
    assert rows_of(call(capsys, "predict", run, "new.csv", "--input", "ticket"))[0]["ticket"] == "T-77"


def test_evaluate_and_shift_find_the_same_columns(capsys: Capsys, here: Path, run: Path) -> None:
    write_table(here / "later.csv", TABLE, HEADER)
    assert json.loads(call(capsys, "evaluate", run, "later.csv", "--json").out)["n"] == len(TABLE)
    assert json.loads(call(capsys, "shift", run, "later.csv", "--json").out)["n"] == len(TABLE)


def test_only_one_column_is_one_answer_a_line(capsys: Capsys, here: Path, run: Path) -> None:
    said = call(capsys, "predict", run, "new.csv", "--only", "label")
    assert [line in ("cat", "dog") for line in said.out.split("\n")] == [True, False, True, False]
    assert said.out.split("\n")[1] == ""
    call(capsys, "predict", run, "new.csv", "--only", "label", "--out", "labels.txt")
    assert (here / "labels.txt").read_text() == said.out
    assert float(call(capsys, "predict", run, "the cat", "--only", "confidence").out) > 0
    error = refused(capsys, "predict", run, "new.csv", "--only", "lable")
    assert "--only 'lable' is no column of the answers; it is one of label, confidence" in error
    assert "Did you mean 'label'?" in error
    assert "--only prints one column" in refused(capsys, "predict", run, "new.csv", "--only", "label", "--top", "2")


def test_top(capsys: Capsys, run: Path) -> None:
    said = call(capsys, "predict", run, "the cat sat", "--top", "2", "--probabilities")
    (row,) = rows_of(said)
    assert row["label"] == row["label_1"]
    assert {row["label_1"], row["label_2"]} == {"cat", "dog"}
    assert row["probability_1"] == row["confidence"] == row[f"p({row['label']})"]
    assert float(row["probability_1"]) + float(row["probability_2"]) == pytest.approx(1, abs=1e-3)
    for count in ("0", "3"):
        error = refused(capsys, "predict", run, "x", "--top", count)
        assert f"--top is {count}; this model has 2 labels, so it is 1 to 2" in error


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.ndjson", "a.parquet", "a.pq"])
def test_the_name_of_the_file_says_the_format(capsys: Capsys, here: Path, run: Path, name: str) -> None:
    import pyarrow.parquet as pq

    assert call(capsys, "predict", run, "new.csv", "--out", name).code == 1
    path = here / name
    rows: list[dict[str, Any]]
    if name.endswith(("jsonl", "ndjson")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    elif name.endswith(("parquet", "pq")):
        with path.open("rb") as file:
            rows = pq.ParquetFile(file).read().to_pylist()
    else:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if name.endswith("tsv") else ","))
    assert [[row[column] for column in HEADER[:3]] for row in rows] == NEW
    assert [row["error"] or "" for row in rows] == ["", "empty text", ""]
    assert [bool(row["label"]) for row in rows] == [True, False, True]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--out", "a.xlsx"], "a.xlsx: spreadsheets are not written; name it .csv"),
        (["--out", "a.json"], "a.json: files of type .json are not written"),
        (["--out", "a"], "a: the name has no extension, which says the format"),
        (["--out", "a.csv", "--json"], "--json writes JSON lines, but a.csv asks for csv"),
        (["--out", "."], ". is a folder; give the name of a file in it"),
        (["--out", "new.csv/a.csv"], "new.csv is a file, not a folder"),
        (["--out", "a" * 300 + ".csv"], "the name is too long"),
        (["--out", ""], "an empty text came where a path is needed"),
    ],
)
def test_where_answers_cannot_go(capsys: Capsys, run: Path, options: list[str], says: str) -> None:
    assert says in refused(capsys, "predict", run, "new.csv", *options)
    assert says in refused(capsys, "embed", "new.csv", "--base", run, *options)


def test_every_line_of_stdin_has_its_row(capsys: Capsys, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(monkeypatch, b"\xef\xbb\xbfthe cat\r\n\r\nthe dog\r\n")
    said = call(capsys, "predict", run, "-")
    assert said.code == 1
    assert [(row["input"], row["error"]) for row in rows_of(said)] == [
        ("the cat", ""),
        ("", "empty text"),
        ("the dog", ""),
    ]
    assert "not readable: line 2 of standard input (empty text)" in said.err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n123", "a PNG image"),
        (b"\x1f\x8b\x08123", "a gzip archive"),
        (b"PK\x03\x04123", "a zip archive"),
        (b"one\0two", "null bytes"),
        ("the cat\n".encode("utf-16"), "UTF-16, not UTF-8; re-encode it, perhaps with: iconv -f UTF-16"),
    ],
)
def test_stdin_that_is_no_text(
    capsys: Capsys, run: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, says: str
) -> None:
    for command in (["predict", run], ["embed", "--base", run]):
        stdin(monkeypatch, data)
        assert says in refused(capsys, *command, "-")


def test_an_empty_argument_is_a_row_and_no_folder(capsys: Capsys, run: Path) -> None:
    said = call(capsys, "predict", run, "", "the cat")
    assert said.code == 1
    assert [(row["input"], row["error"]) for row in rows_of(said)] == [("", "empty text"), ("the cat", "")]
    assert "an empty text came where a path is needed" in refused(capsys, "embed", "", "--base", "efficientnet_lite0")


def test_an_argument_whose_bytes_the_locale_does_not_know(capsys: Capsys, run: Path) -> None:
    given = "der Käfer".encode().decode("ascii", "surrogateescape")  # as a locale of ASCII reads it
    said = call(capsys, "predict", run, given)
    assert said.code == 0
    assert rows_of(said)[0]["input"] == "der Käfer"


def test_texts_and_tables_together(capsys: Capsys, run: Path) -> None:
    rows = rows_of(call(capsys, "predict", run, "a mouse", "new.csv"))
    assert [row["input"] for row in rows] == ["a mouse", "", "", ""]
    assert [row["ticket"] for row in rows] == ["", "T-77", "T-78", "T-79"]


def test_a_reader_that_goes_away_is_no_failure(here: Path, run: Path) -> None:
    write_table(here / "long.csv", [["the cat sat " * 9]] * 3000, (HEADER[2],))
    command = [sys.executable, "-m", "headstart.cli", "predict", "run", "long.csv", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def test_pictures_in_a_table_keep_its_ids(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    write_table(here / "t.csv", [[str(i), str(f), f.parent.name] for i, f in enumerate(files)], ("id", "shot", "what"))
    fitted(capsys, "t.csv", "--base", image_base, "--strategy", "probe", "--out", "run")
    write_table(here / "new.csv", [["7", "gone.png"], ["8", str(files[0])]], ("id", "shot"))
    said = call(capsys, "predict", "run", "new.csv")
    assert said.code == 1
    rows = rows_of(said)
    assert [row["id"] for row in rows] == ["7", "8"]
    assert [row["error"] for row in rows] == ["no such file: gone.png", ""]


def test_encoded_pictures_are_not_written_out(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    fitted(capsys, photos, "--base", image_base, "--strategy", "probe", "--out", "run")
    data = [path.read_bytes() for path in sorted(photos.rglob("*.png"))[:3]]
    pq.write_table(pa.table({"id": [5, 6, 7], "image": data}), here / "p.parquet")
    said = call(capsys, "predict", "run", "p.parquet")
    assert said.code == 0
    rows = rows_of(said)
    assert [(row["input"], row["id"]) for row in rows] == [(f"p.parquet:{i + 1}", str(5 + i)) for i in range(3)]
    assert "image" not in rows[0]
    assert "p.parquet: left out of the output: image, which holds pictures" in said.err


def test_regression_has_a_value(capsys: Capsys, here: Path, text_base: Path) -> None:
    write_table(here / "t.csv", [[f"{text} {i}", f"{i}.5"] for i, (text, _) in enumerate(ROWS * 3)], ("text", "price"))
    fitted(capsys, "t.csv", "--target", "price", "--base", text_base, "--strategy", "probe", "--out", "run")
    said = call(capsys, "predict", "run", "the cat", "the dog")
    assert all(np.isfinite(float(row["value"])) for row in rows_of(said))
    for only in ("value", "label"):
        lines = call(capsys, "predict", "run", "the cat", "the dog", "--only", only).out.splitlines()
        assert lines == [row["value"] for row in rows_of(said)]
    assert "--top is for models that predict labels" in refused(capsys, "predict", "run", "x", "--top", "1")


# --- embed ------------------------------------------------------------------------------------------------------------


def test_embed_an_array_and_the_rows_beside_it(capsys: Capsys, here: Path, run: Path) -> None:
    said = call(capsys, "embed", "new.csv", "--base", run, "--out", "v.npy")
    assert said.code == 1
    assert "2 vectors of" in said.err
    vectors = np.load(here / "v.npy")
    expected = hs.load(run).embed([NEW[0][2], NEW[2][2]])
    np.testing.assert_allclose(vectors[[0, 2]], expected, atol=1e-5)
    assert vectors.dtype == np.float32
    assert np.isnan(vectors[1]).all()
    with (here / "v.rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [[row[name] for name in HEADER[:3]] for row in rows] == NEW
    assert [row["error"] for row in rows] == ["", "empty text", ""]
    assert "v.npy exists" in refused(capsys, "embed", "new.csv", "--base", run, "--out", "v.npy")
    (here / "v.npy").unlink()
    assert "v.rows.csv exists" in refused(capsys, "embed", "new.csv", "--base", run, "--out", "v.npy")


@pytest.mark.parametrize("name", ["v.parquet", "v.jsonl", "v.csv"])
def test_embed_tables(capsys: Capsys, here: Path, run: Path, name: str) -> None:
    import pyarrow.parquet as pq

    assert call(capsys, "embed", "new.csv", "--base", run, "--out", name).code == 1
    expected = hs.embed([NEW[0][2], NEW[2][2]], base=run)
    path = here / name
    rows: list[dict[str, Any]]
    if name.endswith("jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    elif name.endswith("parquet"):
        with path.open("rb") as file:
            rows = pq.ParquetFile(file).read().to_pylist()
    else:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            numbers = [row.pop(f"v{i}") for i in range(expected.shape[1])]
            row["vector"] = [float(n) for n in numbers] if numbers[0] else None
    assert [[row[column] for column in HEADER[:3]] for row in rows] == NEW
    assert rows[1]["vector"] is None
    found = np.array([rows[0]["vector"], rows[2]["vector"]], dtype=np.float32)
    np.testing.assert_array_equal(found, expected)


def test_embed_pictures_of_a_folder(capsys: Capsys, here: Path, photos: Path, image_base: Path) -> None:
    (photos / "dark" / "broken.png").write_bytes(b"")
    said = call(capsys, "embed", photos, "--base", image_base, "--json")
    assert said.code == 0
    assert len(said.out.splitlines()) == 24
    assert "broken.png (empty file (0 bytes))" in said.err
    with pytest.warns(hs.HeadstartWarning, match="1 of 25 rows cannot be read and are nan: .*broken.png"):
        vectors = hs.embed(photos, base=image_base)
    assert (vectors.shape[0], int(np.isnan(vectors).any(axis=1).sum())) == (25, 1)


def test_embed_in_python(text_base: Path) -> None:
    with pytest.warns(hs.HeadstartWarning, match=r"1 of 3 rows cannot be read and are nan: input 1 \(empty text\)"):
        vectors = hs.embed(["the cat", " ", "the dog"], base=text_base, modality="text")
    assert np.isnan(vectors).any(axis=1).tolist() == [False, True, False]
    with pytest.raises(hs.UserError, match="the list of inputs is empty"):
        hs.embed([], base=text_base)


def test_embed_refuses_what_is_not_there(capsys: Capsys, here: Path, text_base: Path) -> None:
    assert "gone.png: no such file or folder" in refused(capsys, "embed", "gone.png")
    assert "gone.csv: no such file or folder" in refused(capsys, "embed", "gone.csv", "--base", text_base)
    os.mkdir(here / "empty")
    assert "the folder is empty" in refused(capsys, "embed", "empty")


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_prose_that_cannot_be_written_stops_no_work(here: Path, run: Path) -> None:
    command = [sys.executable, "-m", "headstart.cli"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*command, "predict", "run", "new.csv"], stdout=-1, stderr=full, text=True, check=False)
        assert (done.returncode, len(done.stdout.splitlines())) == (1, 5)  # one cell has a line break
        assert subprocess.run([*command, "predict", "run"], stderr=full, check=False).returncode == 2
        done = subprocess.run([*command, "predict", "run", "new.csv"], stdout=full, stderr=-1, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: the output cannot be written: No space left on device."


def test_a_reader_of_everything_that_goes_away_stops_no_work(here: Path, run: Path) -> None:
    command = [sys.executable, "-m", "headstart.cli", "predict", "run", "new.csv", "--out", "a.csv"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 1  # of the row without a text
    assert len((here / "a.csv").read_text().splitlines()) == 5
