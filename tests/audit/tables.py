"""Small tables for the audit's tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headstart.audit.duplicates import Pairs
from headstart.data.table import Table, objects


def texts(
    inputs: Sequence[str], targets: Sequence[Any] | None = None, split: Sequence[str] | None = None, task: str = ""
) -> Table:
    """A table of texts with the ids "a", "b", …, or "0", "1", … where there are more than 26."""
    n = len(inputs)
    names = [chr(97 + i) if n <= 26 else str(i) for i in range(n)]
    parts = np.array([""] * n if split is None else split, dtype="U5")
    task = task or ("" if targets is None else "classification")
    return Table(np.array(names), objects(inputs), None if targets is None else objects(targets), parts, "text", task)


def pairs(*links: tuple[int, int, float]) -> Pairs:
    """(first, second, similarity) of each pair."""
    first, second, similarity = zip(*links, strict=True) if links else ((), (), ())
    how = tuple("content" if s == 1 else "words" for s in similarity)
    return Pairs(np.array(first, int), np.array(second, int), np.array(similarity, np.float32), how)


def clouds(per_class: int, classes: int = 3, width: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features [n, width] float32 in one well separated cloud a class, and the classes [n]."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), per_class)
    return (4 * np.eye(classes, width)[y] + rng.normal(size=(len(y), width))).astype(np.float32), y
