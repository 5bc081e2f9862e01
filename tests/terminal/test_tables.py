"""Tables keep to the width of a page."""

from __future__ import annotations

import pytest

from headstart.terminal.tables import WIDTH, aligned, fitted, labelled, paragraph


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))  # whatever the terminal of the tests has


LONG = " ".join(f"word{i}" for i in range(60))


def test_long_cells_go_over_several_lines_of_their_column() -> None:
    lines = fitted([("name", "number", "why"), ("one", "12", LONG), ("two", "3", "short")], right=(1,), wrapped=(2,))
    assert max(map(len, lines)) <= WIDTH
    start = lines[0].index("why")
    assert lines[1].startswith("one ")
    assert not lines[2][:start].strip()
    assert " ".join(line[start:] for line in lines[1:-1]) == LONG
    assert lines[-1].split() == ["two", "3", "short"]


def test_what_one_column_does_not_need_the_other_gets() -> None:
    lines = fitted([("a", "short", LONG)], right=(), wrapped=(1, 2))
    assert lines[0].startswith("a  short  word0")
    assert max(map(len, lines)) > WIDTH - 10


def test_tables_that_fit_are_left_as_they_are() -> None:
    assert fitted([("a", "bb"), ("cc", "d")], right=(), wrapped=(1,)) == ["a   bb", "cc  d"]


def test_paragraphs_are_indented_and_keep_paths_and_hard_spaces() -> None:
    path = "~/" + "a-b/" * 40
    lines = paragraph(f"{LONG} {path} 93\u00a0%", "note: ")
    assert lines[0].startswith("note: word0")
    assert all(line.startswith("      ") for line in lines[1:])
    assert any(path in line for line in lines)
    assert lines[-1].endswith("93\u00a0%")


def test_facts_keep_intervals_and_commands_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    command = f"headstart fit {'photos/' * 20} --base b"
    for width in (60, 61, 62, 63, 64, 65, 66, 67, 80, 110):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = labelled(
            [("a name that is long", f"{LONG} 0.979 [0.889, 0.996] of 3"), ("none", ""), ("next", command)]
        )
        assert sum("[0.889, 0.996]" in line for line in lines) == 1
        assert lines[-1] == f"{'next':<21}{command}"
        assert [line for line in lines[:-1] if len(line) > width] == []
        assert not any(line.startswith("none") for line in lines)


def test_columns_line_up() -> None:
    assert aligned([("a", "10", "x"), ("long", "2", "")], right=(1,)) == ["a     10  x", "long   2"]
