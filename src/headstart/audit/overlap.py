"""Overlap of the data with a sample of what a base was trained on, or with a list of its content hashes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.audit.duplicates import near_duplicates
from headstart.audit.finding import Finding, finding_id, shown
from headstart.data.naming import counted, some
from headstart.data.table import Table, objects
from headstart.errors import SourceError

_WHY = (
    "a base that has met an input in its own training may remember it, so a score on such rows flatters: it says "
    "little of inputs that are new to the base"
)
_SHOWN = 4


def read_hashes(path: Path) -> frozenset[str] | None:
    """The SHA-256 content hashes in a text file, one a line as sha256sum writes them; None if it is no text file.

    The content of a picture is its file's bytes, that of a text its UTF-8 bytes.

    Raises:
        SourceError: it cannot be read, is empty, or a line starts with no hash.
    """
    if path.is_dir() or path.suffix.lower() not in ("", ".txt", ".sha256", ".sha256sum"):
        return None
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not text"
        raise SourceError(f"{path}: the list of hashes cannot be read: {reason}.") from error
    hashes = [re.match(r"\\?([0-9a-fA-F]{64})(?:\s|$)", line.strip()) for line in lines]
    bad = next((i for i, found in enumerate(hashes) if found is None), None)
    if bad is not None or not hashes:
        what = f"line {bad + 1} is {lines[bad][:40]!r}" if bad is not None else "it is empty"
        raise SourceError(f"{path}: {what}; a list of hashes holds one SHA-256 of 64 hexadecimal digits a line.")
    return frozenset(found[1].lower() for found in hashes if found)


def overlap_by_hash(table: Table, keys: np.ndarray, known: frozenset[str], source: str) -> list[Finding]:
    """One finding for the rows of ``table`` [n] whose content hash, in ``keys`` [n], is ``known``."""
    rows = [row for row, key in enumerate(keys) if key in known]
    return [_finding(table, rows, source, "the same content", {})] if rows else []


def overlap_by_sample(
    table: Table,
    keys: np.ndarray,
    vectors: np.ndarray | None,
    sample: Sequence[Any] | np.ndarray,
    sample_keys: np.ndarray,
    sample_vectors: np.ndarray | None,
    source: str,
    small: tuple[np.ndarray, np.ndarray] | None = None,
) -> list[Finding]:
    """Up to two findings: rows that are in the sample, and rows that are nearly so.

    Args:
        table, keys, vectors: n rows, their content hashes and their features [n, d].
        sample, sample_keys, sample_vectors: the same of the m inputs to compare with.
        source: name of the sample.
        small: small grey versions of the pictures of both, [n, s] and [m, s].
    """
    found = overlap_by_hash(table, keys, frozenset(sample_keys[sample_keys != ""].tolist()), source)
    new = ~np.isin(sample_keys, keys)
    both = objects([*table.inputs, *(value for value, is_new in zip(sample, new, strict=True) if is_new)])
    joined = None
    if vectors is not None and sample_vectors is not None:
        joined = np.concatenate([vectors, sample_vectors[new]])
    grey = None if small is None else np.concatenate([small[0], small[1][new]])
    pairs = near_duplicates(both, table.modality, np.concatenate([keys, sample_keys[new]]), joined, shapes=grey)
    across = (pairs.first < len(table)) & (pairs.second >= len(table))
    likeness: dict[int, float] = {}
    for i in np.flatnonzero(across):
        row = int(pairs.first[i])
        likeness[row] = max(likeness.get(row, 0.0), float(pairs.similarity[i]))
    if likeness:
        rows = sorted(likeness, key=lambda row: -likeness[row])
        facts = {"similarity": [round(likeness[row], 4) for row in rows[:_SHOWN]]}
        found.append(_finding(table, rows, source, "nearly the same content", facts))
    return found


def _finding(table: Table, rows: list[int], source: str, how: str, facts: dict[str, Any]) -> Finding:
    tested = int((table.split[rows] == "test").sum())
    ids = table.ids[rows].tolist()
    inside = f", {tested:,} of them in test" if tested else ""
    judged = "error" if tested else "warning"
    share = f"{len(rows) / len(table):.2%}" if len(rows) < 0.01 * len(table) else f"{len(rows) / len(table):.0%}"
    return Finding(
        finding_id("overlap", [how, *ids]),
        "overlap",
        judged,
        f"{counted(len(rows), 'row')} ({share}){inside} of {how} as in pre-training sample {source}: {some(ids, 4)}",
        f"judge on rows that the base cannot have met: {_WHY}",
        tuple(ids),
        {"examples": shown(table, rows), **facts},
    )
