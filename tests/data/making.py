"""Small sources for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.table import Fact, Table, objects


def touch(root: Path, *names: str) -> Path:
    """Empty files under ``root``: opening a folder must not look into them."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + "\n" for line in lines).encode(encoding))
    return path


def fact(facts: Iterable[Fact], what: str) -> Fact:
    """The only fact about ``what``."""
    (found,) = [f for f in facts if f.what == what]
    return found


def table(
    targets: Sequence[Any] | None,
    *,
    task: str = "classification",
    split: Sequence[str] | None = None,
    groups: Sequence[Any] | None = None,
) -> Table:
    count = len(targets) if targets is not None else 4
    return Table(
        ids=np.array([f"r{i:05}" for i in range(count)]),
        inputs=objects(f"text {i}" for i in range(count)),
        targets=None if targets is None else objects(targets),
        split=np.array(split if split is not None else [""] * count, dtype="U5"),
        modality="text",
        task=task if targets is not None else "",
        groups=None if groups is None else np.array([str(g) for g in groups]),
    )
