"""CSV and TSV: every line is a row, part of a quoted cell, or named in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.data.delimited import read_delimited
from headstart.data.source import open_source
from headstart.errors import SourceError
from tests.data.making import fact, write

CLEAN = ["the cat sat,cat", "the dog ran,dog", "a cat slept,cat", "a dog ate,dog"]


def rows(text: str, *, tabs: bool = False) -> list[tuple[str, ...]]:
    _, columns, *_ = read_delimited("t", text, tabs=tabs)
    return list(zip(*columns, strict=True))


def lines(*given: str, delimiter: str = ",") -> str:
    return "".join(line.replace(",", delimiter) + "\n" for line in ("text,label", *given))


@pytest.mark.parametrize(
    "stray", ['"the cat,cat', 'the cat",cat', '"the" cat,cat', 'the "cat,cat', '"the cat" said,cat', '"""the cat,cat']
)
def test_no_quote_in_a_tsv_swallows_a_row(stray: str) -> None:
    given = [*CLEAN, stray, *CLEAN, '"a dog",dog', *CLEAN]
    found = rows(lines(*given, delimiter="\t"), tabs=True)
    assert len(found) == len(given)
    assert found[4] == tuple(stray.split(","))
    assert found[9] == ("a dog", "dog")


def test_quotes_kept_as_characters_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", *lines(*CLEAN, '"open,cat', *CLEAN, '"two,dog', delimiter="\t").splitlines())
    opened = open_source(path)
    assert len(opened.table) == 10
    assert fact(opened.facts, "quotes").value == "kept as characters in 2 lines"
    assert fact(opened.facts, "quotes").reason.endswith(": 6, 11")


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([*CLEAN, '"the cat,cat', *CLEAN], "line 6 opens a quote that is not closed"),
        ([*CLEAN, '"the cat,cat', *CLEAN, 'a dog",dog'], "line 6 opens a quote that is closed in line 11 only"),
        ([*CLEAN, '"the cat,cat', *CLEAN, 'a "dog",dog'], "line 6 opens a quote that is not closed"),
        ([*CLEAN, '"the cat,cat'], "line 6 opens a quote that is not closed"),
        ([*CLEAN, '"the cat, it sat"'], "line 6 has 1 fields where the header has 2"),
    ],
)
def test_a_quote_that_would_swallow_rows_of_a_csv_is_named(delimiter: str, given: list[str], says: str) -> None:
    with pytest.raises(SourceError, match=says):
        rows(lines(*given, delimiter=delimiter))


def test_the_label_first_makes_no_difference() -> None:
    swapped = [",".join(reversed(line.split(","))) for line in CLEAN]
    with pytest.raises(SourceError, match="line 6 opens a quote that is closed in line 9 only"):
        rows("label,text\n" + "\n".join([*swapped, 'cat,"the cat', *swapped[:2], 'dog,a dog"']))


def test_cells_over_several_lines_stay_whole_and_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label", '"Dear all, how', 'are you",cat', '"one', "", 'three",dog', *CLEAN)
    opened = open_source(path)
    assert opened.table.inputs[:2].tolist() == ["Dear all, how\nare you", "one\n\nthree"]
    assert len(opened.table) == 6
    assert fact(opened.facts, "line breaks").value == "2 quoted cells over several lines"
    assert "2-3, 4-6" in fact(opened.facts, "line breaks").reason


def test_quotes_inside_a_line() -> None:
    given = ['"say ""hi"", now",a', 'he said "no" twice,b', '"" ,a', '"",b']
    assert rows(lines(*given)) == [
        ('say "hi", now', "a"),
        ('he said "no" twice', "b"),
        ('"" ', "a"),
        ("", "b"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_no_part_of_a_cell(end: str) -> None:
    text = lines(*CLEAN, '"a ""b""",cat').replace("\n", end)
    assert rows(text)[-1] == ('a "b"', "cat")
    assert rows(text.removesuffix(end))[-1] == ('a "b"', "cat")
    assert len(rows(text)) == 5


@pytest.mark.parametrize(
    ("text", "tabs", "names", "value"),
    [
        ("sep=;\ntext;label\na, b;c\n", False, ["text", "label"], "semicolons"),
        ("text|label\na|b\n", False, ["text", "label"], "bars"),
        ("text;price, EUR\na;1\nb;2\n", False, ["text", "price, EUR"], "semicolons"),
        ("text,label\na,b\n", True, ["text", "label"], "commas"),
    ],
)
def test_delimiters_that_are_not_the_usual_one_are_said(text: str, tabs: bool, names: list[str], value: str) -> None:
    header, columns, facts, _ = read_delimited("t", text, tabs=tabs)
    assert header == names
    assert all(len(column) == text.count("\n") - 1 - text.startswith("sep") for column in columns)
    assert fact(facts, "delimiter").value == value
