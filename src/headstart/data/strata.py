"""What a split is balanced by, and which rows must stay together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from headstart.data.table import Table
from headstart.tasks import get

_BINS = 10


def labels_of(table: Table) -> list[tuple[str, ...]]:
    """The labels of every row, one for classification, any number for multilabel, none for regression."""
    return [()] * len(table) if table.targets is None else get(table.task).labels_in(table.targets.tolist())


def count_labels(labels: Iterable[tuple[str, ...]]) -> Counter[str]:
    """Label -> number of rows that have it."""
    return Counter(label for row in labels for label in row)


def strata(table: Table) -> np.ndarray:
    """[n] int64: the stratum of each row, by which a split is balanced.

    Classification: the class. Multilabel: the rarest label of the row (rows without labels form a stratum of
    their own); rare labels are what a draw would miss, frequent ones come out even without help. Regression:
    one of up to 10 quantile bins of the target, of at least 5 rows each.
    """
    if get(table.task).values:
        values = np.array(table.targets, dtype=float)
        bins = max(1, min(_BINS, len(values) // 5))
        return np.searchsorted(np.quantile(values, np.arange(1, bins) / bins), values, side="right")
    rows = labels_of(table)
    counts = count_labels(rows)
    rarest = [min(row, key=lambda label: (counts[label], label)) if row else "" for row in rows]
    return np.unique(np.array(rarest, dtype=str), return_inverse=True)[1]


def units(groups: np.ndarray | None, keys: np.ndarray | None, count: int) -> np.ndarray:
    """[n] int64: rows of one number stay together: a chain of equal groups or equal keys links them."""
    if groups is None and keys is None:
        return np.arange(count)
    known = [np.unique(c, return_inverse=True)[1] for c in (groups, keys) if c is not None]
    if len(known) == 1:
        return known[0]
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # A graph of groups and keys in which every row is an edge from its group to its key.
    size = int(known[0].max()) + 1
    nodes = size + int(known[1].max()) + 1
    graph = coo_array((np.ones(count, dtype=np.int8), (known[0], size + known[1])), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1][known[0]].astype(np.int64)
