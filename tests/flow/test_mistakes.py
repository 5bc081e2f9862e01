"""The tables of mistakes and answers: which rows, in what order, and what a spreadsheet makes of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.data.table import Table, objects
from headstart.errors import BundleError
from headstart.evaluation.thresholds import Thresholds
from headstart.flow.mistakes import EXAMPLES, Answered, Examples, answers_table, as_csv, mistakes, safe
from headstart.tasks import Classification, Multilabel, Regression


def rows(targets: list[Any], task: str, modality: str = "image", inputs: list[Any] | None = None) -> Table:
    n = len(targets)
    return Table(
        ids=objects(f"row{i}" for i in range(n)),
        inputs=objects(inputs or [f"{i}.png" for i in range(n)]),
        targets=objects(targets),
        split=np.full(n, "test"),
        groups=None,
        slices={},
        modality=modality,
        task=task,
    )


CLASSES = Classification(("ant", "bee"))


def answered(p: list[float], y: list[int], **given: Any) -> Answered:
    both = np.array([[1 - one, one] for one in p], np.float32)
    table = rows([CLASSES.labels[one] for one in y], "classification")
    known = {"thresholds": None, "vectors": None, "columns": {}} | given
    return Answered(table, np.array(y), both, **known)


def test_wrong_rows_the_most_confident_first() -> None:
    found = mistakes(CLASSES, answered([0.9, 0.6, 0.2, 0.99], [1, 0, 1, 0]))
    assert [(one["id"], one["truth"], one["answer"], one["confidence"]) for one in found] == [
        ("row3", "ant", "bee", 0.99),
        ("row2", "bee", "ant", 0.8),
        ("row1", "ant", "bee", 0.6),
    ]


def test_thresholds_say_what_is_wrong() -> None:
    limits = Thresholds((0.3, 0.7), 1, "made up")
    found = mistakes(CLASSES, answered([0.6, 0.6], [1, 0], thresholds=limits))
    assert [(one["id"], one["answer"], one["confidence"]) for one in found] == [("row0", "ant", 0.4)]


def test_several_labels_name_what_is_missing_and_what_is_too_many() -> None:
    task = Multilabel(("cup", "dog", "tie"))
    y = np.array([[1, 0, 1], [0, 1, 0]], np.float32)
    p = np.array([[0.9, 0.7, 0.2], [0.1, 0.8, 0.2]], np.float32)
    found = mistakes(task, Answered(rows([("cup", "tie"), ("dog",)], "multilabel"), y, p, None, None, {}))
    assert len(found) == 1
    assert (found[0]["truth"], found[0]["answer"]) == ("cup; tie", "cup; dog")
    assert (found[0]["missing"], found[0]["too many"]) == ("tie", "dog")
    assert found[0]["confidence"] == 0.8  # tie was ruled out with 0.8


def test_the_largest_errors_of_a_regression_come_first_and_exact_answers_are_left_out() -> None:
    y, p = np.array([[1.0], [2.0], [3.0]]), np.array([[1.5], [2.0], [1.0]])
    table = Answered(rows([1.0, 2.0, 3.0], "regression"), y, p, None, None, {})
    found = mistakes(Regression(), table)
    assert [(one["id"], one["error"]) for one in found] == [("row2", -2.0), ("row0", 0.5)]
    said = answers_table(Regression(), table, (p[:, 0] - 1, p[:, 0] + 1))
    assert [(one["low"], one["high"]) for one in said] == [(0.5, 2.5), (1.0, 3.0), (0.0, 2.0)]


def test_the_nearest_training_example_is_that_of_the_greatest_cosine() -> None:
    examples = Examples(np.array([[9.0, 0.0], [0.1, 0.1]]), ["far", "near"], ["ant", "bee"], ["long", "short"])
    found = mistakes(CLASSES, answered([0.9], [0], vectors=np.array([[3.0, 3.1]])), examples)[0]
    assert (found["nearest id"], found["nearest target"], found["nearest text"]) == ("near", "bee", "short")
    assert found["similarity"] == pytest.approx(1.0, abs=1e-3)
    without = mistakes(CLASSES, answered([0.9], [0]))[0]
    assert without["nearest id"] == ""


def test_slices_are_columns_and_none_hides_another() -> None:
    columns = {"camera": np.array(["a", "b"]), "truth": np.array(["x", "y"])}
    found = mistakes(CLASSES, answered([0.9, 0.1], [0, 1], columns=columns))
    assert {one["id"]: (one["camera"], one["slice truth"]) for one in found} == {"row0": ("a", "x"), "row1": ("b", "y")}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\n=1", "＝1"])
def test_cells_that_spreadsheets_would_run_are_quoted(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert safe(f"x{text}") == f"x{text}"
    back = list(csv.reader(io.StringIO(as_csv([{"id": text, "=head": -1.5, "gone": float("nan")}]), newline="")))
    assert back == [["id", "'=head", "gone"], [f"'{text}", "-1.5", ""]]  # numbers stay numbers


def test_line_ends_of_old_macs_do_not_break_rows() -> None:
    assert as_csv([{"id": "a\rb", "text": "c\r\nd"}]) == 'id,text\n"a\nb","c\nd"\n'


def test_no_mistake_leaves_the_head() -> None:
    assert as_csv(mistakes(CLASSES, answered([0.9], [1]))) == "id,truth,answer\n"


def test_examples_come_back_and_others_are_refused(tmp_path: Path) -> None:
    table = rows(["ant", "bee"], "classification", "text", ["=one", "é" * 300])
    kept = Examples.of(table, np.eye(2))
    (tmp_path / EXAMPLES).write_text(kept.to_json(), encoding="utf-8")
    found = Examples.load(tmp_path, np.eye(2))
    assert found is not None
    assert (found.ids, found.targets, found.texts) == (["row0", "row1"], ["ant", "bee"], ["=one", "é" * 200])
    assert Examples.load(tmp_path, np.eye(3)) is None  # of other vectors
    assert Examples.load(tmp_path / "none", np.eye(2)) is None
    (tmp_path / EXAMPLES).write_text(json.dumps([1]))
    with pytest.raises(BundleError, match="restore it or fit again"):
        Examples.load(tmp_path, np.eye(2))
