"""The cleaned table can be opened again, and nothing is left out without a reason."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.audit.applying import Left, check_applicable, cleaned_csv, findings_csv, left_csv, left_out
from headstart.audit.finding import Finding
from headstart.data.source import open_source
from headstart.data.table import Table, objects
from headstart.errors import SettingError
from headstart.settings import SourceSettings
from tests.audit.tables import texts


def test_a_cleaned_text_table_opens_as_the_kept_rows(tmp_path: Path) -> None:
    table = texts(['a "quoted", text', "two\nlines here", "drop me now", "the last one"], ["x", "y", "x", "y"])
    table = replace(
        table,
        split=np.array(["", "test", "", ""]),
        groups=np.array(list("pqrs")),
        slices={"camera": np.array(list("1223"))},
    )
    (tmp_path / "cleaned.csv").write_text(cleaned_csv(table, [Left(2, "f", "why")], tmp_path))
    settings = SourceSettings(group="group", slices=("camera",))
    again = open_source(tmp_path / "cleaned.csv", settings).table
    kept = [0, 1, 3]
    assert again.inputs.tolist() == table.inputs[kept].tolist()
    assert again.targets is not None
    assert again.targets.tolist() == ["x", "y", "y"]
    assert again.split.tolist() == ["train", "test", "train"]
    assert again.groups is not None
    assert again.groups.tolist() == ["p", "q", "s"]
    assert again.slices["camera"].tolist() == ["1", "2", "3"]


def test_several_labels_are_listed(tmp_path: Path) -> None:
    sets = [("a", "b"), ("b",), ("a",)] * 3
    table = texts([f"some words {i}" for i in range(9)], sets, task="multilabel")
    (tmp_path / "cleaned.csv").write_text(cleaned_csv(table, [], tmp_path))
    again = open_source(tmp_path / "cleaned.csv").table
    assert again.targets is not None
    assert again.targets.tolist() == sets


def test_rows_without_a_label_take_columns(tmp_path: Path) -> None:
    sets = [("a; b", "c"), ("c",), ()]
    table = texts([f"some words {i}" for i in range(3)], sets, task="multilabel")
    (tmp_path / "cleaned.csv").write_text(cleaned_csv(table, [], tmp_path))
    again = open_source(tmp_path / "cleaned.csv", SourceSettings(target=("a; b", "c"))).table
    assert again.targets is not None
    assert again.targets.tolist() == sets
    with pytest.raises(SettingError, match="'text'"):
        cleaned_csv(texts(["x"], [("text", "a;b")], task="multilabel"), [], tmp_path)


def test_paths_are_found_from_where_the_table_lies(toy_images: Path, tmp_path: Path) -> None:
    table = open_source(toy_images).table
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "cleaned.csv").write_text(cleaned_csv(table, [], tmp_path / "out"))
    again = open_source(tmp_path / "out" / "cleaned.csv").table
    assert again.inputs.tolist() == table.inputs.tolist()
    assert again.targets is not None
    assert table.targets is not None
    assert again.targets.tolist() == table.targets.tolist()


def test_pictures_inside_a_table_cannot_be_listed() -> None:
    table = Table(np.array(["a"]), objects([b"png"]), None, np.array([""]), "image")
    with pytest.raises(SettingError, match="extract"):
        check_applicable(table)


def test_reasons_are_kept_and_doubted_labels_stay() -> None:
    table = texts(["...", "good text", "x"], ["1", "2", "1"])
    odd = Finding("constant-1", "constant", "warning", "s", "t", ("a",))
    doubt = Finding("label-1", "label", "warning", "s", "t", ("b",), {"given": ["2"], "suggested": "1"})
    left = left_out(table, [doubt, odd])
    assert list(csv.reader(io.StringIO(left_csv(table, left))))[1:] == [["a", "shows nothing", "constant-1"]]
    rows = list(csv.DictReader(io.StringIO(findings_csv([doubt, odd]))))
    assert [(row["finding"], row["row"], row["given"], row["suggested"]) for row in rows] == [
        ("label-1", "b", "2", "1"),
        ("constant-1", "a", "", ""),
    ]
