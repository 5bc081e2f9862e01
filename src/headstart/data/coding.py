"""Target cells as targets: a label, a tuple of labels, or a number."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headstart.data.infer_task import as_flag, split_labels
from headstart.data.naming import some
from headstart.data.sheet import Choice, Sheet, as_number, as_numbers, as_text, is_empty
from headstart.data.table import Fact, objects
from headstart.errors import LabelError


def code_targets(sheet: Sheet, choice: Choice, rows: list[int]) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """[len(rows)] object: the targets of ``rows`` as `Table.targets` holds them.

    Raises:
        LabelError: a row has no label, or a regression target is no finite number.
    """
    if len(choice.targets) > 1:
        return _hot(sheet, choice.targets, rows), ()
    name = choice.targets[0]
    values = [sheet.columns[name][row] for row in rows]
    _check_filled(sheet, name, rows, [row for row, v in zip(rows, values, strict=True) if is_empty(v)])
    if choice.task == "regression":
        return _numbers(sheet, name, rows, values), ()
    if choice.task == "multilabel":
        return objects(_labels(v, choice.separator) for v in values), ()
    return _classes(name, values)


def _check_filled(sheet: Sheet, name: str, rows: list[int], empty: list[int]) -> None:
    if empty:
        raise LabelError(
            f"{sheet.name}: {len(empty)} of {len(rows)} rows have no label in column {name!r} "
            f"({some(map(sheet.row_id, empty))}); fill them in or remove those rows."
        )


def _hot(sheet: Sheet, names: tuple[str, ...], rows: list[int]) -> np.ndarray:
    columns = [[as_flag(v) for v in sheet.columns[name]] for name in names]
    for name, flags in zip(names, columns, strict=True):
        bad = [row for row in rows if flags[row] is None]
        if bad:
            raise LabelError(
                f"{sheet.name}: {len(bad)} of {len(rows)} rows hold neither 0 nor 1 in column {name!r} "
                f"({some(map(sheet.row_id, bad))}); correct or remove those rows."
            )
    return objects(tuple(name for name, flags in zip(names, columns, strict=True) if flags[row]) for row in rows)


def _numbers(sheet: Sheet, name: str, rows: list[int], values: list[Any]) -> np.ndarray:
    numbers = [as_number(v) for v in values]
    bad = [row for row, n in zip(rows, numbers, strict=True) if n is None or not math.isfinite(n)]
    if bad:
        raise LabelError(
            f"{sheet.name}: {len(bad)} of {len(rows)} rows hold no finite number in column {name!r} "
            f"({some(map(sheet.row_id, bad))}); regression needs numbers: correct or remove those rows."
        )
    return objects(numbers)


def _labels(value: Any, separator: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple | np.ndarray):
        return tuple(dict.fromkeys(as_text(v).strip() for v in value if not is_empty(v)))
    return split_labels(as_text(value), separator)


def _classes(name: str, values: list[Any]) -> tuple[np.ndarray, tuple[Fact, ...]]:
    texts = [as_text(v) for v in values]
    labels = [text.strip() for text in texts]
    numbers = as_numbers(values)
    if numbers is not None and not (numbers % 1 != 0).any():
        # "3.0" is what some writers make of a 3 in a column with gaps; 007 keeps its zeros.
        labels = [str(int(float(label))) if "." in label else label for label in labels]
    trimmed = sum(a != b for a, b in zip(texts, map(str.strip, texts), strict=True))
    if not trimmed:
        return objects(labels), ()
    return objects(labels), (Fact("labels", name, f"spaces around {trimmed} labels were taken off"),)
