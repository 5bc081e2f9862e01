"""Data that a program holds: data frames, arrays, lists, columns and `datasets`, opened as a table file is.

Nothing is written to disk, and pictures are not copied. A row is named by its place, as ``DataFrame[12]``, counted from
0 as Python and ``iloc`` do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.formats import check_names
from headstart.data.hf_folder import columns_of, splits_of
from headstart.data.inputs import is_picture
from headstart.data.naming import part_of
from headstart.data.sheet import Choice, Reading, Sheet
from headstart.data.table import Fact, Opened
from headstart.data.tabular import open_sheets
from headstart.data.tagged import is_words
from headstart.errors import ColumnError, SourceError
from headstart.settings import SourceSettings
from headstart.unicode import composed, writable

_ALLOWED = (
    "a path, a pandas or polars DataFrame, a pair (X, y) of inputs and targets, a dict of columns, a datasets.Dataset, "
    "or a list of inputs"
)
_X, _Y = "X", "y"
_CHANNELS = (1, 3, 4)
_SMALL = 8  # a side of fewer pixels is none: the axis may be one of channels


class HeldSheet(Sheet):
    """Columns in memory, whose rows are counted from 0."""

    def row_id(self, row: int) -> str:
        """``name[row]``."""
        return f"{self.name}[{row}]"


@dataclass(frozen=True)
class Memory:
    """Data in memory that `open_source` takes in place of a path.

    Attributes:
        name: of the kind of thing, which rows are named after and a run by default.
        said: what it is, with the number of its rows.
        sheets: (part, columns) pairs; part "" where it is not known.
        own: names of the input and the target columns that a pair was given; None where columns have names.
    """

    name: str
    said: str
    sheets: tuple[tuple[str, Sheet], ...]
    own: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        return f"from memory: {self.said}"

    def open(self, settings: SourceSettings, like: Choice | None = None) -> Reading:
        """As `headstart.data.tabular.open_sheets`; the columns of a pair need not be those of another source."""
        if self.own is None:
            return open_sheets(self.sheets, settings, like)
        _check_no_columns(self, settings, like)
        chosen = replace(settings, input=self.own[0], target=() if settings.target == () else self.own[1])
        if like is not None:
            chosen = replace(chosen, task=like.task or chosen.task, modality=like.modality)
        opened = open_sheets(self.sheets, chosen).opened
        return Reading(Opened(opened.table, tuple(map(_of_pair, opened.facts)), opened.rejected))


#: What `headstart.data.source.open_source` opens.
Source = str | os.PathLike[str] | Memory
#: What `in_memory` takes. The libraries whose tables these are need not be there, so no type can name them.
Data = Any


def in_memory(data: Any) -> Source:
    """``data`` as `open_source` takes it: a path as it is, what a program holds as `Memory`.

    Args:
        data: a path; a pandas or polars DataFrame, or a pyarrow Table; a ``datasets.Dataset`` or ``DatasetDict``; a
            dict of columns, or of parts (train, valid, test) of any of these; a pair ``(X, y)``; inputs alone.
            Inputs are texts, paths of pictures, PIL images, or arrays: [n, height, width] or [n, height, width,
            channels] for n pictures, or a list of one array a picture, each of a size of its own.

    Raises:
        SourceError: it is none of these, or arrays have a wrong shape.
        ColumnError: columns of differing lengths or of one name.
    """
    if isinstance(data, (str, os.PathLike, Memory)):
        return data
    if isinstance(data, tuple):
        return _pair(data)
    if _is_a(data, "datasets.DatasetDict") or (isinstance(data, Mapping) and _holds_parts(data)):
        return _parts(data)
    read = _columns_reader(data)
    if read is None:
        return _inputs_alone(data)
    name = _name(data)
    columns = _checked(name, read(data))
    return Memory(name, _said(name, len(next(iter(columns.values()))), "row"), (("", _sheet(name, columns)),))


def source_name(source: Source) -> str:
    """What a run or a part is called after its source: a file's name, or the kind of thing in memory."""
    return source.name if isinstance(source, Memory) else writable(Path(source).name)


def columns_in(data: Any) -> Sheet | None:
    """The columns of a data frame, a dict or a data set in memory; None where ``data`` has none."""
    read = _columns_reader(data)
    return None if read is None else _sheet(_name(data), _checked(_name(data), read(data)))


def _name(data: Any) -> str:
    return type(data).__name__


def _said(name: str, count: int, what: str) -> str:
    return f"{name} of {count:,} {what}{'s' * (count != 1)}"


def _sheet(name: str, columns: dict[str, list[Any]]) -> HeldSheet:
    return HeldSheet(name, columns, Path())


def _is_a(data: Any, *names: str) -> bool:
    """Whether ``data`` is of one of the classes "package.Class", or of one derived from it; nothing is imported."""
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(data).__mro__}
    return not kinds.isdisjoint(names)


def _columns_reader(data: Any) -> Callable[[Any], dict[str, list[Any]]] | None:
    """What reads the columns of ``data``; None where it is no table.

    Raises:
        SourceError: a table that has not been computed yet.
    """
    if _is_a(data, "polars.LazyFrame", "datasets.IterableDataset"):
        raise SourceError(
            f"a {_name(data)} came, whose rows are not there yet; give a table: for polars lazy_frame.collect(), for "
            "datasets load it without streaming=True."
        )
    if _is_a(data, "pandas.DataFrame"):
        return _of_pandas
    if _is_a(data, "polars.DataFrame", "pyarrow.Table"):
        return _of_named
    if _is_a(data, "datasets.Dataset"):
        return columns_of
    return _of_mapping if isinstance(data, Mapping) else None


def _of_pandas(frame: Any) -> dict[str, list[Any]]:
    names = [composed(str(name)) for name in frame.columns]
    check_names(_name(frame), names)
    return {name: frame.iloc[:, i].tolist() for i, name in enumerate(names)}


def _of_named(table: Any) -> dict[str, list[Any]]:
    names = list(getattr(table, "column_names", None) or table.columns)
    columns = (table.column(name) if hasattr(table, "column") else table.get_column(name) for name in names)
    lists = [one.to_pylist() if hasattr(one, "to_pylist") else one.to_list() for one in columns]
    return dict(zip(map(composed, names), lists, strict=True))


def _of_mapping(columns: Mapping[Any, Any]) -> dict[str, list[Any]]:
    return {composed(str(name)): _rows(values, str(name)) for name, values in columns.items()}


def _checked(name: str, columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The columns, with numbers of other libraries as Python's own."""
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{column!r} {length}" for column, length in lengths.items())
        raise ColumnError(f"{name}: its columns have different lengths ({told}); give one value a row in each.")
    if not columns or not max(lengths.values()):
        raise SourceError(f"{name}: it has no rows; give at least one.")
    return {column: [_plain(value) for value in values] for column, values in columns.items()}


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's, a tensor as an array; anything else as it is."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.ndarray) or not hasattr(value, "__array__") or is_picture(value):
        return value
    array = _array(value)
    return array if array.ndim else array.item()


def _array(values: Any) -> np.ndarray:
    try:
        return np.asarray(values)
    except Exception as error:  # tensors on another device raise what their library chooses
        raise SourceError(f"a {_name(values)} cannot be read as an array: {' '.join(str(error).split())}.") from error


def _pair(pair: tuple[Any, ...]) -> Memory:
    """``(X, y)``."""
    if len(pair) != 2:
        raise SourceError(
            f"a tuple of {len(pair)} came; a pair (X, y) has two: inputs and their targets. Put rows into a list, and "
            "give further data with valid= and test=."
        )
    inputs, columns = _rows(_one_column(pair[0]), _X), _target_columns(pair[1])
    for name, values in columns.items():
        if len(values) != len(inputs):
            where = name if name == _Y else f"column {name!r} of y"
            raise ColumnError(
                f"X has {len(inputs):,} inputs and {where} has {len(values):,} targets; give one target an input."
            )
    if _X in columns:
        raise ColumnError(f"y has a column {_X!r}, which is what the inputs are called; rename it.")
    sheet = _checked("rows", {_X: inputs, **columns})
    _check_inputs(sheet[_X])
    name = f"pair of {_name(pair[0])} and {_name(pair[1])}"
    return Memory("rows", _said(name, len(inputs), "row"), (("", _sheet("rows", sheet)),), (_X, tuple(columns)))


def _one_column(inputs: Any) -> Any:
    """The only column of a data frame; anything else as it is."""
    read = _columns_reader(inputs)
    if read is None:
        return inputs
    columns = read(inputs)
    if len(columns) != 1:
        raise SourceError(
            f"X is a {_name(inputs)} of {len(columns)} columns; give the one with the texts or pictures, or the whole "
            "table with input= and target=."
        )
    return next(iter(columns.values()))


def _target_columns(targets: Any) -> dict[str, list[Any]]:
    """The columns of ``y``; one called "y" where it is no table."""
    read = _columns_reader(targets)
    if read is not None:
        return read(targets)
    if isinstance(targets, str | bytes) or not isinstance(targets, Iterable):
        raise SourceError(f"y is {targets!r:.60}; give a list of targets, one an input.")
    values = targets if isinstance(targets, list | tuple) else _listed(targets)
    if isinstance(values, np.ndarray):
        values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        if values.ndim not in (1, 2):
            raise ColumnError(
                f"y is an array of shape {list(values.shape)}; give one target an input, [n], or [n, labels] of 0 and "
                "1, as a list or an array."
            )
        values = values.tolist()
    return {_Y: list(values)}


def _listed(values: Any) -> Any:
    """Of a Series or an array of any library its values: a list where it can give one, else an array."""
    for way in ("to_list", "to_pylist"):
        if hasattr(values, way):
            return getattr(values, way)()
    return _array(values) if hasattr(values, "__array__") else list(values)


def _rows(values: Any, name: str) -> list[Any]:
    """One row each of a list, a Series or an array; an array of more than two axes is one of pictures."""
    if is_picture(values) and not isinstance(values, np.ndarray):
        raise SourceError(f"{name} is one picture, where a list of rows is expected; put it into a list.")
    if isinstance(values, str | bytes | Mapping) or not (isinstance(values, Iterable) or hasattr(values, "__array__")):
        shown = f"{values!r:.60}" if isinstance(values, str) else f"a {_name(values)}"
        raise SourceError(f"{name} is {shown}, where a list of rows is expected; put it into a list.")
    found = values if isinstance(values, list | tuple) else _listed(values)
    if isinstance(found, np.ndarray):
        _check_stack(found, name)
        found = found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
        return found.tolist() if found.ndim < 2 else list(found)
    return list(found)


def _check_stack(values: np.ndarray, name: str) -> None:
    """`SourceError` for an array that is neither a column nor a stack of pictures."""
    shape = list(values.shape)
    if values.ndim == 1 or (values.ndim == 2 and (shape[1] == 1 or name == _Y)):
        return
    if values.ndim == 4 and shape[1] in _CHANNELS and min(shape[2:]) >= _SMALL:
        raise SourceError(
            f"{name} has the shape {shape}, which looks like [n, channels, height, width]; move the channels last: "
            f"{name}.transpose(0, 2, 3, 1)."
        )
    if values.ndim == 3 and shape[2] in _CHANNELS:
        raise SourceError(
            f"{name} has the shape {shape}, which is one picture [height, width, channels]; give a list of pictures."
        )
    if values.ndim not in (3, 4):
        raise SourceError(
            f"{name} is an array of shape {shape}; give pictures [n, height, width] or [n, height, width, channels], "
            "or one text or path a row, [n]."
        )


def _check_inputs(values: Sequence[Any]) -> None:
    """`SourceError` for numbers, and for pictures among texts."""
    odd = next((i for i, v in enumerate(values) if isinstance(v, int | float | complex) and v == v), None)
    if odd is not None:
        raise SourceError(
            f"{_X}[{odd}] is the number {values[odd]!r}; inputs are texts, paths of pictures, or pictures."
        )
    flat = next((v for v in values if isinstance(v, np.ndarray) and v.ndim < 2), None)
    if flat is not None:
        raise SourceError(
            f"{_X} holds arrays of shape {list(flat.shape)}; a picture is [height, width] or [height, width, channels]."
        )
    pictures = sum(is_picture(value) for value in values)
    texts = sum(isinstance(value, str) for value in values)
    if pictures and texts:
        raise SourceError(f"{_X} mixes {pictures:,} pictures with {texts:,} texts or paths; give inputs of one kind.")


def _inputs_alone(data: Any) -> Memory:
    """Inputs without targets."""
    if isinstance(data, bytes) or not (isinstance(data, Iterable) or hasattr(data, "__array__")):
        raise SourceError(f"a {_name(data)} came where data are expected; give {_ALLOWED}.")
    inputs = _rows(data, _X)
    sheet = _checked("rows", {_X: inputs})
    _check_inputs(sheet[_X])
    said = _said(_name(data), len(inputs), "input")
    odd = next((i for i, v in enumerate(inputs) if is_words(v) and any(len(word.split()) != 1 for word in v)), None)
    if odd is not None:
        raise SourceError(
            f"a {said} without targets came, and {_X}[{odd}] is a list of texts, not of single words; give a pair "
            "(inputs, targets), or a table as a dict of columns."
        )
    return Memory("rows", f"{said} without targets", (("", _sheet("rows", sheet)),), (_X, ()))


def _holds_parts(data: Mapping[Any, Any]) -> bool:
    """Whether a dict is one of parts: every name that of one, every value a table."""
    tables = all(isinstance(v, Mapping) or _columns_reader(v) is not None for v in data.values())
    return bool(data) and tables and all(part_of(name) for name in data)


def _parts(data: Mapping[Any, Any]) -> Memory:
    """A dict of tables, each a part; of a ``DatasetDict`` as of the folder that it is saved to."""
    splits, left = splits_of(_name(data), list(data))
    if left:
        raise SourceError(
            f"{_name(data)}: splits {', '.join(map(repr, left))} are none of train, valid and test; take "
            "them out or rename them."
        )
    sheets, rows = [], 0
    for part, name in splits.items():
        read = _columns_reader(data[name])
        columns = _checked(name, {} if read is None else read(data[name]))
        rows += len(next(iter(columns.values())))
        sheets.append((part, _sheet(str(name), columns)))
    return Memory(_name(data), _said(_name(data), rows, "row"), tuple(sheets))


def _check_no_columns(held: Memory, settings: SourceSettings, like: Choice | None) -> None:
    """`ColumnError` where settings name columns that a pair has not; what an earlier table was told may differ."""
    asked = {} if like else {"input": settings.input, "target": settings.target}
    asked |= {"group": settings.group, "slices": settings.slices, "split": settings.split}
    asked |= {"weight": settings.weight}
    named = [f"{name}=" for name, value in asked.items() if value not in (None, ())]
    if named:
        raise ColumnError(
            f"{held}: it has no columns of that name; drop {', '.join(named)}, or give a DataFrame or a dict."
        )


def _of_pair(fact: Fact) -> Fact:
    """The pair said which is which, not an option."""
    if fact.what not in ("input column", "target column") or fact.value == "none":
        return fact
    reason = "the first of the pair" if fact.what == "input column" else "the second of the pair"
    return replace(fact, reason=reason)


__all__ = ["Data", "Memory", "Source", "columns_in", "in_memory", "source_name"]
