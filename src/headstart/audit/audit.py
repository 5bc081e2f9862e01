"""Everything that is looked for in data, once their features are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from headstart.audit.balance import find_imbalance
from headstart.audit.clusters import clusters
from headstart.audit.copies import find_copies
from headstart.audit.duplicates import near_duplicates
from headstart.audit.finding import SEVERITIES, Finding
from headstart.audit.giveaway import find_giveaways
from headstart.audit.inconsistent import find_inconsistent
from headstart.audit.inputs import find_constant, find_unreadable
from headstart.audit.labels import Suspects, find_label_mistakes, suspects
from headstart.audit.naive import Naive, naive_split
from headstart.audit.outliers import find_outliers
from headstart.audit.size import Size, find_small, size_of
from headstart.audit.topics import Topic, headline, topics
from headstart.data.strata import units as joined_units
from headstart.data.table import Fact, Rejected, Table
from headstart.modalities import get as get_modality
from headstart.notebook import panel
from headstart.plain import finite
from headstart.tasks import Task
from headstart.tasks import get as get_task

_TEST_SHARE = 0.2  # of the rows that will be drawn for the test where none is given


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        source: as given.
        modality, task: as opened; task "" for unlabelled data.
        rows: usable ones.
        parts: part -> rows; "" for rows that no part is given to.
        facts: what was inferred about the data.
        findings: worst first.
        not_looked_at: what could not be looked for, and why.
        read_test: whether a given test part was among the rows read.
        naive: what a split that parts copies and groups would claim; None where nothing has to stay together.
        size: what the number of rows allows; None for unlabelled data.
        clusters: sets of more than one row that are copies of each other.
        clustered_rows: rows in them.
        left_out: rows that the cleaned table leaves out; None where none was asked for.
        seconds: of each step.
        next_step: the command to go on with.
    """

    source: str
    modality: str
    task: str
    rows: int
    parts: dict[str, int]
    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    not_looked_at: tuple[str, ...] = ()
    read_test: bool = False
    naive: Naive | None = None
    size: Size | None = None
    clusters: int = 0
    clustered_rows: int = 0
    left_out: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    next_step: str = ""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The findings by kind, worst first."""
        return topics(self.findings)

    @property
    def headline(self) -> str:
        """How many kinds of each severity were found."""
        return headline(self.findings)

    def _repr_html_(self) -> str:
        """What a notebook shows: the headline, and each kind of finding with what to do."""
        rows = [(one.title, one.severity, one.suggestion) for one in self.topics]
        return panel(f"{self.source}: {self.headline}", self.not_looked_at, ("finding", "severity", "what to do"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        told = [
            {
                "kind": t.kind,
                "severity": t.severity,
                "sentence": t.sentence,
                "findings": len(t.findings),
                "rows": t.rows,
            }
            for t in self.topics
        ]
        matters = {} if self.naive is None else {"naive": asdict(self.naive) | {"matters": self.naive.matters}}
        cleaned: dict[str, Any] = finite(asdict(self) | {"headline": self.headline, "topics": told} | matters)
        return cleaned


@dataclass(frozen=True)
class Rows:
    """What an audit reads.

    Attributes:
        table: n usable rows.
        keys: [n] content hashes.
        vectors: [n, d] float32 features of the base.
        classical: [n, c] classical features of pictures, else None.
        rejected: rows set aside.
    """

    table: Table
    keys: np.ndarray
    vectors: np.ndarray
    classical: np.ndarray | None
    rejected: Sequence[Rejected] = ()


def audit(rows: Rows, source: str, facts: Sequence[Fact] = (), seed: int = 0) -> Audit:
    """Look for everything in ``rows``; ``seed`` draws parts and references."""
    table = rows.table
    learnable = table.targets is not None and len(set(map(str, table.targets))) > 1
    task = get_task(table.task).from_targets(table.targets) if learnable and table.targets is not None else None
    y = None if task is None else task.encode([] if table.targets is None else table.targets)
    labels = y if task is not None and task.exclusive else None
    small = get_modality(table.modality).shapes(rows.classical)
    pairs = near_duplicates(table.inputs, table.modality, rows.keys, rows.vectors, labels, shapes=small)
    cluster = clusters(pairs, len(table))
    units = joined_units(table.groups, cluster, len(table))
    found = [
        *find_copies(table, rows.keys, pairs),
        *find_unreadable(rows.rejected),
        *find_constant(table, rows.classical),
        *find_outliers(table, rows.vectors, seed),
        *find_imbalance(table),
        *find_giveaways(table, units, seed),
    ]
    naive = size = None
    found += [] if task is None else find_inconsistent(table, task)
    if task is not None and y is not None and not task.each:
        doubts = suspects(rows.vectors, y, task.name, task.outputs, units, seed)
        found += find_label_mistakes(table, y, task, doubts)
        naive = naive_split(rows.vectors, y, task.name, task.outputs, units, seed=seed)
        size = _size(table, y, task, doubts)
        found += find_small(size)
    counts = np.bincount(cluster)
    return Audit(
        source=source,
        modality=table.modality,
        task=table.task,
        rows=len(table),
        parts=dict(Counter(table.split.tolist())),
        facts=tuple(facts),
        findings=in_order(found),
        not_looked_at=tuple(_not_looked_at(table, task, pairs.unlooked)),
        read_test=bool((table.split == "test").any()),
        naive=naive,
        size=size,
        clusters=int((counts > 1).sum()),
        clustered_rows=int(counts[counts > 1].sum()),
    )


def in_order(found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Worst first, else as found."""
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _size(table: Table, y: np.ndarray, task: Task, doubts: Suspects) -> Size:
    given = int((table.split == "test").sum())
    judged = np.isfinite(doubts.suggested).all()
    return size_of(y, task, doubts.suggested if judged else None, given or round(_TEST_SHARE * len(table)))


def _not_looked_at(table: Table, task: Task | None, unlooked: int) -> list[str]:
    said = []
    if table.targets is None:
        said.append("label mistakes, classes and metadata that predict the label: the rows have no labels")
    elif task is None:
        said.append("label mistakes and metadata that predict the label: there is only one class")
    elif task.each:
        said.append(f"mistakes in the {task.plural} of single {task.items}, and metadata that predict them")
    elif task.several:
        said.append("metadata that predict the label: that is done for one label a row")
    if unlooked:
        said.append(f"{unlooked:,} pairs of inputs that might be near duplicates: there were too many to compare")
    return said
