"""The vectors of ``headstart embed`` with the user's columns, as the name of the file asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.files import moved_into_place
from headstart.flow.embed.embed import BaseAsked, Embedded, embed_sources
from headstart.progress import Progress
from headstart.terminal.predicting import UNREADABLE, own_columns, settle, tell_asked
from headstart.terminal.writing import check_json, check_out, format_of, unused, write_parquet, write_rows

__all__ = ["BaseAsked", "embed_to"]

_ERROR, _VECTOR, _OURS = "error", "vector", "base"


def embed_to(
    sources: Sequence[str],
    of: BaseAsked,
    *,
    column: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    json_lines: bool = False,
    progress: Progress,
) -> int:
    """Write the vectors of ``sources`` to ``out`` or stdout, and return the exit code, as `predict_to` does.

    An array (.npy) has no room for ids, so the user's columns go into a table beside it.

    Raises:
        SourceError, ColumnError, BaseError, BundleError: see `embed_sources`.
        OutputError: a file exists, has a name of no known format, or cannot be written.
    """
    check_out(out, overwrite)
    kind = format_of(out, (".npy",))
    check_json(json_lines, out, kind)
    beside = out.with_suffix(".rows.csv") if out is not None and kind == "npy" else None
    check_out(beside, overwrite)
    found = embed_sources(sources, of, column, progress)
    tell_asked(found.asked, progress)
    rows = settle(found.asked, found.reasons, progress)
    names, own = _own(found, rows)
    vectors = found.vectors[rows]
    if out is not None and kind == "parquet":
        write_parquet(out, [*names, unused(_VECTOR, names, _OURS)], [*map(list, zip(*own, strict=True)), vectors])
    elif out is not None and beside is not None:
        with moved_into_place(out) as aside, aside.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        write_rows(beside, "csv", names, own)
    else:
        kind = "jsonl" if json_lines else kind
        write_rows(out, kind, *_with_vectors(kind, names, own, vectors))
    if out is not None:
        also = f", their rows in {beside}" if beside is not None else ""
        readable = sum(row not in found.reasons for row in rows)
        told = f"{readable:,} vectors of {vectors.shape[1]:,} numbers in {out}{also}"
        progress.say(f"{told} (base {found.base.identity.name})")
    return UNREADABLE if any(row in found.reasons for row in rows) else 0


def _own(found: Embedded, rows: list[int]) -> tuple[list[str], list[list[Any]]]:
    """Names and values of the user's columns, and of the reasons where there are any."""
    columns = own_columns(found.asked)
    names = [column.name for column in columns]
    reasons = found.reasons if any(row in found.reasons for row in rows) else None
    if reasons is not None:
        names.append(unused(_ERROR, names, _OURS))
    own = [[column.value(row) for column in columns] for row in rows]
    if reasons is not None:
        for row, values in zip(rows, own, strict=True):
            values.append(reasons.get(row))
    return names, own


def _with_vectors(kind: str, names: list[str], own: list[list[Any]], vectors: np.ndarray) -> tuple[list[str], Any]:
    """Names and rows of a text table: the vector as one list (JSON lines), or a column a number."""
    if kind == "jsonl":
        lists = ([*values, None if np.isnan(v).any() else _numbers(v)] for values, v in zip(own, vectors, strict=True))
        return [*names, unused(_VECTOR, names, _OURS)], lists
    numbered = [unused(f"v{i}", names, _OURS) for i in range(vectors.shape[1])]
    return [*names, *numbered], ([*values, *_numbers(v)] for values, v in zip(own, vectors, strict=True))


def _numbers(vector: np.ndarray) -> list[float]:
    """As few digits as tell a float32 from its neighbours."""
    return [float(str(value)) for value in vector]
