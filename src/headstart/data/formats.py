"""Readers of table files: CSV, TSV, JSON lines and Parquet into a Sheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.data.naming import (
    FILE_NAMES,
    IMAGE_TYPES,
    TABLE_TYPES,
    TARGET_NAMES,
    TEXT_NAMES,
    extension,
    some,
)
from headstart.data.sheet import Sheet, as_number
from headstart.data.table import Fact
from headstart.errors import ColumnError, SourceError

_CONVENTIONAL = frozenset([*TARGET_NAMES, *TEXT_NAMES, *FILE_NAMES])


def read_sheet(path: Path, named: Sequence[str] = ()) -> Sheet:
    """The table file at ``path``; ``named`` are columns the user named, which settles that there is a header.

    Raises:
        SourceError: not UTF-8, ragged, damaged, empty or without a header.
        ColumnError: two columns of one name.
    """
    readers = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet}
    try:
        columns, facts = readers[TABLE_TYPES[extension(path.name)]](path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    sheet = Sheet(path.name, columns, path.parent, facts)
    if not len(sheet):
        raise SourceError(f"{path.name}: the table has no rows; give a header and at least one row.")
    if TABLE_TYPES[extension(path.name)] == "csv" and not set(named) & set(columns):
        _check_header(sheet)
    return sheet


def check_names(name: str, names: Sequence[str]) -> None:
    """Raise ColumnError if two of the columns have the same name."""
    twice = sorted({n for n in names if list(names).count(n) > 1})
    if twice:
        raise ColumnError(f"{name}: duplicate column names {some(map(repr, twice))}; rename or remove all but one.")


def _read_csv(path: Path) -> tuple[dict[str, list[Any]], tuple[Fact, ...]]:
    import pyarrow as pa
    import pyarrow.csv as pc

    data = path.read_bytes()
    text = _decoded(path.name, data)
    delimiter, facts = _delimiter(path.name, text)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if not any(cell.strip() for cell in header):
        raise SourceError(f"{path.name}: the table is empty; give a header and at least one row.")
    names = [cell.strip() for cell in header]
    check_names(path.name, names)
    try:
        # Everything is read as text, so that a label 007 stays 007 and a text "NA" is not taken for a gap.
        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(use_threads=False, block_size=min(len(data) + 1, 2**31 - 1)),
            parse_options=pc.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1
            ),
            convert_options=pc.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(path.name, text, delimiter, len(names), error) from error
    return {name: table.column(i).to_pylist() for i, name in enumerate(names)}, facts


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset counts from after a byte-order mark, if there is one.
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data[:at].count(b"\n") + 1
        guess = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
        raise SourceError(
            f"{name}: not UTF-8: byte {at} (line {line}) is 0x{data[at]:02x}; re-encode it, perhaps with: "
            f"iconv -f {guess} -t UTF-8 {name} > utf8-{name}"
        ) from error


def _delimiter(name: str, text: str) -> tuple[str, tuple[Fact, ...]]:
    if extension(name) == ".tsv":
        return "\t", ()
    first = text[: text.find("\n") if "\n" in text else len(text)]
    for other, word in ((";", "semicolons"), ("\t", "tabs")):
        if "," not in first and other in first:
            return other, (Fact("delimiter", word, f"the first line of {name} has {word} and no comma"),)
    return ",", ()


def _ragged(name: str, text: str, delimiter: str, width: int, error: Exception) -> SourceError:
    """Name the line at which the table breaks; only Python's reader counts lines inside quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row and len(row) != width:
                return SourceError(
                    f"{name}: line {reader.line_num} has {len(row)} fields where the header has {width}; "
                    'quote fields that contain the delimiter ("a, b") and close every quote.'
                )
    except csv.Error as problem:
        return SourceError(f"{name}: line {reader.line_num} cannot be parsed: {problem}.")
    return SourceError(f"{name}: cannot be parsed as a table: {' '.join(str(error).split())[:200]}.")


def _check_header(sheet: Sheet) -> None:
    """A first line of cells that look like data, none a usual column name, means a missing header."""
    if any(name.lower() in _CONVENTIONAL for name in sheet.columns):
        return
    for name, values in sheet.columns.items():
        if _looks_like_data(name) or (name and name in values):
            raise SourceError(
                f"{sheet.name}: the first line ({some(map(repr, sheet.columns), 3)}) looks like data, "
                "not column names; put a header such as text,label above it, or use --input and --target."
            )


def _looks_like_data(name: str) -> bool:
    return as_number(name) is not None or extension(name) in IMAGE_TYPES or len(name.split()) > 4


def _read_jsonl(path: Path) -> tuple[dict[str, list[Any]], tuple[Fact, ...]]:
    # Not pyarrow.json: that turns text which looks like a date into a date, and names no line.
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(_decoded(path.name, path.read_bytes()).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SourceError(f"{path.name}: line {number} is not JSON: {error}.") from error
        if not isinstance(row, dict):
            raise SourceError(f'{path.name}: line {number} is not an object such as {{"text": …, "label": …}}.')
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}, ()


def _read_parquet(path: Path) -> tuple[dict[str, list[Any]], tuple[Fact, ...]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(f"{path.name}: not a readable Parquet file: {' '.join(str(error).split())[:200]}.") from error
    check_names(path.name, table.column_names)
    return {name: table.column(name).to_pylist() for name in table.column_names}, ()
