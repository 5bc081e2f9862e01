"""Clusters of near duplicates: rows that no split should part."""

from __future__ import annotations

import numpy as np

from headstart.audit.duplicates import Pairs


def clusters(pairs: Pairs, n: int) -> np.ndarray:
    """[n] int: the connected components of ``pairs`` over ``n`` rows, numbered 0 … from the first row on.

    Every row without a near duplicate is a cluster of its own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), np.int8), (pairs.first, pairs.second)), shape=(n, n))
    found = connected_components(links, directed=False)[1]
    return _in_order(found)


def _in_order(found: np.ndarray) -> np.ndarray:
    """The same clusters, numbered by their first rows."""
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), int)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
