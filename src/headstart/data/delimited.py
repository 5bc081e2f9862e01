"""CSV and TSV text as rows of cells: every line is a row, part of a quoted cell, or an error that names it.

A cell is quoted as RFC 4180 has it: it begins with a quote, ends with one before the next delimiter, and quotes inside
are doubled. Other quotes are characters of the text. A quote that opens a cell and is not closed so would swallow the
rows up to the next one; such lines are read as they stand, or refused.
"""

from __future__ import annotations

import bisect
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.data.naming import some
from headstart.data.sheet import as_number
from headstart.data.table import Fact
from headstart.errors import SourceError

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT = 50  # lines from which a delimiter is told


@dataclass
class _Found:
    """The rows so far, and the lines whose quotes had to be judged."""

    cells: list[str] = field(default_factory=list)  # row after row: a million small lists would cost more than reading
    starts: list[int] = field(default_factory=list)  # the line (1-based) in which each row begins
    plain: list[int] = field(default_factory=list)  # lines (1-based) whose quotes were read as characters
    long: list[str] = field(default_factory=list)  # lines "3-5" of cells that go over several


def read_delimited(
    name: str, text: str, *, tabs: bool
) -> tuple[list[str], list[list[str]], tuple[Fact, ...], list[int]]:
    """The column names, the columns, what is to be said about delimiter and quotes, and the line of each row.

    Args:
        name: of the file, for messages.
        text: all of it; lines end with LF, CRLF or CR.
        tabs: whether tabs are expected, as in a ``.tsv``, where a quote that does not fit is a character.

    Raises:
        SourceError: the table is empty, or a line has more or fewer cells than the header, or a quote that swallows
            lines.
    """
    lines = list(io.StringIO(text, newline=""))
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip("\r\n"):
        skipped += 1
    delimiter, facts, told = _delimiter(name, lines[skipped:], tabs)
    reader = _Reader(name, lines, delimiter)
    header = reader.header(skipped + told)
    if not any(cell.strip() for cell in header):
        raise SourceError(f"{name}: the table is empty; give a header and at least one row.")
    found = reader.read()
    return header, [found.cells[i :: len(header)] for i in range(len(header))], facts + _facts(found), found.starts


def _facts(found: _Found) -> tuple[Fact, ...]:
    facts = []
    if found.long:
        value = f"{len(found.long)} quoted {_plural(found.long, 'cell')} over several lines"
        facts.append(Fact("line breaks", value, f"kept in the cell: lines {some(found.long)}"))
    if found.plain:
        value = f"kept as characters in {len(found.plain)} {_plural(found.plain, 'line')}"
        facts.append(Fact("quotes", value, f"they do not enclose a whole cell: {some(found.plain)}"))
    return tuple(facts)


def _plural(items: Sequence[object], noun: str) -> str:
    return noun if len(items) == 1 else f"{noun}s"


def _delimiter(name: str, lines: Sequence[str], tabs: bool) -> tuple[str, tuple[Fact, ...], int]:
    """The delimiter, the fact where it is not the usual one, and how many lines said so (``sep=;`` of spreadsheets)."""
    first = lines[0].strip("\r\n") if lines else ""
    said = re.fullmatch(r"sep=([,;\t|])", first)
    if said:
        return said[1], (Fact("delimiter", _NAMES[said[1]], f"the first line of {name} is {first!r}"),), 1
    usual = "\t" if tabs else ","
    present = [d for d in dict.fromkeys((usual, ",", ";", "\t", "|")) if d in first]
    sample = [line.strip("\r\n") for line in lines[1:_LOOKED_AT] if line.strip("\r\n") and '"' not in line]
    even = [d for d in present if all(line.count(d) == first.count(d) for line in sample)]
    chosen = (even or present or [usual])[0]
    if chosen == usual:
        return usual, (), 0
    reason = f"the first line of {name} has {_NAMES[chosen]}"
    reason += f" and no {_NAMES[usual][:-1]}" if usual not in first else ", as many as each line that follows"
    return chosen, (Fact("delimiter", _NAMES[chosen], reason),), 0


class _Reader:
    """Goes through the lines of one table."""

    def __init__(self, name: str, lines: list[str], delimiter: str) -> None:
        self._name, self._lines, self._delimiter = name, lines, delimiter
        self._text = "".join(lines)
        self._starts = list(itertools.accumulate(map(len, lines), initial=0))  # of the lines in the text, and its end
        mark = re.escape(delimiter)
        # A cell, quoted (group 1) or plain (group 2), and what ends it; ``*+`` never gives a quote back.
        self._cell = re.compile(rf'(?:"((?:[^"]|"")*+)"|((?!")[^{mark}\r\n]*))({mark}|\r\n|\r|\n|\Z)')
        self._next = 0  # line
        self._width = 0
        self._kinds: dict[int, set[str] | str | None] = {}

    def header(self, line: int) -> list[str]:
        """The cells of the first line, counted from 0; what is read afterwards follows it."""
        self._next = line
        if line >= len(self._lines):
            return []
        parsed = self._parsed(line)
        cells, after = parsed if parsed is not None else (self._split(self._lines[line]), line + 1)
        self._next, self._width = after, len(cells)
        return cells

    def read(self) -> _Found:
        """Every row after the header; blank lines are nothing where a row has several cells."""
        found, lines, delimiter, width = _Found(), self._lines, self._delimiter, self._width
        while self._next < len(lines):
            line = lines[self._next]
            if '"' in line:
                found.starts.append(self._next + 1)
                found.cells += self._quoted(found)
                continue
            body = line.rstrip("\r\n")
            if body or width == 1:
                cells = body.split(delimiter)
                if len(cells) != width:
                    raise self._ragged(self._next, len(cells))
                found.starts.append(self._next + 1)
                found.cells += cells
            self._next += 1
        return found

    def _quoted(self, found: _Found) -> Sequence[str]:
        """The row that begins with the next line, which has a quote in it."""
        at = self._next
        parsed, plain = self._parsed(at), self._split(self._lines[at])
        whole = parsed is not None and len(parsed[0]) == self._width
        if parsed is not None and whole and not (parsed[1] > at + 1 and self._swallowed(at, parsed[1])):
            cells, self._next = parsed
            if self._next > at + 1:
                found.long.append(f"{at + 1}-{self._next}")
            return cells
        tabs = self._delimiter == "\t"
        if len(plain) != self._width or (parsed is not None and not whole and not tabs):
            raise self._ragged(at, len(plain) if parsed is None else len(parsed[0]))
        if self._lines[at].count('"') % 2 and not tabs:
            raise self._open(at, None if parsed is None else parsed[1])
        found.plain.append(at + 1)
        self._next = at + 1
        return plain

    def _split(self, line: str) -> list[str]:
        """The cells of a line whose quotes are characters."""
        return line.rstrip("\r\n").split(self._delimiter)

    def _parsed(self, line: int) -> tuple[list[str], int] | None:
        """The cells of the row that begins with ``line`` and the line after it; None if a quote is not closed right."""
        cells: list[str] = []
        at = self._starts[line]
        while True:
            found = self._cell.match(self._text, at)
            if found is None:
                return None
            cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
            at = found.end()
            if found[3] != self._delimiter:
                return cells, bisect.bisect_left(self._starts, at)

    def _swallowed(self, first: int, after: int) -> bool:
        """Whether the lines from ``first`` on, which one quoted cell holds together, look like rows of their own.

        Each has as many cells as the header. Where texts hold delimiters that can be chance, so the cells beside the
        quoted column must also be what that column holds elsewhere: one of few values, or a number.
        """
        rows = [self._split(self._lines[line]) for line in range(first, after)]
        if self._width == 1 or any(len(row) != self._width for row in rows):
            return False
        if self._delimiter == "\t":
            return True
        opened = next((i for i, cell in enumerate(rows[0]) if cell.startswith('"')), 0)
        beside = [(i, cell) for i, cell in enumerate(rows[0]) if i > opened]
        beside += [(i, cell) for row in rows[1:-1] for i, cell in enumerate(row) if i != opened]
        beside += [(i, cell) for i, cell in enumerate(rows[-1]) if i < opened]
        told = [fits for i, cell in beside if (fits := self._fits(i, cell)) is not None]
        return bool(told) and all(told)

    def _fits(self, column: int, cell: str) -> bool | None:
        """Whether ``cell`` is like those of a column of few values, or of numbers; None for any other column."""
        if column not in self._kinds:
            values = [row[column] for line in self._lines if '"' not in line and len(row := self._split(line)) > column]
            numeric = bool(values) and all(as_number(v) is not None for v in values)
            few = {v.strip() for v in values}
            self._kinds[column] = "number" if numeric else few if 2 * len(few) <= len(values) else None
        kind = self._kinds[column]
        if kind is None:
            return None
        return as_number(cell) is not None if kind == "number" else cell.strip() in kind

    def _ragged(self, line: int, count: int) -> SourceError:
        return SourceError(
            f"{self._name}: line {line + 1} has {count} fields where the header has {self._width}; "
            'quote fields that contain the delimiter ("a, b") and close every quote.'
        )

    def _open(self, line: int, after: int | None) -> SourceError:
        """A quote at the start of a cell of ``line``, closed only before line ``after`` or not as a cell ends."""
        upto = f"is closed in line {after} only, after lines that look like rows" if after else "is not closed there"
        return SourceError(
            f"{self._name}: line {line + 1} opens a quote that {upto}; close every quote at the end of its cell, and "
            'write a quote that belongs to the text twice ("").'
        )
