"""What kind of task the target values make."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.lists import kind_of, lists_of
from headstart.data.naming import CLASS_WORDS, NUMBER_WORDS, some
from headstart.data.numerals import COMMA, example, styled, styles_of, unmistakable
from headstart.data.sheet import Cells, Sheet, as_flag, as_number, as_numbers, is_empty
from headstart.errors import ColumnError, SeveralTargets
from headstart.tasks import get

SEPARATORS = (";", "|", ",")
_FEW = 20  # up to so many distinct whole numbers are taken for classes
_SPARSE = 3  # times as many whole numbers between the least and the greatest as there are: these are measured
_SLIPS = 0.1  # of a column's cells, up to which what is not 0 or 1 among these is a slip
_WORDS = 3  # for a missing value, at most
_CURRENCY = r"[$€£¥₹]|USD|EUR|GBP|CHF|JPY|INR"
#: A number and what it is counted in: group 1 before it, or 3 after it.
_UNIT = re.compile(
    rf"((?:{_CURRENCY})?\s*)(?=\S)([+-]?[\d.,'\s]*\d)"
    rf"(\s*(?:%|{_CURRENCY}|[km]?g|lbs?|[kcm]?m|ft|in|years?|yrs?|days?|hours?|hrs?|h|min|s|°?[CF])?)",
    re.IGNORECASE,
)


def infer_task(sheet: Sheet, targets: Sequence[str], asked: str | None, input_name: str = "") -> tuple[str, Cells, str]:
    """(task, how the cells are written, the reason).

    Raises:
        SeveralTargets: several target columns of classes or values.
        ColumnError: several target columns that do not all hold 0 or 1; cells that can be read in two ways, or in none.
        SettingError: a task that the target columns cannot make.
    """
    if len(targets) > 1:
        return _of_columns(sheet, targets, asked, input_name)
    name = targets[0]
    values = [v for v in sheet.columns[name] if not is_empty(v)]
    lists = lists_of(sheet, name, values)
    if lists is not None:
        cells, reason = kind_of(sheet, name, lists)
        return asked or "multilabel", cells, "named by --task; " + reason if asked else reason
    if asked is not None and get(asked).several:
        return asked, _parted(_any_separator(values)), "named by --task"
    if asked is not None:
        return asked, Cells(), "named by --task"
    return _of_values(sheet, name, values)


def _of_columns(sheet: Sheet, targets: Sequence[str], asked: str | None, input_name: str) -> tuple[str, Cells, str]:
    way = " and then ".join(f"--target {shlex.quote(one)}" for one in targets)
    if any(_of_more(sheet.columns[one]) for one in targets) if asked is None else not get(asked).several:
        what = f"task {asked!r} takes one target column, but" if asked else "columns of 0 and 1 make one model, but"
        raise SeveralTargets(
            f"{sheet.name}: {what} {len(targets)} are named; fit one model a column: {way}.", tuple(targets), input_name
        )
    for name in targets:
        row = next((i for i, v in enumerate(sheet.columns[name]) if as_flag(v) is None), None)
        if row is not None:
            raise ColumnError(
                f"{sheet.name}: several target columns must hold 0 or 1 each, but {name!r} holds "
                f"{sheet.columns[name][row]!r} in row {sheet.row_id(row)}; correct it, or fit one model a column: "
                f"{way}."
            )
    return "multilabel", Cells(), f"{len(targets)} columns of 0 and 1, one a label"


def _of_more(values: list[Any]) -> bool:
    """Whether a column is of other values than 0 and 1, and not of those with a few slips."""
    known = [v for v in values if not is_empty(v)]
    return sum(as_flag(v) is None for v in known) > _SLIPS * len(known)


def _of_values(sheet: Sheet, name: str, values: list[Any]) -> tuple[str, Cells, str]:
    numbers, style = as_numbers(values), ""
    if numbers is None:
        style = _style(sheet, name, values)
        numbers = np.array([styled(v, style) for v in values], dtype=float) if style else None
    if numbers is not None:
        task, reason = _of_numbers(name, numbers)
        cells = Cells(style=style) if get(task).values else Cells()
        return task, cells, f"column {name!r} holds {reason}"
    _check_measures(sheet, name, values)
    for separator in SEPARATORS:
        if _parts_recur(values, separator):
            if separator == ",":
                _check_no_numbers(sheet, name, values)
            reason = f"column {name!r} holds labels parted by {separator!r} that recur in other combinations"
            return "multilabel", _parted(separator), f"{reason} (--task classification keeps them whole)"
    return "classification", Cells(), f"column {name!r} holds {len({str(v) for v in values})} distinct values"


def _of_numbers(name: str, numbers: np.ndarray) -> tuple[str, str]:
    """Fractions and measures are to be predicted as numbers; what is counted from 0 or 1 are the codes of classes."""
    values, rows_of = np.unique(numbers, return_counts=True)
    distinct, words = len(values), {*re.findall(r"[a-z]+", name.lower())}
    if not np.isfinite(values).all() or (numbers % 1 != 0).any():
        return "regression", "fractions"
    low, high = int(values[0]), int(values[-1])
    span = f"{distinct} distinct whole numbers from {low} to {high}"
    keep, counted = "(--task classification keeps them as classes)", low in (0, 1) and distinct == high - low + 1
    if distinct > _FEW and 2 * distinct > len(numbers):
        return "regression", f"numbers, {distinct} distinct in {len(numbers)} rows {keep}"
    if distinct > _FEW and rows_of.min() == 1:  # a class of one example could not be learnt anyway
        alone = int((rows_of == 1).sum())
        return "regression", f"{span}, {alone} of them in one row only {keep}"
    sparse = high - low + 1 > _SPARSE * distinct
    if words & NUMBER_WORDS and not words & CLASS_WORDS and (distinct > _FEW or (distinct > 2 and sparse)):
        return "regression", f"{span}, and is named like a measure {keep}"
    if distinct > _FEW and not counted and not words & CLASS_WORDS:
        return "regression", f"{span}, not counted from 0 or 1 as codes of classes are {keep}"
    also = " (--task regression predicts them as numbers)" if distinct > 2 else ""
    return "classification", f"{span}{also}"


def _check_measures(sheet: Sheet, name: str, values: list[Any]) -> None:
    """`ColumnError` for numbers that something keeps from being numbers: a unit, or words for a missing value."""
    texts = [str(v).strip() for v in values]
    if len(set(texts)) <= _FEW:
        return
    advice = "or pass --task classification to keep every value as a class."
    units = [_UNIT.fullmatch(text) for text in texts]
    if all(units) and len({(m[1].strip(), m[3].strip()) for m in units if m}) == 1:
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds numbers with a unit, such as {texts[0]!r}; write the numbers alone "
            f"to predict them (--task regression), {advice}"
        )
    others = [text for text in texts if as_number(text) is None]
    if 2 * len(others) < len(texts) and len(set(others)) <= _WORDS and len(set(texts)) > _FEW + len(set(others)):
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds numbers, and {some(map(repr, sorted(set(others))))} in "
            f"{len(others)} of {len(texts)} rows; remove these rows to predict numbers (--task regression), {advice}"
        )


def _style(sheet: Sheet, name: str, values: list[Any]) -> str:
    """How numbers that are not plain are written; "" where the cells are no numbers.

    Raises:
        ColumnError: a comma between digits can be two things.
    """
    fitting = styles_of(values)
    if len(fitting) == 2:
        raise two_readings(sheet, name, values)
    by_semicolons = any(fact.what == "delimiter" and fact.value == "semicolons" for fact in sheet.facts)
    if not fitting or by_semicolons or unmistakable(values):
        return "".join(fitting)
    raise ColumnError(
        f"{sheet.name}: column {name!r} holds cells such as {example(values, COMMA)}, where the comma can belong to a "
        "number or separate two labels; pass --task regression or --task multilabel, or write numbers with a point."
    )


def two_readings(sheet: Sheet, name: str, values: list[Any]) -> ColumnError:
    """The refusal of numbers such as 1,234, which are a thousand and more in one country, under two in another."""
    return ColumnError(
        f"{sheet.name}: column {name!r} holds numbers such as {example(values)}, where comma or point can "
        "separate thousands or begin the fraction; write them plainly, like 1234 or 1.234."
    )


def _check_no_numbers(sheet: Sheet, name: str, values: list[Any]) -> None:
    """`ColumnError` where a comma stands between digits, as in "12,50 €", and not all pieces are whole numbers."""
    pieces = (piece for v in values for piece in split_labels(str(v), ","))
    if example(values, COMMA) and not all(piece.isdecimal() for piece in pieces):
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds cells such as {example(values, COMMA)}, where a comma between digits "
            "can belong to a number or separate two labels; write numbers alone and with a point, or pass "
            "--task multilabel or --task classification."
        )


def _parted(separator: str) -> Cells:
    return Cells("parted", separator) if separator else Cells()


def _parts_recur(values: list[Any], separator: str) -> bool:
    """No more pieces than combinations, and a piece in two of these: "Paris, France" alone is no list."""
    wholes = {str(v).strip() for v in values}
    if not any(separator in whole for whole in wholes):
        return False
    seen: dict[str, int] = {}
    for whole in wholes:
        for piece in split_labels(whole, separator):
            seen[piece] = seen.get(piece, 0) + 1
    return len(seen) <= len(wholes) and max(seen.values(), default=0) > 1


def _any_separator(values: list[Any]) -> str:
    texts = [v for v in values if isinstance(v, str)]
    return next((s for s in SEPARATORS if any(s in text for text in texts)), "")


def split_labels(cell: str, separator: str) -> tuple[str, ...]:
    """The labels in one cell, each once, in their order; the whole cell where there is no separator."""
    pieces = cell.split(separator) if separator else [cell]
    return tuple(dict.fromkeys(p.strip() for p in pieces if p.strip()))
