"""Lists of labels, 0/1 vectors and numbers, however a table writes them: as they are meant, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headstart.data.lists import as_list
from headstart.data.source import open_source, open_sources
from headstart.errors import ColumnError, LabelError, UserError
from headstart.settings import SourceSettings
from tests.data.making import fact, write


def table(path: Path, cells: list[Any]) -> Path:
    return write(path, *(json.dumps({"text": f"text number {i}", "label": cell}) for i, cell in enumerate(cells)))


def targets(path: Path, **settings: Any) -> list[Any]:
    found = open_source(path, SourceSettings(**settings)).table.targets
    assert found is not None
    return found.tolist()


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("['a', 'b']", ["a", "b"]),
        ('["a","b"]', ["a", "b"]),
        ("('a',)", ["a"]),
        ("{'a', 'b'}", ["a", "b"]),
        ("['a' 'b']", ["a", "b"]),
        ("['a'\n 'b']", ["a", "b"]),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
        ("[New York, Paris]", ["New York", "Paris"]),
        (r"""['it\'s', "x's, or [y]"]""", ["it's", "x's, or [y]"]),
        ("[1 0 1]", [1, 0, 1]),
        ("[1, 0.5]", [1, 0.5]),
        ("[007, 8]", ["007", 8]),
        ("['a', None, nan]", ["a", None, None]),
        ("[]", []),
        ("['a''b']", None),
        ("['a'] and more", None),
        ("[,]", None),
        ("a, b", None),
    ],
)
def test_lists_written_as_text(text: str, items: list[Any] | None) -> None:
    assert as_list(text) == items


@pytest.mark.parametrize(
    "cells",
    [
        ["['a', 'b']", "['b']", "[]", "['c', 'a']"],
        ['["a", "b"]', '["b"]', "[]", '["c", "a"]'],
        ["['a' 'b']", "['b']", "[]", "['c' 'a']"],
        ["[a, b]", "[b]", "[]", "[c, a]"],
        [["a", "b"], ["b"], [], ["c", "a"]],
        [["a ", "b", "a"], "b", [], ["c", "a"]],
    ],
)
def test_lists_are_lists_of_labels(tmp_path: Path, cells: list[Any]) -> None:
    path = table(tmp_path / "t.jsonl", cells)
    assert targets(path) == [("a", "b"), ("b",), (), ("c", "a")]
    assert targets(path, task="multilabel") == targets(path)
    with pytest.raises(LabelError, match=r"3 of 4 rows have several labels or none.*t.jsonl:1, t.jsonl:3"):
        targets(path, task="classification")


def test_a_list_of_one_is_a_class_where_that_is_asked(tmp_path: Path) -> None:
    path = table(tmp_path / "t.jsonl", ["['a']", "['b']", "['a']"])
    assert targets(path, task="classification") == ["a", "b", "a"]


def test_a_word_in_brackets_is_a_label(tmp_path: Path) -> None:
    assert targets(table(tmp_path / "t.jsonl", ["[urgent]", "[later]", "[urgent]"])) == [
        "[urgent]",
        "[later]",
        "[urgent]",
    ]


@pytest.mark.parametrize("one", [1, 1.0, True, "1"])
def test_vectors_are_places(tmp_path: Path, one: Any) -> None:
    nil = type(one)(0)
    path = table(tmp_path / "t.jsonl", [[one, nil, one], [nil, nil, nil], [nil, one, nil]])
    assert targets(path) == [("0", "2"), (), ("1",)]
    texts = table(tmp_path / "u.jsonl", [str([int(v) for v in row]) for row in ([1, 0, 1], [0, 0, 0], [0, 1, 0])])
    assert targets(texts) == targets(path)


def test_a_place_that_is_never_1_is_said(tmp_path: Path) -> None:
    opened = open_source(table(tmp_path / "t.jsonl", [[1, 0, 0], [0, 1, 0], [1, 1, 0]]))
    assert fact(opened.facts, "labels").value == "1 of 3 places without a 1"
    hot = write(tmp_path / "t.csv", "text,a,b,c", "x y,1,0,0", "y z,0,1,0")
    opened = open_source(hot, SourceSettings(target=("a", "b", "c")))
    assert fact(opened.facts, "labels").value == "1 of 3 columns without a 1"


def test_one_hot_vectors_are_classes_where_that_is_asked(tmp_path: Path) -> None:
    path = table(tmp_path / "t.jsonl", [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert targets(path, task="classification") == ["0", "2", "1"]


def test_numbers_of_labels_are_no_vectors(tmp_path: Path) -> None:
    assert targets(table(tmp_path / "t.jsonl", [[0], [1], [0, 1], []])) == [("0",), ("1",), ("0", "1"), ()]
    assert targets(table(tmp_path / "t.jsonl", [[0, 3], [1, 2], [3, 1]])) == [("0", "3"), ("1", "2"), ("3", "1")]


@pytest.mark.parametrize(
    ("cells", "kind", "says"),
    [
        ([[1, 0, 0], [0, 1], [0, 1, 1]], ColumnError, r"lists of 0 and 1 of differing lengths \(2, 3\)"),
        ([[0.2, 0.8], [1, 0], [0.5, 0.5]], ColumnError, "lists of numbers with fractions such as 0.2"),
        (["[0.2 0.8]", "[1. 0.]"], ColumnError, "lists of numbers with fractions"),
        ([[["a"], ["b"]], [["a"]]], ColumnError, "lists inside lists"),
        (["[['a'], ['b']]", "[['a']]"], ColumnError, "lists inside lists"),
        ([{"a": 1}, {"b": 1}], ColumnError, "holds objects"),
        (["{'a': 1}", "{'b': 1}"], ColumnError, "holds objects"),
        (["['a', 'b']", "c", "['b']"], ColumnError, "2 of 3 cells in column 'label' are lists .* 1 are not, such as c"),
        ([["a", None], ["b"]], LabelError, "1 of 2 rows have an empty label in their list"),
        (["['a', '']", "['b']"], LabelError, "1 of 2 rows have an empty label in their list"),
    ],
)
def test_lists_that_are_neither(tmp_path: Path, cells: list[Any], kind: type[UserError], says: str) -> None:
    with pytest.raises(kind, match=says) as caught:
        targets(table(tmp_path / "t.jsonl", cells))
    assert "\n" not in str(caught.value)


def test_a_later_source_is_read_as_the_first(tmp_path: Path) -> None:
    first = table(tmp_path / "a.jsonl", [[1, 0, 1], [0, 1, 0], [1, 1, 0]])
    test = table(tmp_path / "b.jsonl", [[1, 0], [0, 1]])
    with pytest.raises(LabelError, match="2 of 2 rows hold no 0/1 vector of 3 places"):
        open_sources(first, test=test)
    lists = table(tmp_path / "c.jsonl", ["['a', 'b']", "['b']", "['a']"])
    names = table(tmp_path / "d.jsonl", [["b"], ["a", "b"]])
    found = open_sources(lists, test=names).table.targets
    assert found is not None
    assert found.tolist()[-2:] == [("b",), ("a", "b")]


def prices(path: Path, cells: list[str]) -> Path:
    return write(path, "text;price", *(f"text number {i};{cell}" for i, cell in enumerate(cells)))


@pytest.mark.parametrize(
    ("cells", "values", "style"),
    [
        (["9,9", "12,50", "7"], [9.9, 12.5, 7.0], "decimal comma"),
        (["1.234,5", "12,50", "-7"], [1234.5, 12.5, -7.0], "decimal comma"),
        (["1 234,5", "1\u00a0000", "7"], [1234.5, 1000.0, 7.0], "decimal comma"),
        (["1,234.5", "12", "1,234,567.25"], [1234.5, 12.0, 1234567.25], "grouped thousands"),
        (["1'234.5", "12", "0.5"], [1234.5, 12.0, 0.5], "grouped thousands"),
    ],
)
def test_numbers_of_other_countries(tmp_path: Path, cells: list[str], values: list[float], style: str) -> None:
    path = prices(tmp_path / "t.csv", cells)
    opened = open_source(path, SourceSettings(target=("price",)))
    assert opened.table.task == "regression"
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == values
    assert fact(opened.facts, "numbers").value == style
    assert targets(path, target=("price",), task="regression") == values


def test_a_comma_that_can_be_two_things_is_refused(tmp_path: Path) -> None:
    path = prices(tmp_path / "t.csv", ["1,234", "2,500", "7"])
    for task in (None, "regression"):
        with pytest.raises(
            ColumnError, match=r"'1,234', where comma or point can separate thousands or begin the fraction"
        ):
            targets(path, target=("price",), task=task)
    path = table(tmp_path / "t.jsonl", ["9,9", "12,5", "9,5", "9"])
    with pytest.raises(ColumnError, match=r"'9,9'.*--task regression or --task multilabel"):
        targets(path)
    assert targets(path, task="regression") == [9.9, 12.5, 9.5, 9.0]
    assert targets(path, task="multilabel") == [("9",), ("12", "5"), ("9", "5"), ("9",)]
    path = table(tmp_path / "t.jsonl", ["9,9 kg", "12,9 kg", "9,5 kg", "12,5 kg"] * 3)
    with pytest.raises(ColumnError, match=r"'9,9 kg', where a comma between digits can belong to a number"):
        targets(path)


def test_lists_of_numbers_of_labels_stay_lists(tmp_path: Path) -> None:
    path = table(tmp_path / "t.jsonl", ["1,2,3", "2,3", "1,3", "1,2"])
    assert targets(path) == [("1", "2", "3"), ("2", "3"), ("1", "3"), ("1", "2")]


def test_the_style_of_the_first_source_settles_a_later_one(tmp_path: Path) -> None:
    first = prices(tmp_path / "a.csv", ["9,95", "1.234,5", "7"])
    later = prices(tmp_path / "b.csv", ["1,250", "2,500"])
    found = open_sources(first, test=later, settings=SourceSettings(target=("price",))).table.targets
    assert found is not None
    assert found.tolist()[-2:] == [1.25, 2.5]


def test_a_key_that_is_there_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '{"text": "a", "label": "x"}', '{"text": "a", "label": "x", "label": "y"}')
    with pytest.raises(UserError, match="line 2 is not JSON: the key 'label' is there twice"):
        open_source(path)
