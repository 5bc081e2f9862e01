"""Clusters are the connected components of pairs."""

from __future__ import annotations

import numpy as np

from headstart.audit.clusters import clusters
from headstart.audit.duplicates import Pairs


def pairs(*rows: tuple[int, int]) -> Pairs:
    found = np.array(rows, int).reshape(-1, 2)
    return Pairs(found[:, 0], found[:, 1], np.ones(len(found)), ("content",) * len(found))


def test_rows_without_a_duplicate_are_clusters_of_their_own() -> None:
    assert clusters(pairs(), 3).tolist() == [0, 1, 2]


def test_chains_are_one_cluster_numbered_by_the_first_row() -> None:
    assert clusters(pairs((1, 4), (2, 4), (0, 3)), 6).tolist() == [0, 1, 1, 0, 1, 2]


def test_no_rows_are_no_clusters() -> None:
    assert clusters(pairs(), 0).tolist() == []
