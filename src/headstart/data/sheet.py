"""Raw columns as a reader found them, before anything is inferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.naming import some
from headstart.data.table import Fact, Opened
from headstart.errors import ColumnError, nearest
from headstart.unicode import composed


@dataclass(frozen=True)
class Sheet:
    """A table as read: every column a list of n Python values (str, number, bool, list, bytes, dict or None).

    Attributes:
        name: what rows are named after: "name:i", with i the row's line, or its number from 1.
        columns: column name -> its values, in the file's order.
        folder: where relative paths in the columns start.
        facts: what reading it already had to infer.
        lines: of each row the line it begins in, from 1 and as an editor shows it; () where there are no lines.
        group: the column of the documents that rows are of, where the form of the file tells; "" elsewhere.
    """

    name: str
    columns: dict[str, list[Any]]
    folder: Path
    facts: tuple[Fact, ...] = ()
    lines: Sequence[int] = ()
    group: str = ""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def row_id(self, row: int) -> str:
        """The id of the row with 0-based number ``row``."""
        return f"{self.name}:{self.lines[row] if self.lines else row + 1}"

    def column(self, name: str, option: str) -> list[Any]:
        """The values of a column that ``--option`` named.

        Raises:
            ColumnError: there is none of that name.
        """
        if name not in self.columns:
            raise ColumnError(
                f"{self.name}: no column {name!r} (asked for by --{option}); it has {some(self.columns, 12)}."
                f"{nearest(name, self.columns)}"
            )
        return self.columns[name]


@dataclass(frozen=True)
class Cells:
    """How the cells of the target column are written.

    Attributes:
        kind: "one" label or number, labels "parted" by a separator, a "list" of them, or "flags": a 0/1 vector; "tags":
            one a word of the input, which is a list of words; "spans": marked stretches of a text.
        separator: what parts the labels.
        length: places of a vector.
        style: how numbers are written, see `headstart.data.numerals.STYLES`; "" is plain.
    """

    kind: str = "one"
    separator: str = ""
    length: int = 0
    style: str = ""


@dataclass(frozen=True)
class Choice:
    """Which columns serve as what and how they are read; later sources are read by the first one's choice.

    Attributes:
        firm: whether the columns must be there; else those that a source lacks are inferred.
    """

    input: str
    targets: tuple[str, ...]
    modality: str
    task: str = ""
    cells: Cells = Cells()
    split: str | None = None
    firm: bool = True


@dataclass(frozen=True)
class Reading:
    """An opened source and, where it has columns, how they were read, and all of them by part."""

    opened: Opened
    choice: Choice | None = None
    sheets: tuple[Sheet, ...] = ()


class Unreadable(str):
    """A cell that is shown as it is and cannot be used.

    Attributes:
        reason: why not.
    """

    reason: str = ""

    @classmethod
    def because(cls, text: str, reason: str) -> Unreadable:
        """``text``, which cannot be used for that ``reason``."""
        own = cls(text)
        own.reason = reason
        return own


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN, NaT, NA, blank, "nan" or "null" ("NA" and "none" may be labels)."""
    if value is None:
        return True
    if isinstance(value, str):
        return value.strip().lower() in ("", "nan", "null")
    if isinstance(value, bytes | list | tuple | dict | set | np.ndarray):
        return False
    try:
        return bool(value != value)  # true of every kind of NaN and NaT, and of nothing else
    except TypeError:  # what pandas.NA raises, being neither
        return True


def as_flag(value: Any) -> bool | None:
    """0, 1, true or false in any spelling as a bool; None for anything else."""
    known = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
    return known.get(str(value).strip().lower())


def as_number(value: Any) -> float | None:
    """A number or a numeral as a float; None for anything else, bool included."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or "_" in value:  # float("1_0") is 10.0 in Python, but a label to everyone else
        return None
    try:
        return float(value)
    except ValueError:
        return None


def as_numbers(values: list[Any]) -> np.ndarray | None:
    """[k] float64 of the cells that are not empty, or None if any of them is no number or there is none."""
    numbers = []
    for value in values:
        if is_empty(value):
            continue
        number = as_number(value)
        if number is None:
            return None
        numbers.append(number)
    return np.array(numbers) if numbers else None


def as_text(value: Any) -> str:
    """A cell as text in composed Unicode; whole floats lose their ".0", so that 3.0 and 3 are one label."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return composed(value.decode("utf-8", "surrogateescape"))
    return "" if value is None else composed(str(value))
