"""From a source to rows ready to learn from: opened, featurised, unreadable rows set aside, split, test sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.controls.panel import left_out
from headstart.data import strata
from headstart.data.seal import SealedTest, seal
from headstart.data.split import assign, check
from headstart.data.table import PARTS, Fact, Opened, Rejected, Table
from headstart.delivery.parts import earlier_parts
from headstart.errors import SourceError, SplitError
from headstart.flow.near import Near, near_of
from headstart.modalities import get
from headstart.progress import Progress
from headstart.records import ReadingRecord
from headstart.settings import FitSettings
from headstart.tasks import Task
from headstart.tasks import get as get_task
from headstart.training.extracted import Effort, Extracted
from headstart.training.features import extract
from headstart.training.rows import TrainRows
from headstart.training.weights import row_weights, weight_facts


@dataclass(frozen=True)
class Rows:
    """Some rows with their features: what heads and controls are fitted on or judged by.

    Attributes:
        table: the rows.
        vectors: [n, width] float32 of the base.
        classical: [n, d] float32 for the image control, or None.
        y: targets as the task encodes them.
        keys: [n] content hashes (hex).
        clusters: [n] int: rows of one cluster are near duplicates, or at least equal, and are not to be parted.
        weights: [n] float64, mean 1 over all working rows: how much each counts in training; None: all the same.
    """

    table: Table
    vectors: np.ndarray
    classical: np.ndarray | None
    y: np.ndarray
    keys: np.ndarray
    clusters: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.table)

    def span(self, start: int, stop: int) -> Rows:
        """The rows from ``start`` to before ``stop``; nothing is copied."""
        some = slice(start, stop)
        classical = None if self.classical is None else self.classical[some]
        table = self.table.take(np.arange(start, stop))
        weights = None if self.weights is None else self.weights[some]
        own = (self.vectors[some], classical, self.y[some], self.keys[some], self.clusters[some])
        return Rows(table, *own, weights)

    def control_inputs(self) -> Sequence[Any] | np.ndarray:
        """What the controls take: classical features of images, the texts themselves."""
        return self.classical if self.classical is not None else list(self.table.inputs)

    def units(self) -> np.ndarray:
        """[n] int: rows that no held-out part may split: those of one group or cluster, in chains."""
        return strata.units(self.table.groups, self.clusters, len(self))


def train_rows(rows: Rows) -> TrainRows:
    """Prepared rows as training takes them."""
    return TrainRows(rows.table.inputs, rows.keys, rows.y, rows.vectors, weights=rows.weights)


@dataclass(frozen=True)
class _Known:
    """What is known of m rows besides what their table holds; fields as in `Rows`."""

    vectors: np.ndarray
    classical: np.ndarray | None
    keys: np.ndarray
    clusters: np.ndarray

    @classmethod
    def of(cls, features: Extracted, clusters: np.ndarray, rows: np.ndarray) -> _Known:
        """Of ``rows`` [m] of the ``features`` [n]; copied, so that these need not be kept."""
        classical = None if features.classical is None else features.classical[rows]
        return cls(features.vectors[rows], classical, features.keys[rows], clusters[rows])

    def rows(self, table: Table, task: Task) -> Rows:
        """With their ``table`` [m]."""
        targets: Sequence[Any] | np.ndarray = [] if table.targets is None else table.targets
        return Rows(table, self.vectors, self.classical, task.encode(targets), self.keys, self.clusters)


class SealedRows:
    """The test part with its features, behind the seal."""

    def __init__(self, sealed: SealedTest, known: _Known, task: Task) -> None:
        self._sealed, self._known, self._task = sealed, known, task

    def __len__(self) -> int:
        return len(self._sealed)

    @property
    def openings(self) -> int:
        """How often the test part was opened."""
        return len(self._sealed.openings)

    def open(self, reason: str) -> Rows:
        """The test rows; see `SealedTest.open`."""
        return self._known.rows(self._sealed.open(reason), self._task)


@dataclass(frozen=True)
class Prepared:
    """All that the climbing and judging need.

    Attributes:
        train, valid: the working rows, which are views of one array of features.
        task: target coding, fixed by the training rows.
        facts, rejected: what was inferred and set aside, over all steps.
        features: how the features came about; those of the test rows are behind the seal.
        rows: usable rows in all.
        valid_given: whether the source said which rows are the validation part.
        near: near duplicates among the usable rows.
        assigned: the usable rows with their parts, without targets; ``keys`` [rows] their content hashes.
        worked_on: training rows, then validation rows.
        foreknown: ids of test rows that an earlier run trained the base on.
        reading: how much of the texts the base reads; None of pictures.
    """

    train: Rows
    valid: Rows
    sealed: SealedRows
    task: Task
    facts: tuple[Fact, ...]
    rejected: tuple[Rejected, ...]
    features: Effort
    rows: int
    valid_given: bool
    near: Near
    assigned: Table
    keys: np.ndarray
    worked_on: Rows
    foreknown: frozenset[str] = frozenset()
    reading: ReadingRecord | None = None

    def working(self) -> Rows:
        """Training rows, then validation rows."""
        return self.worked_on


def prepare(
    opened: Opened, base: Base, settings: FitSettings, progress: Progress, seconds: float | None = None
) -> Prepared:
    """Features of all rows, unreadable ones set aside, the rest split and the test part sealed.

    Inputs of the test part pass through the frozen base like all others (one decode, one pass); its targets, and its
    features for any purpose, stay behind the seal.

    Args:
        seconds: that the features may take; None: as many as they need.

    Raises:
        SettingError: the features cannot be done in that time.
        SourceError: more than ``settings.max_rejected`` of the rows are unreadable.
        SplitError, LabelError: see `headstart.data.split.assign` and the tasks.
    """
    table = opened.table
    check(table, settings.split)  # what would fail after the features had better fail before
    earlier = earlier_parts(Path(settings.split.like)) if settings.split.like else None
    features = extract(base, table.inputs, classical=True, progress=progress, seconds=seconds)
    rejected = opened.rejected + tuple(
        Rejected(str(table.ids[row]), reason) for row, reason in sorted(features.rejected.items())
    )
    _check_rejected(rejected, len(table) + len(opened.rejected), settings.max_rejected)
    kept = table.take(features.kept)
    reading = None
    if features.read is not None:
        reading = get(base.modality).reading(base.spec, features.read[features.kept])
    long = _reading_facts(reading, table.modality)
    near = near_of(kept, features, base.key())
    together = np.full(len(table), -1)
    equal = np.unique(features.keys[features.kept], return_inverse=True)[1]
    together[features.kept] = near.clusters if settings.split.together else equal
    keys = features.keys[features.kept]
    assigned, facts = assign(kept, settings.split, together[features.kept], keys, earlier)
    foreknown, told = _foreknown(base, assigned, features.keys[features.kept])
    sealed = seal(assigned)[1] if settings.split.test else SealedTest(assigned.part("test"))
    train, valid, test = (np.flatnonzero(assigned.split == part) for part in PARTS)
    learnt, row_of = assigned.take(train).targets, np.flatnonzero(features.kept)
    task = get_task(table.task).from_targets([] if learnt is None else learnt)
    order = np.concatenate([train, valid])
    working = _Known.of(features, together, row_of[order]).rows(assigned.take(order), task)
    own = working.table.weights
    working = replace(working, weights=row_weights(working.y, task.labels, settings.class_weight, own))
    return Prepared(
        working.span(0, len(train)),
        working.span(len(train), len(order)),
        SealedRows(sealed, _Known.of(features, together, row_of[test]), task),
        task,
        opened.facts + _weight_facts(opened, settings) + base.facts + long + facts + told + _baseline_facts(task),
        rejected,
        features.effort(),
        len(kept),
        bool((table.split == "valid").any()),
        near,
        replace(assigned, targets=None, task=""),
        features.keys[features.kept],
        working,
        foreknown,
        reading,
    )


def _weight_facts(opened: Opened, settings: FitSettings) -> tuple[Fact, ...]:
    return weight_facts(opened.table, settings.source.weight, settings.class_weight)


def _baseline_facts(task: Task) -> tuple[Fact, ...]:
    return tuple(Fact("baseline left out", name, why) for name, why in left_out(task).items())


def _reading_facts(reading: ReadingRecord | None, modality: str) -> tuple[Fact, ...]:
    if reading is None or not reading.long:
        return ()
    own = get(modality)
    return (Fact(f"long {own.plural}", f"up to {reading.longest:,} {own.unit}", reading.sentence.rstrip(".")),)


def _foreknown(base: Base, assigned: Table, keys: np.ndarray) -> tuple[frozenset[str], tuple[Fact, ...]]:
    """The test rows that earlier runs trained the base on, and that said.

    Raises:
        SplitError: those are all.
    """
    test = assigned.split == "test"
    known = test & np.isin(keys.astype(str), sorted(base.learnt))
    if not known.any():
        return frozenset(), ()
    if known.sum() == test.sum():
        raise SplitError(
            f"an earlier run trained base {base.identity.name!r} on every one of the {int(test.sum()):,} test rows, so "
            "they show nothing; give a test set of other rows with --test."
        )
    reason = "an earlier run trained the base on them; gain and verdict leave them out"
    fact = Fact("leak", f"{int(known.sum()):,} of {int(test.sum()):,} test rows", reason)
    return frozenset(str(name) for name in assigned.ids[known]), (fact,)


def _check_rejected(rejected: tuple[Rejected, ...], rows: int, allowed: float) -> None:
    if not rejected:
        return
    first = rejected[0]
    if len(rejected) == rows:
        raise SourceError(f"none of the {rows} rows is usable; the first is {first.id} ({first.reason}).")
    if len(rejected) > allowed * rows:
        raise SourceError(
            f"{len(rejected)} of {rows} rows are unusable, more than --max-rejected {allowed:g} allows; "
            f"the first is {first.id} ({first.reason}). Correct them, or allow more."
        )
