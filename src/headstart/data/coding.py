"""Target cells as targets: a label, a tuple of labels, or a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.infer_task import split_labels, two_readings
from headstart.data.labelling import label_facts, own_label
from headstart.data.lists import as_list
from headstart.data.naming import some
from headstart.data.numerals import example, styled, styles_of
from headstart.data.sheet import Cells, Choice, Sheet, as_flag, as_numbers, as_text, is_empty
from headstart.data.table import Fact, objects
from headstart.errors import LabelError
from headstart.tasks import get


def code_targets(sheet: Sheet, choice: Choice, rows: list[int]) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """[len(rows)] object: the targets of ``rows`` as `Table.targets` holds them.

    Raises:
        LabelError: a row has no label, a list of labels holds an empty one, or a regression target is no finite number.
        ColumnError: numbers that can be read in two ways.
    """
    if len(choice.targets) > 1:
        return _hot(sheet, choice.targets, rows)
    name = choice.targets[0]
    values = [sheet.columns[name][row] for row in rows]
    _refuse(sheet, name, rows, [is_empty(v) for v in values], "have no label", "fill them in or remove those rows")
    task = get(choice.task)
    if task.values:
        return _numbers(sheet, name, rows, values, choice.cells.style)
    if choice.cells.kind == "flags":
        return _places(sheet, name, rows, values, choice)
    if task.several:
        return _sets(sheet, name, rows, values, choice.cells)
    if choice.cells.kind == "list":
        values = _only_one(sheet, name, rows, values)
    return _classes(name, values)


def _refuse(sheet: Sheet, name: str, rows: list[int], bad: Sequence[bool], what: str, todo: str) -> None:
    """`LabelError` naming the first of the ``rows`` that are ``bad``."""
    found = [sheet.row_id(row) for row, wrong in zip(rows, bad, strict=True) if wrong]
    if found:
        where = f"{len(found)} of {len(rows)} rows {what} in column {name!r} ({some(found)})"
        raise LabelError(f"{sheet.name}: {where}; {todo}.")


def _hot(sheet: Sheet, names: tuple[str, ...], rows: list[int]) -> tuple[np.ndarray, tuple[Fact, ...]]:
    columns = {name: [as_flag(sheet.columns[name][row]) for row in rows] for name in names}
    for name, flags in columns.items():
        wrong = [flag is None for flag in flags]
        _refuse(sheet, name, rows, wrong, "hold neither 0 nor 1", "correct or remove those rows")
    targets = objects(tuple(n for n, flags in columns.items() if flags[i]) for i in range(len(rows)))
    return targets, _never(targets, names, "columns")


def _places(
    sheet: Sheet, name: str, rows: list[int], values: list[Any], choice: Choice
) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """0/1 vectors: the numbers of the places that hold 1."""
    length = choice.cells.length
    flags = [[as_flag(item) for item in as_list(v) or ()] for v in values]
    wrong = [len(row) != length or None in row for row in flags]
    _refuse(sheet, name, rows, wrong, f"hold no 0/1 vector of {length} places", "correct or remove those rows")
    sets = [tuple(str(i) for i, flag in enumerate(row) if flag) for row in flags]
    if get(choice.task).exclusive:
        several = [len(row) != 1 for row in sets]
        _refuse(sheet, name, rows, several, "have several labels or none", "pass --task multilabel")
        return objects(row[0] for row in sets), ()
    return objects(sets), _never(sets, tuple(map(str, range(length))), "places")


def _never(sets: Sequence[tuple[str, ...]] | np.ndarray, names: Sequence[str], what: str) -> tuple[Fact, ...]:
    """The labels that no row has, which so are none."""
    met = {label for row in sets for label in row}
    never = [name for name in names if name not in met]
    if not never:
        return ()
    return (Fact("labels", f"{len(never)} of {len(names)} {what} without a 1", f"no row has them: {some(never)}"),)


def _numbers(
    sheet: Sheet, name: str, rows: list[int], values: list[Any], usual: str
) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """The values; ``usual`` is the style of an earlier source, which settles what could be read in two ways."""
    fitting = styles_of(values)
    if len(fitting) == 2 and usual not in fitting:
        raise two_readings(sheet, name, values)
    style = (usual if usual in fitting else fitting[0]) if fitting else ""
    numbers = [styled(v, style) for v in values]
    wrong = [n is None or not math.isfinite(n) for n in numbers]
    what, todo = "hold no finite number", "regression needs numbers: correct or remove those rows"
    _refuse(sheet, name, rows, wrong, what, todo)
    if not style:
        return objects(numbers), ()
    shown = example(values)
    read = next(n for v, n in zip(values, numbers, strict=True) if repr(str(v).strip()) == shown)
    return objects(numbers), (Fact("numbers", style, f"column {name!r}: {shown} is read as {read}"),)


def _sets(
    sheet: Sheet, name: str, rows: list[int], values: list[Any], cells: Cells
) -> tuple[np.ndarray, tuple[Fact, ...]]:
    """Tuples of labels."""
    items = [_items(v, cells) for v in values]
    wrong = [any(is_empty(item) for item in row) for row in items]
    _refuse(sheet, name, rows, wrong, "have an empty label in their list", "name it or take it out")
    texts = [[item if isinstance(item, str) else as_text(item) for item in row] for row in items]
    facts = label_facts(name, (text for row in texts for text in row))
    return objects(tuple(dict.fromkeys(map(own_label, row))) for row in texts), facts


def _items(value: Any, cells: Cells) -> Sequence[Any]:
    if not isinstance(value, str) or cells.kind == "list":
        found = as_list(value)
        return [value] if found is None else found
    return split_labels(value, cells.separator)


def _only_one(sheet: Sheet, name: str, rows: list[int], values: list[Any]) -> list[Any]:
    """The only label in each list."""
    items = [_items(v, Cells("list")) for v in values]
    wrong = [len(row) != 1 or is_empty(row[0]) for row in items]
    _refuse(sheet, name, rows, wrong, "have several labels or none", "pass --task multilabel")
    return [row[0] for row in items]


def _classes(name: str, values: list[Any]) -> tuple[np.ndarray, tuple[Fact, ...]]:
    texts = [as_text(v) for v in values]
    labels = [own_label(text) for text in texts]
    numbers = as_numbers(values)
    if numbers is not None and not (numbers % 1 != 0).any():
        # "3.0" is what some writers make of a 3 in a column with gaps; 007 keeps its zeros.
        labels = [str(int(float(label))) if "." in label else label for label in labels]
    given = [v if isinstance(v, str) else text for v, text in zip(values, texts, strict=True)]
    return objects(labels), label_facts(name, given)
