"""Near duplicates among the rows of a run: what no split may part, and what a given split has parted."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.audit.clusters import clusters
from headstart.audit.duplicates import Pairs, near_duplicates
from headstart.bases.stored import pack, unpack
from headstart.cachedir import cache_root
from headstart.data.table import Table
from headstart.errors import BundleError
from headstart.files import write_atomically
from headstart.modalities import get
from headstart.ragged import row_vectors
from headstart.training.extracted import Extracted

FOLDER = "near"  # in the cache
_VERSION = 3  # to be raised whenever other pairs are found
_HOW = ("content", "picture hash", "words", "features")


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


def near_of(table: Table, features: Extracted, base: str) -> Near:
    """Near duplicates among the rows of ``table`` [n], which are those kept in ``features``; targets are not read.

    Found once for the same inputs seen by the same base, then taken from the cache.

    Args:
        base: its `Base.key`.

    Raises:
        OutputError: the cache folder cannot be written.
    """
    kept = features.kept
    keys = features.keys[kept]
    path = cache_root() / FOLDER / f"{_name(keys, table.modality, base)}.safetensors"
    pairs = _known(path)
    if pairs is None:
        vectors = row_vectors(features.vectors[kept] if features.rejected else features.vectors)
        classical = None if features.classical is None else features.classical[kept]
        small = get(table.modality).shapes(classical)
        pairs = near_duplicates(table.inputs, table.modality, keys, vectors, shapes=small)
        write_atomically(path, pack(_tensors(pairs)))
    return Near(pairs, clusters(pairs, len(table)))


def _name(keys: np.ndarray, modality: str, base: str) -> str:
    """What the pairs depend on, hashed: the inputs in their order, the base's features, and how pairs are found."""
    about = [str(_VERSION), modality, base, *(str(key) for key in keys)]
    return hashlib.sha256("\n".join(about).encode()).hexdigest()


def _tensors(pairs: Pairs) -> dict[str, np.ndarray]:
    how = np.array([_HOW.index(one) for one in pairs.how], dtype=np.int8)
    found = {"first": pairs.first, "second": pairs.second, "similarity": pairs.similarity, "how": how}
    return {**found, "unlooked": np.array([pairs.unlooked])}


def _known(path: Path) -> Pairs | None:
    """The pairs kept at ``path``; None where there are none, or none that can be read."""
    try:
        found = unpack(path, path.read_bytes())
        how = tuple(_HOW[one] for one in found["how"])
        os.utime(path)  # last used
        return Pairs(found["first"], found["second"], found["similarity"], how, int(found["unlooked"][0]))
    except (OSError, BundleError, KeyError, IndexError):
        return None
