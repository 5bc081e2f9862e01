"""Several labels in one cell: lists, lists written as text, and 0/1 vectors with a place for every label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.data.naming import some
from headstart.data.sheet import Cells, Sheet, as_flag, as_number
from headstart.errors import ColumnError

_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_ITEM = re.compile(
    r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"\[\](){}:][^,'"\[\](){}:]*))\s*""", re.DOTALL
)
_NUMBERS = re.compile(r"[-+.\deE]+(?:\s+[-+.\deE]+)+")
_NOTHING = frozenset({"None", "null", "nan", "NaN"})


def as_list(value: Any) -> list[Any] | None:
    """The items of a cell that is a list, or text that is written like one as Python, JSON or numpy do; else None."""
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return list(value)
    return _read(value.strip()) if isinstance(value, str) else None


def lists_of(sheet: Sheet, name: str, values: Sequence[Any]) -> list[list[Any]] | None:
    """[k] the items of the k cells of column ``name``, which are all lists; None where they are not.

    Raises:
        ColumnError: some cells are lists written as text and others are not; lists inside lists, or objects.
    """
    if any(map(_is_object, values)):
        shown = _cut(next(filter(_is_object, values)))
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds objects such as {shown}; a target cell is a label, a number, or a "
            "list of labels."
        )
    if not any(isinstance(v, list | tuple | np.ndarray) for v in values):
        return _written(sheet, name, values)
    lists = [items if not isinstance(v, str) and (items := as_list(v)) is not None else [v] for v in values]
    _check_flat(sheet, name, lists)
    return lists


def _written(sheet: Sheet, name: str, values: Sequence[Any]) -> list[list[Any]] | None:
    """The items of cells that are text; None where none of them, or nothing but a word in brackets, is a list."""
    texts = [v.strip() if isinstance(v, str) else "" for v in values]
    if not any(text[:1] in _BRACKETS or text.startswith("array(") for text in texts):
        return None
    nested = [text for text in texts if re.match(r"\[\s*[\[(].*[\])]\s*\]$", text, re.DOTALL)]
    if nested:
        raise _nested(sheet, name, nested[0])
    found = [_read(text) for text in texts]
    sure = [text for text, items in zip(texts, found, strict=True) if items is not None and _is_sure(text, items)]
    if not sure:
        return None
    lists = [items for items in found if items is not None]
    if len(lists) < len(found):
        others = [str(value) for value, items in zip(values, found, strict=True) if items is None]
        count = f"{len(lists)} of {len(found)} cells in column {name!r}"
        raise ColumnError(
            f"{sheet.name}: {count} are lists such as {_cut(sure[0])} and {len(others)} are not, such as "
            f"{_cut(others[0])}; write all of them in one way."
        )
    return lists


def _read(text: str) -> list[Any] | None:
    """The items of a list written as text; None where it is none."""
    written = re.fullmatch(r"array\((\[.*\])(?:, dtype=.*)?\)", text, re.DOTALL)
    text = written[1] if written else text
    if len(text) < 2 or _BRACKETS.get(text[0]) != text[-1]:
        return None
    inside = text[1:-1].strip()
    if _NUMBERS.fullmatch(inside):  # as numpy writes them
        numbers = [as_number(part) for part in inside.split()]
        return None if None in numbers else numbers
    items: list[Any] = []
    at = 0
    while at < len(inside):
        found = _ITEM.match(inside, at)
        if found is None:
            return None
        items.append(_item(found))
        at = found.end()
        if inside.startswith(",", at):
            at += 1
        elif at < len(inside) and (found[3] is not None or inside[at] not in "'\"" or not inside[at - 1].isspace()):
            return None  # numpy leaves the commas out, but not the space
    return items


def _item(found: re.Match[str]) -> Any:
    """A label, a number, or None."""
    quoted = found[1] if found[1] is not None else found[2]
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted) if "\\" in quoted else quoted
    bare = found[3].strip()
    if bare in _NOTHING:
        return None
    number = as_number(bare)
    return bare if number is None or not re.fullmatch(r"[+-]?(0|[1-9]\d*)(\.\d*)?|\.\d+", bare) else number


def _is_sure(text: str, items: Sequence[Any]) -> bool:
    """A word in brackets, [urgent], may be a label of its own; quotes, commas and numbers make a list."""
    return not items or len(items) > 1 or any(mark in text for mark in "'\",") or not isinstance(items[0], str)


def _is_object(value: Any) -> bool:
    if not isinstance(value, str) or "{" not in value:
        return isinstance(value, dict)
    return re.match(r"""\{\s*['"][^'"]*['"]\s*:.*\}$""", value.strip(), re.DOTALL) is not None


def _cut(shown: object) -> str:
    text = str(shown)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _nested(sheet: Sheet, name: str, shown: str) -> ColumnError:
    return ColumnError(
        f"{sheet.name}: column {name!r} holds lists inside lists such as {_cut(shown)}; a target cell holds one "
        "list of labels."
    )


def _check_flat(sheet: Sheet, name: str, lists: Sequence[Sequence[Any]]) -> None:
    inner = next((i for row in lists for i in row if isinstance(i, list | tuple | dict | set | np.ndarray)), None)
    if inner is not None:
        raise _nested(sheet, name, str(inner))


def kind_of(sheet: Sheet, name: str, lists: Sequence[Sequence[Any]]) -> tuple[Cells, str]:
    """Whether the lists hold labels, or are 0/1 vectors with a place for every label; and the reason in words.

    Lists of nothing but 0 and 1 are vectors if they are equally long, or if one of them has a value twice, which a list
    of labels has not.

    Raises:
        ColumnError: vectors of differing lengths, or lists of fractions.
    """
    lengths = sorted({len(row) for row in lists})
    flags = all(as_flag(item) is not None for row in lists for item in row)
    twice = any(len({as_flag(item) for item in row}) < len(row) for row in lists) if flags else False
    if flags and len(lengths) == 1 and lengths[0] > 1:
        told = f"0/1 vectors of {lengths[0]} places, one a label, counted from 0"
        return Cells("flags", length=lengths[0]), f"column {name!r} holds {told}"
    if flags and twice:
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds lists of 0 and 1 of differing lengths ({some(lengths)}); give all of "
            "them one place a label, or list the labels by name."
        )
    fraction = next((i for row in lists for i in row if isinstance(i, float) and i % 1 != 0 and i == i), None)
    if fraction is not None:
        raise ColumnError(
            f"{sheet.name}: column {name!r} holds lists of numbers with fractions such as {fraction:g}, which are "
            "neither labels nor 0 and 1; give one value a row, or lists of labels."
        )
    return Cells("list"), f"column {name!r} holds lists of labels"
