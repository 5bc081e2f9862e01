"""Near duplicates among the rows of a run: what no split may part, and what a given split has parted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.audit.clusters import clusters
from headstart.audit.duplicates import Pairs, near_duplicates
from headstart.data.table import Table
from headstart.modalities.classical import shapes
from headstart.training.extracted import Extracted


@dataclass(frozen=True)
class Near:
    """Pairs of rows that are nearly equal.

    Attributes:
        pairs: of row numbers among the usable rows.
        clusters: [n] int, the chain of near duplicates that each row belongs to.
    """

    pairs: Pairs
    clusters: np.ndarray

    @property
    def shared(self) -> np.ndarray:
        """[n] bool: the rows that are not alone in their cluster."""
        return np.bincount(self.clusters, minlength=1)[self.clusters] > 1

    def leaked(self, table: Table, part: str, learnt: tuple[str, ...]) -> frozenset[str]:
        """The ids of the rows of ``part`` that have a near duplicate in the parts ``learnt`` of ``table`` [n]."""
        source = np.isin(table.split, learnt)
        reached = np.zeros(len(table), dtype=bool)
        np.logical_or.at(reached, self.pairs.second, source[self.pairs.first])
        np.logical_or.at(reached, self.pairs.first, source[self.pairs.second])
        return frozenset(str(name) for name in table.ids[reached & (table.split == part)])

    def repeated(self, table: Table, part: str) -> frozenset[str]:
        """The ids of the rows of ``part`` that have a near duplicate among its rows before them."""
        rows = np.flatnonzero(table.split == part)
        first = rows[np.unique(self.clusters[rows], return_index=True)[1]]
        return frozenset(str(name) for name in table.ids[np.setdiff1d(rows, first)])


def near_of(table: Table, features: Extracted) -> Near:
    """Near duplicates among the rows of ``table`` [n], which are those kept in ``features``; targets are not read."""
    kept = features.kept
    small = None if features.classical is None else shapes(features.classical[kept])
    pairs = near_duplicates(table.inputs, table.modality, features.keys[kept], features.vectors[kept], shapes=small)
    return Near(pairs, clusters(pairs, len(table)))
