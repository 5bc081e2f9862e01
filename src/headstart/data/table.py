"""The table of examples that every source is opened into."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.errors import ColumnError

#: The three parts of a split, in the order in which they are used; "" means not assigned yet.
PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Fact:
    """One thing inferred about the data and why, as told to the user before any work."""

    what: str
    value: str
    reason: str


_GUESSES = frozenset({"input column", "target column", "target", "modality", "task", "split", "split column"})


def remarks(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Those of ``facts`` that say what was found in the data, not what serves as what."""
    return tuple(fact for fact in facts if fact.what not in _GUESSES)


@dataclass(frozen=True)
class Rejected:
    """One row set aside: its id and the reason in words."""

    id: str
    reason: str


@dataclass(frozen=True)
class Table:
    """Examples, one a row; all columns have the same length n.

    Attributes:
        ids: [n] str, unique and stable between runs: a path relative to the source, or "file.csv:LINE" (from 1, as an
            editor shows it; of Parquet, which has no lines, the row).
        inputs: [n] object: for images an absolute path (str), encoded bytes, a PIL image or an array [h, w(, c)];
            for text a str, which of a table with a tag for each word is a `headstart.modalities.text.words.Words`.
        targets: [n] object: str (classification), tuple of str (multilabel), float (regression), tuple of str
            with one tag a word (tag; those of entities in IOB2); None: unlabelled.
        split: [n] str: one of `PARTS`, or "" where not assigned.
        modality: "image" or "text".
        task: "classification", "multilabel", "regression" or "tag"; "" for unlabelled tables.
        groups: [n] str or None: rows of one group never part.
        slices: name -> [n] str: columns to report the score by.
        weights: [n] float64 or None: how much each row counts in training, 0 or more.
    """

    ids: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray | None
    split: np.ndarray
    modality: str
    task: str = ""
    groups: np.ndarray | None = None
    slices: dict[str, np.ndarray] = field(default_factory=dict)
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        columns = {"inputs": self.inputs, "targets": self.targets, "split": self.split, "groups": self.groups}
        columns["weights"] = self.weights
        for name, column in {**columns, **self.slices}.items():
            if column is not None and len(column) != len(self.ids):
                raise ColumnError(f"column {name!r} has {len(column)} rows where the table has {len(self.ids)}.")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> Table:
        """The table of ``rows`` (indices or a boolean mask), in that order."""

        def cut(column: np.ndarray | None) -> np.ndarray | None:
            return None if column is None else column[rows]

        return replace(
            self,
            ids=self.ids[rows],
            inputs=self.inputs[rows],
            targets=cut(self.targets),
            split=self.split[rows],
            groups=cut(self.groups),
            slices={name: column[rows] for name, column in self.slices.items()},
            weights=cut(self.weights),
        )

    def part(self, name: str) -> Table:
        """The rows whose split is ``name``."""
        return self.take(self.split == name)


@dataclass(frozen=True)
class Columns:
    """The columns of a table that served as input and as targets, by name."""

    input: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """What opening a source gave: the usable rows, what was inferred, what was set aside, and which columns served."""

    table: Table
    facts: tuple[Fact, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    columns: Columns | None = None


def objects(values: Any) -> np.ndarray:
    """``values`` as a 1-D object array, never stacked into a matrix."""
    values = list(values)
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        out[i] = value
    return out
