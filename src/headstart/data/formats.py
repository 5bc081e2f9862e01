"""Readers of table files: CSV, TSV, JSON lines and Parquet into a Sheet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.data.delimited import read_delimited
from headstart.data.naming import (
    FILE_NAMES,
    TABLE_TYPES,
    TARGET_NAMES,
    TEXT_NAMES,
    extension,
    modality_of,
    some,
)
from headstart.data.sheet import Sheet, as_number
from headstart.data.table import Fact
from headstart.errors import ColumnError, SourceError
from headstart.unicode import composed, writable

_CONVENTIONAL = frozenset([*TARGET_NAMES, *TEXT_NAMES, *FILE_NAMES])
#: The columns, what was inferred, and the line of each row.
_Read = tuple[dict[str, list[Any]], tuple[Fact, ...], Sequence[int]]


#: What the standard input is called in messages.
STDIN = "standard input"


def read_sheet(path: Path, named: Sequence[str] = ()) -> Sheet:
    """The table file at ``path``; ``named`` are columns the user named, which settles that there is a header.

    Raises:
        SourceError: not UTF-8, ragged, damaged, empty or without a header.
        ColumnError: two columns of one name.
    """
    readers = {"csv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet}
    try:
        columns, facts, lines = readers[TABLE_TYPES[extension(path.name)]](path)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    sheet = Sheet(writable(path.name), columns, path.parent, facts, lines)
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


def _read_csv(path: Path) -> _Read:
    # Everything is text, so that a label 007 stays 007 and a text "NA" is not taken for a gap.
    text = decoded(path.name, path.read_bytes())
    header, columns, facts, lines = read_delimited(path.name, text, tabs=extension(path.name) == ".tsv")
    names = [composed(cell.strip()) for cell in header]
    check_names(path.name, names)
    return dict(zip(names, columns, strict=True)), facts, lines


def decoded(name: str, data: bytes) -> str:
    """UTF-8 as text, without a byte-order mark.

    Raises:
        SourceError: it is not UTF-8; the line and what to do are named.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset counts from after a byte-order mark, if there is one.
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data[:at].count(b"\n") + 1
        guess = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
        files = "" if name == STDIN else f" {name} > utf8-{name}"
        raise SourceError(
            f"{name}: not UTF-8: byte {at} (line {line}) is 0x{data[at]:02x}; re-encode it, perhaps with: "
            f"iconv -f {guess} -t UTF-8{files}"
        ) from error


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
    return as_number(name) is not None or bool(modality_of(name)) or len(name.split()) > 4


def _read_jsonl(path: Path) -> _Read:
    # Not pyarrow.json: that turns text which looks like a date into a date, and names no line.
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    text = decoded(path.name, path.read_bytes())
    if extension(path.name) == ".json" and (whole := _whole(text)) is not None:
        rows = [_object(row, f"{path.name}: item {number}") for number, row in enumerate(whole, start=1)]
        return (*_by_column(path, rows), ())
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_once)
        except ValueError as error:
            raise SourceError(f"{path.name}: line {number} is not JSON: {error}.") from error
        rows.append(_object(row, f"{path.name}: line {number}"))
        lines.append(number)
    return (*_by_column(path, rows), lines)


def _by_column(path: Path, rows: list[dict[str, Any]]) -> tuple[dict[str, list[Any]], tuple[Fact, ...]]:
    names = dict.fromkeys(name for row in rows for name in row)
    check_names(path.name, [composed(name) for name in names])
    return {composed(name): [row.get(name) for row in rows] for name in names}, ()


def _whole(text: str) -> list[Any] | None:
    """The items of a file that is one list, or one object with a list called "data"; None: of neither kind."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        return None
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        return found["data"]
    return found if isinstance(found, list) and not _is_pair(found) else None


def _is_pair(row: Any) -> bool:
    """Whether it is a text and what is annotated of it, as spaCy writes them."""
    return isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], dict)


def _object(row: Any, where: str) -> dict[str, Any]:
    """A row of JSON; `SourceError` if it is neither an object nor a pair [text, {"entities": …}]."""
    if _is_pair(row):
        return {"text": row[0], **row[1]}
    if not isinstance(row, dict):
        raise SourceError(f'{where} is not an object such as {{"text": …, "label": …}}.')
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON whose keys are all different: of two equal ones Python would keep the last in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def _read_parquet(path: Path) -> _Read:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:  # pyarrow takes no path that is not UTF-8
            table = pq.ParquetFile(file).read()
        names = [composed(name) for name in table.column_names]
        labels = _label_names(table.schema.metadata or {})
        columns = [
            _named(column.to_pylist(), labels.get(name)) for name, column in zip(names, table.columns, strict=True)
        ]
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(f"{path.name}: not a readable Parquet file: {' '.join(str(error).split())[:200]}.") from error
    check_names(path.name, names)
    return dict(zip(names, columns, strict=True)), (), ()


def _label_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column of lists -> what its numbers are called, as `datasets` notes it in a Parquet file's schema."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        inner = {name: one[0] if isinstance(one, list) else one.get("feature") for name, one in features.items()}
        return {composed(name): one["names"] for name, one in inner.items() if isinstance(one, dict) and "names" in one}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):  # a note of another kind tells nothing
        return {}


def _named(values: list[Any], names: list[str] | None) -> list[Any]:
    """Lists of numbers as lists of ``names``; others, and where there are none, as they are."""

    def name(number: Any) -> Any:
        known = isinstance(number, int) and 0 <= number < len(names or ())
        return names[number] if names and known else number

    return values if names is None else [list(map(name, v)) if isinstance(v, list) else v for v in values]
