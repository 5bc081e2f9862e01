"""Several tables as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.data.table import Table
from headstart.errors import ColumnError, LabelError


def join(tables: Sequence[Table]) -> Table:
    """The rows of ``tables`` one after another; modality and task are the first one's.

    Raises:
        LabelError: some have targets and some have none.
        ColumnError: they differ in their slices.
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    if len({t.targets is None for t in tables}) > 1:
        raise LabelError("one source has labels and another has none; give labels in all of them.")
    if len({tuple(t.slices) for t in tables}) > 1:
        raise ColumnError("the slice columns must be in every source or in none.")
    if len({t.groups is None for t in tables}) > 1:  # only some files mark documents: elsewhere each row is its own
        tables = [replace(t, groups=t.ids) if t.groups is None else t for t in tables]
    return replace(
        first,
        ids=np.concatenate([t.ids for t in tables]),
        inputs=np.concatenate([t.inputs for t in tables]),
        targets=_stacked([t.targets for t in tables]),
        split=np.concatenate([t.split for t in tables]),
        groups=_stacked([t.groups for t in tables]),
        slices={name: np.concatenate([t.slices[name] for t in tables]) for name in first.slices},
        weights=_weights(tables),
    )


def _weights(tables: Sequence[Table]) -> np.ndarray | None:
    """Those of a part that has none are 1: it is the test set, which nothing is learnt from."""
    if all(t.weights is None for t in tables):
        return None
    return np.concatenate([np.ones(len(t)) if t.weights is None else t.weights for t in tables])


def _stacked(columns: list[np.ndarray | None]) -> np.ndarray | None:
    known = [column for column in columns if column is not None]
    return np.concatenate(known) if len(known) == len(columns) else None


def unique_ids(ids: np.ndarray, taken: np.ndarray, name: str) -> np.ndarray:
    """``ids`` with those that are also in ``taken`` prefixed by ``name``, until none collides."""
    out, known = [str(i) for i in ids], {str(i) for i in taken}
    own = set(out)
    for i, value in enumerate(out):
        if value not in known:
            continue
        while value in known or value in own:
            value = f"{name}/{value}"
        out[i] = value
        own.add(value)
    return np.array(out, dtype=str)
