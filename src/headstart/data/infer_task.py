"""What kind of task the target values make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.sheet import Sheet, as_numbers, is_empty
from headstart.errors import ColumnError, SettingError

SEPARATORS = (";", "|", ",")
_FEW = 20  # up to so many distinct whole numbers are taken for classes


def infer_task(sheet: Sheet, targets: Sequence[str], asked: str | None) -> tuple[str, str, str]:
    """(task, separator of several labels in one cell, the reason).

    Raises:
        ColumnError: several target columns that do not all hold 0 or 1.
        SettingError: a task that the target columns cannot make.
    """
    if len(targets) > 1:
        return _of_columns(sheet, targets, asked)
    values = [v for v in sheet.columns[targets[0]] if not is_empty(v)]
    if asked == "multilabel":
        return asked, _any_separator(values), "named by --task"
    if asked is not None:
        return asked, "", "named by --task"
    return _of_values(targets[0], values)


def _of_columns(sheet: Sheet, targets: Sequence[str], asked: str | None) -> tuple[str, str, str]:
    if asked not in (None, "multilabel"):
        raise SettingError(f"{sheet.name}: task {asked!r} takes one target column, but {len(targets)} are named.")
    for name in targets:
        row = next((i for i, v in enumerate(sheet.columns[name]) if as_flag(v) is None), None)
        if row is not None:
            raise ColumnError(
                f"{sheet.name}: several target columns must hold 0 or 1 each, but {name!r} holds "
                f"{sheet.columns[name][row]!r} in row {sheet.row_id(row)}; name one target, or correct it."
            )
    return "multilabel", "", f"{len(targets)} columns of 0 and 1, one a label"


def as_flag(value: Any) -> bool | None:
    """0, 1, true or false in any spelling as a bool; None for anything else."""
    known = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
    return known.get(str(value).strip().lower())


def _of_values(name: str, values: list[Any]) -> tuple[str, str, str]:
    if any(isinstance(v, list | tuple | np.ndarray) for v in values):
        return "multilabel", "", f"column {name!r} holds lists"
    numbers = as_numbers(values)
    if numbers is not None:
        distinct = len(np.unique(numbers))
        if (numbers % 1 != 0).any():
            return "regression", "", f"column {name!r} holds fractions"
        if distinct > _FEW and 2 * distinct > len(numbers):
            return (
                "regression",
                "",
                f"column {name!r} holds numbers, {distinct} distinct in {len(numbers)} rows",
            )
        return "classification", "", f"column {name!r} holds {distinct} distinct whole numbers"
    for separator in SEPARATORS:
        if _parts_recur(values, separator):
            reason = f"column {name!r} holds labels parted by {separator!r} that recur in other combinations"
            return "multilabel", separator, f"{reason} (--task classification keeps them whole)"
    return "classification", "", f"column {name!r} holds {len({str(v) for v in values})} distinct values"


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
