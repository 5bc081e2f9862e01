"""What is known of rows without looking at what they show: file size and type, dimensions, name, length."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.table import Table
from headstart.modalities import get

_UNKNOWN = -1.0
_OFTEN = 3  # rows that a word of names must be in
_MOST_WORDS = 2_000


@dataclass(frozen=True)
class Metadata:
    """What is known of n rows.

    Attributes:
        numbers: name of a property -> [n, m] float64, -1 where unknown.
        words: sparse [n, w], 1 where a file name has a word; w is 0 where there are none.
        names: [w] the words.
    """

    numbers: dict[str, np.ndarray]
    words: Any
    names: tuple[str, ...] = field(default=())


def metadata(table: Table) -> Metadata:
    """What is known of the rows of ``table``; pictures are not decoded, only their headers are read."""
    modality = get(table.modality)
    numbers = modality.headers(table.inputs)
    paths = [value if modality.files and isinstance(value, str) else "" for value in table.inputs]
    if not any(paths):
        return Metadata(numbers, *_words([set()] * len(table)))
    stems = [Path(path).stem for path in paths]
    numbers["number in the file name"] = np.array([[_number(stem)] for stem in stems])
    return Metadata(
        numbers, *_words([_pieces(path, stem) for path, stem in zip(_below(paths, table), stems, strict=True)])
    )


def _number(stem: str) -> float:
    found = re.findall(r"\d{1,15}", stem)
    return float(np.log1p(float(found[0]))) if found else _UNKNOWN


def _below(paths: list[str], table: Table) -> list[list[str]]:
    """Folders of each path under the one that all share, without those called like the row's own label."""
    shared = len(Path(os.path.commonpath([path for path in paths if path] or ["."])).parts)
    out = []
    for row, path in enumerate(paths):
        own = "" if table.targets is None else str(table.targets[row])
        out.append([part for part in Path(path).parts[shared:-1] if part != own])
    return out


def _pieces(folders: list[str], stem: str) -> set[str]:
    """Words in lower case: runs of letters or of digits, and whole folder names."""
    return {piece.lower() for piece in re.findall(r"[^\W\d_]+|\d+", stem)} | {f"{name}/" for name in folders}


def _words(pieces: list[set[str]]) -> tuple[Any, tuple[str, ...]]:
    """Sparse [n, w], and the w words that are in several rows, though not in all."""
    from scipy.sparse import csc_array

    counts: dict[str, int] = {}
    for own in pieces:
        for piece in own:
            counts[piece] = counts.get(piece, 0) + 1
    kept = [name for name, count in counts.items() if _OFTEN <= count < len(pieces)]
    kept = sorted(kept, key=lambda name: (-counts[name], name))[:_MOST_WORDS]
    column = {name: i for i, name in enumerate(kept)}
    there = [(row, column[piece]) for row, own in enumerate(pieces) for piece in own if piece in column]
    rows, columns = np.array(there, dtype=np.int64).reshape(-1, 2).T
    return csc_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(pieces), len(kept))), tuple(kept)
