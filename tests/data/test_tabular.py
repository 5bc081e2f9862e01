"""Tables: what is read from them, and each way in which they can be broken."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from headstart.data.source import open_source, open_sources
from headstart.errors import ColumnError, LabelError, SourceError, SplitError, UserError
from headstart.settings import SourceSettings
from tests.data.making import fact, touch, write

ROWS = ['"good, really",pos', "bad,neg", "fine,pos"]


def test_csv(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text,label", *ROWS))
    table = opened.table
    assert table.ids.tolist() == ["t.csv:2", "t.csv:3", "t.csv:4"]
    assert table.inputs.tolist() == ["good, really", "bad", "fine"]
    assert table.targets is not None
    assert table.targets.tolist() == ["pos", "neg", "pos"]
    assert (table.modality, table.task) == ("text", "classification")


def test_tsv_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"text": ["a b", "c, d"], "label": ["x", "y"]}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    write(tmp_path / "t.tsv", "text\tlabel", *("\t".join(r.values()) for r in rows))
    write(tmp_path / "t.jsonl", *map(json.dumps, rows))
    write(tmp_path / "t.ndjson", *map(json.dumps, rows))
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    for kind in ("tsv", "jsonl", "ndjson", "parquet"):
        table = open_source(tmp_path / f"t.{kind}").table
        assert table.targets is not None
        assert (table.inputs.tolist(), table.targets.tolist()) == (columns["text"], columns["label"])
        first = 2 if kind == "tsv" else 1  # the line after the header
        assert table.ids.tolist() == [f"t.{kind}:{first}", f"t.{kind}:{first + 1}"]


def test_ids_are_lines_as_an_editor_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\r\ntext,label\r\na b,x\r\n\r\n"c\r\nd",y\r\n ,x\r\ne,y\r\n')
    opened = open_source(path)
    assert opened.table.ids.tolist() == ["t.csv:3", "t.csv:5", "t.csv:8"]
    assert [row.id for row in opened.rejected] == ["t.csv:7"]
    (tmp_path / "t.jsonl").write_text('\n{"text": "a b", "label": "x"}\n\n{"text": "c d", "label": "y"}\n')
    assert open_source(tmp_path / "t.jsonl").table.ids.tolist() == ["t.jsonl:2", "t.jsonl:4"]


def test_pandas_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setitem(sys.modules, "pandas", None)
    pq.write_table(pa.table({"text": ["a", "b"], "label": [1, 0]}), tmp_path / "t.parquet")
    assert len(open_source(tmp_path / "t.parquet").table) == 2
    assert len(open_source(write(tmp_path / "t.csv", "text,label", *ROWS)).table) == 3


def test_byte_order_mark_carriage_returns_and_quoted_newlines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbftext,label\r\n"two\nlines",x\r\nb,y\r\n')
    assert open_source(path).table.inputs.tolist() == ["two\nlines", "b"]


def test_semicolons_as_spreadsheets_write_them(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text;label", "a, b;x", "c;y"))
    assert opened.table.inputs.tolist() == ["a, b", "c"]
    assert fact(opened.facts, "delimiter").value == "semicolons"


def test_words_that_readers_take_for_gaps_or_dates_stay_text(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text,label", "NA,007", "null,NA", "2020-01-01,007"))
    assert opened.table.inputs.tolist() == ["NA", "null", "2020-01-01"]
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == ["007", "NA", "007"]
    lines = write(tmp_path / "t.jsonl", '{"text": "2020-01-01", "label": "a"}', '{"text": "x", "label": "b"}')
    assert open_source(lines).table.inputs.tolist() == ["2020-01-01", "x"]


def test_part_tables_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", "text,label", *ROWS)
    write(tmp_path / "dev.jsonl", '{"text": "x", "label": "pos"}')
    write(tmp_path / "test.tsv", "text\tlabel", "y\tneg")
    write(tmp_path / "sample.csv", "a,b", "1,2")
    opened = open_source(tmp_path)
    assert opened.table.split.tolist() == ["train"] * 3 + ["valid", "test"]
    assert opened.table.ids.tolist()[3:] == ["dev.jsonl:1", "test.tsv:2"]
    assert fact(opened.facts, "not read").value == "sample.csv"
    write(tmp_path / "valid.csv", "text,label", "x,pos")
    with pytest.raises(SplitError, match="valid split"):
        open_source(tmp_path)


def test_a_lone_table_beside_its_images(tmp_path: Path) -> None:
    touch(tmp_path, "images/1.png", "images/2.png")
    write(tmp_path / "labels.csv", "file,label", "images/1.png,a", "images/2.png,b")
    assert open_source(tmp_path).table.ids.tolist() == ["labels.csv:2", "labels.csv:3"]
    touch(tmp_path, "other/3.png")
    assert open_source(tmp_path).table.ids.tolist()[0] == "images/1.png"


def test_several_tables_of_no_part(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "text,label", *ROWS)
    write(tmp_path / "b.csv", "text,label", *ROWS)
    with pytest.raises(SourceError, match=r"several tables \(a.csv, b.csv\)"):
        open_source(tmp_path)


def test_image_paths(tmp_path: Path) -> None:
    touch(tmp_path, "data/im/1.png", "elsewhere/2.png", "data/notes.txt")
    lines = ["im/1.png,a", f"{tmp_path}/elsewhere/2.png,b", "im/3.png,a", ",a", "notes.txt,a"]
    lines += [f"im/1.png,{label}" for label in "ab" * 20]
    opened = open_source(write(tmp_path / "data" / "t.csv", "path,label", *lines))
    assert opened.table.modality == "image"
    assert opened.table.inputs[:2].tolist() == [
        str(tmp_path / "data/im/1.png"),
        str(tmp_path / "elsewhere/2.png"),
    ]
    reasons = {r.id: r.reason for r in opened.rejected}
    assert reasons == {
        "t.csv:4": "no such file: im/3.png",
        "t.csv:5": "no image: the cell is empty",
        "t.csv:6": "not an image file, by its extension: notes.txt",
    }


def test_images_inside_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [{"bytes": b"png1", "path": "1.png"}, {"bytes": b"png2", "path": None}]
    pq.write_table(pa.table({"image": cells, "label": ["a", "b"]}), tmp_path / "t.parquet")
    table = open_source(tmp_path / "t.parquet").table
    assert table.modality == "image"
    assert table.inputs.tolist() == [b"png1", b"png2"]


def test_empty_texts_are_set_aside_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text,label", "a,x", ",x", "  ,", "b,y"))
    assert opened.table.ids.tolist() == ["t.csv:2", "t.csv:5"]
    assert [(r.id, r.reason) for r in opened.rejected] == [
        ("t.csv:3", "empty text"),
        ("t.csv:4", "empty text"),
    ]


def test_blank_lines_of_a_one_column_table_are_rows(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "t.csv", "text", "one", "", "three"))
    assert opened.table.ids.tolist() == ["t.csv:2", "t.csv:4"]
    assert [r.id for r in opened.rejected] == ["t.csv:3"]


def test_groups_and_slices(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label,who,site", "a,x,p1,", "b,y,p2,s")
    table = open_source(path, SourceSettings(group="who", slices=("site",))).table
    assert table.groups is not None
    assert table.groups.tolist() == ["p1", "p2"]
    assert table.slices["site"].tolist() == ["", "s"]
    with pytest.raises(ColumnError, match=r"1 of 2 rows have no group in column 'site' \(t.csv:2\)"):
        open_source(path, SourceSettings(group="site"))


@pytest.mark.parametrize("empty", ["", " ", "nan", "NaN", "null"])
def test_empty_labels_name_their_rows(tmp_path: Path, empty: str) -> None:
    path = write(tmp_path / "t.csv", "text,label", "a,x", f"b,{empty}", "c,y", f"d,{empty}")
    with pytest.raises(LabelError, match=r"2 of 4 rows have no label in column 'label' \(t.csv:3, t.csv:5\)"):
        open_source(path)


def test_null_and_nan_labels_of_typed_tables(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '{"text": "a", "label": null}', '{"text": "b", "label": NaN}', '{"text": "c"}')
    write(path, *path.read_text().splitlines(), '{"text": "d", "label": 1}')
    with pytest.raises(LabelError, match="3 of 4 rows"):
        open_source(path)


LATIN = "text,label\nja,x\ncafé,y\n".encode("latin-1")


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        ("t.csv", LATIN, SourceError, r"not UTF-8: byte 19 \(line 3\) is 0xe9.*iconv -f WINDOWS-1252"),
        ("t.csv", b"\xef\xbb\xbf" + LATIN, SourceError, r"byte 22 \(line 3\)"),
        ("t.csv", "text,label\na,x\n".encode("utf-16"), SourceError, "iconv -f UTF-16"),
        ("t.jsonl", LATIN, SourceError, "not UTF-8"),
        (
            "t.csv",
            b'text,label\n"a\nb",x\nc,d,e\n',
            SourceError,
            "line 4 has 3 fields where the header has 2",
        ),
        ("t.csv", b"text,label\na,x\nb\n", SourceError, "line 3 has 1 fields"),
        ("t.csv", b'text,label\na,x\n"b,y\nc,z\n', SourceError, "close every quote"),
        ("t.csv", b"", SourceError, "the table is empty"),
        ("t.csv", b"\n\n", SourceError, "the table is empty"),
        ("t.csv", b"text,label\n", SourceError, "the table has no rows"),
        ("t.jsonl", b"\n", SourceError, "the table has no rows"),
        ("t.csv", b"how do I get a card,card\nwhere is it,card\nhi,greet\n", SourceError, "looks like data"),
        ("t.csv", b"a.png,cat\nb.png,dog\n", SourceError, "looks like data"),
        ("t.csv", b"hello,greet\nbye,leave\nhi,greet\n", SourceError, "looks like data"),
        ("t.csv", b"text,label,label\na,b,c\n", ColumnError, "duplicate column names 'label'"),
        ("t.csv", b"text,label, label\na,b,c\n", ColumnError, "duplicate column names 'label'"),
        ("t.jsonl", b'{"text": "a", "label": "x"}\n{"text": \n', SourceError, "line 2 is not JSON"),
        ("t.jsonl", b'["a"]\n', SourceError, "line 1 is not an object"),
        ("t.parquet", b"PAR1 not really", SourceError, "not a readable Parquet file"),
        ("t.xlsx", b"PK", SourceError, r"files of type .xlsx are not supported; supported: .*\.csv"),
        ("t", b"x", SourceError, "no extension"),
        ("t.csv", b"text,label\n,x\n ,y\n", SourceError, "none of its 2 rows is usable.*t.csv:2: empty text"),
        ("t.csv", b"path,label\na.png,x\nb.png,y\n", SourceError, "none of its 2 rows.*no such file: a.png"),
        ("t.csv", b"path,label\na.wav,x\nb.wav,y\n", SourceError, "none of its 2 rows.*no such file: a.wav"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, content: bytes, kind: type[UserError], message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(kind, match=message) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)


def test_a_header_is_taken_where_the_user_names_a_column_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "hello,greet", "bye,leave", "hi,greet")
    table = open_source(path, SourceSettings(input="hello", target=("greet",))).table
    assert table.inputs.tolist() == ["bye", "hi"]


def test_parquet_with_duplicate_columns(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    twice: Any = pa.table([["a"], ["b"]], names=["text", "text"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(ColumnError, match="duplicate"):
        open_source(tmp_path / "t.parquet")


def test_labels_and_columns_in_two_forms_of_unicode_are_one(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    train = write(tmp_path / "a.csv", f"text,{two},who", f"x,{one},{one}", f"y,{two},{two}", f"z,b,{two}")
    test = write(tmp_path / "b.csv", f"text,{one},who", f"u,{two},c", "v,b,c")
    settings = SourceSettings(target=(two,), group="who", slices=("who",))
    opened = open_sources(train, test=test, settings=settings)
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == [one, one, "b", one, "b"]
    assert opened.table.groups is not None
    assert opened.table.groups.tolist() == [one, one, one, "c", "c"]
    assert [f.what for f in opened.facts if "labels in decomposed Unicode" in f.reason] == ["labels", "test labels"]
    both = write(tmp_path / "c.csv", f"text,{one},{two}", "x,a,b")
    with pytest.raises(ColumnError, match="duplicate column names 'café'"):
        open_source(both)


def test_labels_that_look_alike_are_said(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "text,label", "a,new york", "b,new\u00a0york", "c,b", "d,b\u200b", "e,\ufeffb")
    said = [f.reason for f in open_source(path).facts if f.what == "labels"]
    assert "2 look alike and are kept apart: 'new york' and 'new\\xa0york'" in said
    assert "3 look alike and are kept apart: 'b' and 'b\\u200b' and '\\ufeffb'" in said


def test_texts_and_labels_that_are_no_unicode(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"text {i}", "label": "caf\udce9" if i % 2 else "b"}) for i in range(4)]
    opened = open_source(write(tmp_path / "t.jsonl", *lines))
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == ["b", "caf\\xe9", "b", "caf\\xe9"]
    assert "2 labels are not valid Unicode" in fact(opened.facts, "labels").reason
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv"))
    assert open_source(write(place, "text,label", *ROWS)).table.ids[0] == "caf\\xe9.csv:2"


@pytest.mark.parametrize("empty", ["", "  ", "\t"])
def test_an_empty_path_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    write(tmp_path / "t.csv", "text,label", *ROWS)
    monkeypatch.chdir(tmp_path)
    assert len(open_source(".").table) == 3
    with pytest.raises(SourceError, match="an empty text came where a path is needed"):
        open_source(empty)
    with pytest.raises(SourceError, match="an empty text"):
        open_sources("t.csv", test=empty)
    with pytest.raises(SourceError, match="a list came"):
        open_source([{"text": "a"}])  # type: ignore[arg-type]
