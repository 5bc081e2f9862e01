"""What a user asks a model about: texts, paths, lines of the standard input and whole sources, row by row."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.data.archive import is_archive
from headstart.data.conll import TAG_TYPES
from headstart.data.folder import files_in
from headstart.data.formats import STDIN, decoded
from headstart.data.naming import TABLE_TYPES, extension, modality_of
from headstart.data.sheet import Choice, Reading, Sheet, is_empty
from headstart.data.source import read_source
from headstart.data.table import Fact, remarks
from headstart.errors import ColumnError, SettingError, SourceError
from headstart.modalities import get
from headstart.settings import SourceSettings
from headstart.unicode import is_valid

#: How files of other kinds begin.
_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"PK\x03\x04": "a zip archive or an Office document",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"PAR1": "a Parquet table",
}


@dataclass
class Asked:
    """Rows in the order in which they were given, whether they could be opened or not.

    Attributes:
        names: what each row is called in messages: a path, "file.csv:LINE", the text itself.
        inputs: what the model is given; None where there is a reason.
        reasons: row -> why it cannot be read, as far as that is known without decoding it.
        columns: the columns of the tables, each as long as ``names``; None in rows of no table.
        shown: what stands for a row that is of no table; None in rows of one.
        found: rows that were found in a folder or an archive, where nobody counted on each of them.
        facts: what was passed over in folders and tables.
        notes: what else the user should be told.
        modality: "" before anything was told of it.
    """

    names: list[str] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    columns: dict[str, list[Any]] = field(default_factory=dict)
    shown: list[str | None] = field(default_factory=list)
    found: set[int] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    modality: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def readable(self) -> list[int]:
        """The rows without a reason."""
        return [row for row in range(len(self)) if row not in self.reasons]

    def add(self, name: str, value: Any, reason: str = "", shown: str | None = None) -> None:
        """One row; with a reason it has no input."""
        if reason:
            self.reasons[len(self)] = reason
        self.names.append(name)
        self.inputs.append(None if reason else value)
        self.shown.append(shown)

    def fill(self) -> None:
        """Make every column as long as there are rows."""
        for column in self.columns.values():
            column += [None] * (len(self) - len(column))


def gather(inputs: Sequence[str], modality: str | None, column: str | None = None, like: Choice | None = None) -> Asked:
    """Open every input: a path, "-" for lines of stdin, or (for texts) the text itself.

    Args:
        modality: of what is asked about; None: that of the first input, which all others must have.
        column: of tables, named by the user.
        like: how the table that the model was made from was read.

    Raises:
        SourceError: a path that does not exist, where images are asked for; a source of another modality.
        ColumnError: a table in which nothing could serve as the input.
    """
    asked = Asked(modality=modality or "")
    for given in inputs:
        if given == "-":
            _add_lines(asked)
        elif asked.modality and not get(asked.modality).files and not _is_path(given):
            _add_text(asked, given)
        elif not asked.modality and not _is_path(given) and not looks_like_file(given) and given.strip():
            asked.modality = "text"
            _add_text(asked, given)
        else:
            _add_source(asked, given, SourceSettings(input=column, target=(), modality=asked.modality or None), like)
    asked.fill()
    return asked


def looks_like_file(given: str) -> bool:
    """Whether ``given`` is one word that ends as the names of a modality's files do."""
    return bool(modality_of(given)) and not given.split()[1:]


def _add_text(asked: Asked, given: str) -> None:
    """An argument that is a text; its bytes are UTF-8 also where the locale is not."""
    try:
        text = given if is_valid(given) else os.fsencode(given).decode("utf-8")
    except ValueError:
        text = given
    asked.add(text if text.strip() else "an empty argument", text, shown=text)


def _lines_of_stdin(asked: Asked) -> list[str]:
    """The lines of stdin, whatever they end with; of a path the bytes are kept, a text must be UTF-8.

    They say the modality where it is not known: names of its files, or texts.

    Raises:
        SourceError: it is no text, or not in UTF-8.
    """
    raw = getattr(sys.stdin, "buffer", None)
    data = b"" if raw is None else raw.read()
    _refuse_binary(data, _lines_of(asked.modality))
    if not asked.modality:
        lines = [os.fsdecode(line).strip() for line in data.splitlines()]
        kinds = {modality_of(line) if looks_like_file(line) else "text" for line in lines if line}
        asked.modality = kinds.pop() if len(kinds) == 1 else "text"
    if raw is None:
        text = "".join(sys.stdin or ())
    else:
        text = os.fsdecode(data).removeprefix("\ufeff") if get(asked.modality).files else decoded(STDIN, data)
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


def _lines_of(modality: str) -> str:
    """What lines of the standard input may be."""
    if not modality:
        return "texts or paths"
    return f"paths of {get(modality).plural}" if get(modality).files else get(modality).plural


def _refuse_binary(data: bytes, kinds: str) -> None:
    """`SourceError` where ``data`` of stdin are no lines of text."""
    lines = f"give lines of {kinds}, or the file's name in place of -."
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{STDIN} is UTF-16, not UTF-8; re-encode it, perhaps with: iconv -f UTF-16 -t UTF-8")
    kind = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")
    if kind:
        raise SourceError(f"{STDIN} holds {kind}, which is no text; {lines}")
    if b"\0" in data:
        raise SourceError(f"{STDIN} holds null bytes, so it is no text in UTF-8; {lines}")


def _add_lines(asked: Asked) -> None:
    """The lines of stdin as texts or paths; blank ones are rows too, as long as there are others."""
    lines, modality = _lines_of_stdin(asked), asked.modality
    if not any(line.strip() for line in lines):
        return
    of_files = bool(get(modality).files)
    empty = "empty path" if of_files else f"empty {get(modality).noun}"
    for number, line in enumerate(lines, start=1):
        if line.strip():
            asked.add(line, str(Path(line)) if of_files else line, shown=line)
        else:
            asked.add(f"line {number} of {STDIN}", None, empty, shown=line)


def _is_path(given: str) -> bool:
    """Whether ``given`` is there, or is named like a data file; anything else, also nothing, is a text of its own."""
    named = extension(given) in (*TABLE_TYPES, *TAG_TYPES) or is_archive(given)
    try:
        return (bool(given.strip()) and Path(given).exists()) or (named and not given.split()[1:])
    except (OSError, ValueError):  # a text too long for a path, or with a null character
        return False


def _add_source(asked: Asked, given: str, settings: SourceSettings, like: Choice | None) -> None:
    try:
        reading = read_source(given, settings, like=like)
    except SettingError as error:  # the modality is the only setting that an input can be at odds with
        there = modality_of(given) or next((name for name, _ in files_in(Path(given)).most_common(1)), "")
        if not there or settings.modality is None:
            raise SourceError(str(error)) from error
        held, taken = get(there).plural, get(settings.modality).plural
        raise SourceError(f"{given} holds {held}, but this model takes {taken}.") from error
    except ColumnError as error:
        if like is None or settings.input:
            raise
        raise ColumnError(f"{error} The model was trained on column {like.input!r}.") from error
    opened = reading.opened
    asked.modality = opened.table.modality
    asked.facts += remarks(opened.facts)
    if reading.sheets:
        _add_sheets(asked, given, reading, like if settings.input is None else None)
        return
    before = len(asked)
    whole = len(opened.table) == 1 and Path(given).is_file() and bool(modality_of(given))
    for name, value in zip(opened.table.ids, opened.table.inputs, strict=True):
        called = given if whole else _name(given, str(name))
        asked.add(called, value, shown=called)
    for row in opened.rejected:
        asked.add(_name(given, row.id), None, row.reason, shown=_name(given, row.id))
    if not whole:
        asked.found |= set(range(before, len(asked)))


def _name(given: str, row: str) -> str:
    """A row's id as the user would write it: below the folder given, or the archive's own."""
    return str(Path(given) / row) if Path(given).is_dir() else row


def _add_sheets(asked: Asked, given: str, reading: Reading, like: Choice | None) -> None:
    """The rows of tables, unusable ones in their places, with all their columns."""
    opened, choice = reading.opened, reading.choice
    values = dict(zip(opened.table.ids.tolist(), opened.table.inputs, strict=True))
    reasons = {row.id: row.reason for row in opened.rejected}
    if like is not None and choice is not None and choice.input != like.input:
        asked.notes.append(
            f"{given} has no column {like.input!r}, which the model was trained on; column {choice.input!r} is read "
            "in its place (--input NAME names another)"
        )
    for sheet in reading.sheets:
        names = [sheet.row_id(row) for row in range(len(sheet))]
        kept, pictures = _plain_columns(sheet)
        if pictures:
            asked.notes.append(f"{sheet.name}: left out of the output: {', '.join(pictures)}, which holds pictures")
        for column, cells in kept.items():
            own = asked.columns.setdefault(column, [])
            own += [None] * (len(asked) - len(own)) + cells
        for name in names:
            asked.add(name, values.get(name), reasons.pop(name, ""), shown=name if pictures else None)
    for name, reason in reasons.items():  # a split of a saved data set
        asked.add(name, None, reason, shown=name)


def _plain_columns(sheet: Sheet) -> tuple[dict[str, list[Any]], list[str]]:
    """The columns of ``sheet`` that can be shown, and the names of those that hold encoded pictures."""
    pictures = [name for name, cells in sheet.columns.items() if _is_encoded(cells)]
    return {name: cells for name, cells in sheet.columns.items() if name not in pictures}, pictures


def _is_encoded(cells: Sequence[Any]) -> bool:
    first = next((cell for cell in cells if not is_empty(cell)), None)
    return isinstance(first, bytes) or (isinstance(first, dict) and isinstance(first.get("bytes"), bytes))
