"""How often test rows were looked at: by a run, and by earlier runs on this machine.

Every look after the first lets choices lean towards the test rows, so looks are counted where people forget them. A run
keeps its own in ``openings.jsonl``; the cache folder keeps one line a look for all runs, under a hash of the rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from headstart.cachedir import cache_root
from headstart.errors import BundleError
from headstart.files import writing
from headstart.unicode import ESCAPES

FILE = "openings.jsonl"
_LEDGER = "openings.jsonl"  # of all runs, in the cache folder


def opened(run: Path, reason: str) -> int:
    """Count one more look at the test part of ``run``; gives how often it was opened, this time included.

    Raises:
        OutputError: the run's folder cannot be written.
    """
    _append(run / FILE, {"reason": reason, "time": _now()})
    return len(openings(run))


def openings(run: Path) -> list[str]:
    """The reasons of all looks at the test part of ``run``, the first first.

    Raises:
        BundleError: the record of them is damaged.
    """
    try:
        lines = (run / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    try:
        return [str(json.loads(line)["reason"]) for line in lines if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{run / FILE} is damaged ({error}); restore it or fit again.") from error


def rows_hash(keys: np.ndarray) -> str:
    """The test rows with the content hashes ``keys`` [n], in any order, as one hash."""
    return hashlib.sha256("\n".join(sorted(str(key) for key in keys)).encode()).hexdigest()


def trial(settings: Mapping[str, Any], base: str, learnt: np.ndarray) -> str:
    """A hash of what a run tries: its settings, the base's weights, and the content hashes of its training rows.

    A run that is repeated as it was tries nothing new, and no choice can lean on its second look.
    """
    said = json.dumps([settings, base, sorted(str(key) for key in learnt)], sort_keys=True, default=str)
    return hashlib.sha256(said.encode("utf-8", ESCAPES)).hexdigest()


def opened_before(rows: str, own: str = "") -> int:
    """How many other trials on this machine opened the test rows of that `rows_hash`.

    Args:
        own: the `trial` that asks; runs of the same one are not counted, and other trials once each.
    """
    try:
        lines = (cache_root() / _LEDGER).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    looks = [_trial_of(line, number) for number, line in enumerate(lines) if rows in line]
    return len(set(looks) - {own})


def _trial_of(line: str, number: int) -> str:
    """The trial of a ledger's line; of one that does not say, a name of its own."""
    try:
        return str(json.loads(line).get("trial") or number)
    except (ValueError, AttributeError):
        return str(number)


def remember(rows: str, run: Path, own: str) -> None:
    """Count one look of ``run``, which tries ``own`` (see `trial`), at those rows for all later runs.

    Raises:
        OutputError: the cache folder cannot be written.
    """
    _append(cache_root() / _LEDGER, {"rows": rows, "run": str(run), "trial": own, "time": _now()})


def _append(path: Path, record: dict[str, str]) -> None:
    """One line in one write, so that processes that append at once do not mix."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors=ESCAPES) as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
