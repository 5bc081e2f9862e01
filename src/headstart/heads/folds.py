"""Which rows are held out together while candidates are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.ragged import Ragged
from headstart.tasks import posed

#: Below this many rows every row is held out once; from it on, one part is held out and the rest trained on.
FEW_ROWS = 2_000
#: From this many rows on 3 parts tell candidates apart well enough, and cost 3 fits where 5 cost 5.
SOME_ROWS = 1_000
#: More held-out rows than this make the comparison no surer, only the training part smaller.
MOST_HELD_OUT = 5_000


def held_out(y: Any, task: str, *, seed: int, groups: np.ndarray | None = None) -> list[np.ndarray]:
    """Row indices of each held-out part: 5 parts below `SOME_ROWS`, 3 below `FEW_ROWS`, else one.

    The single part of many rows is a fifth of them, at most `MOST_HELD_OUT`. Classes are spread evenly over
    the parts; rows of one group stay together.

    Raises:
        SettingError: fewer than two rows, or fewer than two groups.
    """
    n = len(y)
    units, unit_of_row = _units(n, groups)
    if units < 2:
        what = "rows" if groups is None else "groups"
        raise SettingError(f"there are {units} {what} to choose a head on; at least 2 {what} are needed.")
    count = min(5 if n < SOME_ROWS else 3, units)
    if n >= FEW_ROWS:
        count = min(max(5, -(-n // MOST_HELD_OUT)), units)
    part_of_unit = _deal(y, task, units, unit_of_row, count, np.random.default_rng(seed))
    part = part_of_unit[unit_of_row]
    wanted = count if n < FEW_ROWS else 1
    return [np.flatnonzero(part == i) for i in range(wanted)]


def deal(y: Any, task: str, count: int, *, seed: int, groups: np.ndarray | None = None) -> list[np.ndarray]:
    """Row indices of ``count`` parts, fewer where there are fewer rows or groups; classes spread evenly over them.

    Of rows of several items, ragged ``y``, the rarest class of each row is spread.
    """
    units, unit_of_row = _units(len(y), groups)
    count = min(count, units)
    part = _deal(y, task, units, unit_of_row, count, np.random.default_rng(seed))[unit_of_row]
    return [np.flatnonzero(part == i) for i in range(count)]


def _classes(y: Any) -> np.ndarray:
    """[n] int: the class of each row; of a row of several items the rarest of theirs, -1 where it has none."""
    if not isinstance(y, Ragged):
        return np.asarray(y)
    out = np.full(len(y), -1, np.int64)
    counts = np.bincount(y.values)
    order = np.argsort(-counts[y.values], kind="stable")  # a rarer one comes later, and is written over
    out[y.rows[order]] = y.values[order]
    return out


def _units(n: int, groups: np.ndarray | None) -> tuple[int, np.ndarray]:
    """How many units are dealt, and the unit of each row [n]: a group, or the row itself."""
    if groups is None:
        return n, np.arange(n)
    names, unit_of_row = np.unique(groups, return_inverse=True)
    return len(names), unit_of_row.reshape(-1)


def _deal(y: Any, task: str, units: int, unit_of_row: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The part of each unit: shuffled, ordered by class and size, dealt like cards."""
    size = np.bincount(unit_of_row, minlength=units)
    label = np.zeros(units, np.int64)
    if posed(task).exclusive:
        label[unit_of_row[::-1]] = _classes(y)[::-1]
    order = np.lexsort((rng.permutation(units), -size, label))
    part = np.empty(units, np.int64)
    part[order] = np.arange(units) % count
    return part
