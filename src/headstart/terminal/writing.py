"""Records as JSON, and rows as tables in the format that a file's name asks for."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from headstart.errors import OutputError, SettingError
from headstart.files import moved_into_place, write_atomically, writing
from headstart.plain import finite
from headstart.unicode import ESCAPES, writable

#: Extension of a file -> the format of the table in it.
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")
_BLOCK = 1000  # rows written at once


def as_json(record: dict[str, Any]) -> str:
    """Indented; numbers that are not finite become null."""
    return json.dumps(finite(record), indent=2, ensure_ascii=False)


def check_out(out: Path | None, overwrite: bool) -> None:
    """Refuse, before any work, a file that would be replaced unasked, or that could not be written.

    Raises:
        OutputError: ``out`` exists, is a folder, or lies where nothing can be written.
    """
    if out is None:
        return
    with writing(out):
        if out.is_dir():
            raise OutputError(f"{out} is a folder; give the name of a file in it.")
        if out.exists() and not overwrite:
            raise OutputError(f"{out} exists; pass --overwrite to replace it, or another --out.")
        above = next(place for place in (*out.absolute().parents,) if place.exists())
        if not above.is_dir():
            raise OutputError(f"cannot write {out}: {above} is a file, not a folder; choose another --out.")
        if not os.access(above, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write {out}: nothing can be written in {above}; choose another --out.")


def write_record(out: Path | None, record: dict[str, Any]) -> None:
    """Write ``record`` to ``out``; None: nowhere.

    Raises:
        OutputError: it cannot be written.
    """
    if out is not None:
        write_atomically(out, as_json(record) + "\n")


def format_of(out: Path | None, more: Sequence[str] = ()) -> str:
    """The format that the name of ``out`` asks for; "csv" for stdout.

    Args:
        more: further extensions that are allowed; each is the format of its own name, without the dot.

    Raises:
        OutputError: another extension, or none.
    """
    if out is None:
        return "csv"
    kind = out.suffix.lower()
    if kind in FORMATS or kind in more:
        return FORMATS.get(kind, kind[1:])
    allowed = " ".join([*FORMATS, *more])
    if kind in _EXCEL:
        raise OutputError(f"{out.name}: spreadsheets are not written; name it .csv, which they open ({allowed}).")
    what = f"files of type {kind} are not written" if kind else "the name has no extension, which says the format"
    raise OutputError(f"{out.name}: {what}; it is one of {allowed}.")


def check_json(json_lines: bool, out: Path | None, kind: str) -> None:
    """Refuse ``--json`` where the name of ``out`` asks for another format.

    Raises:
        SettingError: they disagree.
    """
    if json_lines and out is not None and kind != "jsonl":
        raise SettingError(f"--json writes JSON lines, but {out.name} asks for {kind}; drop --json, or name it .jsonl.")


def write_rows(out: Path | None, kind: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write ``rows`` of as many values as ``names`` as a table, as they come; None is stdout.

    Args:
        kind: "csv", "tsv", "jsonl", "parquet", or "txt": the first value of each row alone on a line.

    Raises:
        OutputError: it cannot be written.
    """
    if kind == "parquet":
        if out is None:
            raise OutputError("Parquet is not written to stdout; pass --out FILE.parquet.")
        columns: list[list[Any]] = [[] for _ in names]
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        write_parquet(out, names, columns)
        return
    if out is None:
        _write_text(sys.stdout, kind, names, rows)
        return
    with moved_into_place(out) as aside, aside.open("w", encoding="utf-8", errors=ESCAPES, newline="") as file:
        _write_text(file, kind, names, rows)


def _write_text(file: TextIO, kind: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    left = iter(rows)
    if kind in ("csv", "tsv"):
        file.write(_delimited([[writable(name) for name in names]], kind))
    while block := list(islice(left, _BLOCK)):
        if kind == "txt":
            file.write("".join(f"{_line(row[0])}\n" for row in block))
        elif kind == "jsonl":
            file.write("".join(_json_line(names, row) for row in block))
        else:
            file.write(_delimited((map(_cell, row) for row in block), kind))


def _json_line(names: Sequence[str], row: Sequence[Any]) -> str:
    record = finite(dict(zip(names, map(_plain, row), strict=True)))
    return json.dumps(record, ensure_ascii=False, default=str) + "\n"


def _delimited(rows: Iterable[Iterable[Any]], kind: str) -> str:
    buffer = io.StringIO()
    # A carriage return alone in a cell is quoted only if lines end with one; so they are ended here.
    writer = csv.writer(buffer, delimiter="\t" if kind == "tsv" else ",", lineterminator="\r\n")
    lines = []
    for row in rows:
        writer.writerow(row)
        lines.append(buffer.getvalue()[:-2])
        buffer.seek(0)
        buffer.truncate()
    return "".join(f"{line}\n" for line in lines)


def _cell(value: Any) -> Any:
    """A value as text in a cell: labels (a tuple) parted by semicolons, lists and objects as JSON."""
    value = _plain(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, tuple) and not any(";" in str(label) for label in value):
        return ";".join(map(str, value))
    return (
        json.dumps(finite(value), ensure_ascii=False, default=str) if isinstance(value, list | tuple | dict) else value
    )


def _line(value: Any) -> str:
    """A value alone on its line; line breaks in it are escaped."""
    text = str(_cell(value))
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _plain(value: Any) -> Any:
    """What numpy's numbers are in Python, and text that can be written."""
    if isinstance(value, np.generic):
        return value.item()
    return writable(value) if isinstance(value, str) else value


def write_parquet(out: Path, names: Sequence[str], columns: Sequence[list[Any] | np.ndarray]) -> None:
    """Write ``columns``, of as many values each, as a Parquet table.

    Args:
        columns: lists of values; or [n, d] float32, which become lists of d numbers, null where one is nan.

    Raises:
        OutputError: it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(list(map(_array, columns)), names=[writable(name) for name in names])
    with moved_into_place(out) as aside, aside.open("wb") as file:  # pyarrow takes no path that is not UTF-8
        pq.write_table(table, file)


def _array(column: list[Any] | np.ndarray) -> Any:
    """A column as pyarrow takes it; values of several types become text."""
    import pyarrow as pa

    if isinstance(column, np.ndarray):
        mask = pa.array(np.isnan(column).any(axis=1))
        return pa.FixedSizeListArray.from_arrays(pa.array(column.ravel()), column.shape[1], mask=mask)
    column = [list(map(_plain, v)) if isinstance(v, tuple) else _plain(v) for v in column]
    try:
        return pa.array(column)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([None if v is None else str(_cell(v)) for v in column])


def unused(name: str, taken: Iterable[str], ours: str = "predicted") -> str:
    """``name``, or where a column of the user's is called so, ``predicted_name``, ``predicted_name_2`` and so on."""
    known = {*taken}
    tried, number = name, 1
    while tried in known:
        tried = f"{ours}_{name}" if number == 1 else f"{ours}_{name}_{number}"
        number += 1
    return tried
