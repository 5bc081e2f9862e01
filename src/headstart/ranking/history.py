"""The user's own results, kept beside the cache: every `fit` and `rank` adds to what the next prior knows."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from headstart.cachedir import cache_root
from headstart.files import writing
from headstart.ranking.prior import Recorded, to_record

_DIGITS = 32  # hex, of a fingerprint


def history_path() -> Path:
    """The file of results, one JSON object a line; it may not exist yet."""
    return cache_root() / "ranking" / "history.jsonl"


def fingerprint(ids: Iterable[Any], labels: Iterable[str], task: str) -> str:
    """32 hex digits that tell one task from another and nothing of its contents: a hash of ids, labels and task.

    Args:
        ids: of the rows outside a given test part, in any order.
        labels: the names of the outputs.
    """
    rows = sorted(str(name) for name in ids)
    return hashlib.sha256("\x1e".join([task, *sorted(labels), "", *rows]).encode()).hexdigest()[:_DIGITS]


def remember(
    data: str, *, verb: str, modality: str, kind: str, base: str, metric: str, score: float, rows: int
) -> None:
    """Add one result; safe with several processes at once: a line is one write to the end of the file.

    Args:
        data: `fingerprint` of the task.
        verb: "fit" or "rank", which judge in different ways, so that their scores are not compared.
        score: of the probe on held-out rows, in the metric's own unit, higher is better; not kept where it is nan.
        rows: that it was learnt from.

    Raises:
        OutputError: where the cache cannot be written.
    """
    if not math.isfinite(score):
        return
    line = {
        "data": data,
        "task": f"{data} {verb} {metric}",
        "modality": modality,
        "kind": kind,
        "base": base,
        "score": 100 * score,
        "metric": metric,
        "rows": rows,
        "day": date.today().isoformat(),
    }
    path = history_path()
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(handle, (json.dumps(line) + "\n").encode())
        finally:
            os.close(handle)


def remembered(*, without: str = "") -> tuple[Recorded, ...]:
    """Every result, those of the task ``without`` left out: its rows are looked at anew and must not count twice.

    Lines that are no result, as a full disk may leave one behind, are passed over.
    """
    path = history_path()
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = (_record(line) for line in text.splitlines())
    return tuple(record for record in found if record is not None and record.data != without)


def _record(line: str) -> Recorded | None:
    try:
        return to_record(json.loads(line))
    except (ValueError, TypeError, KeyError):
        return None
