"""What the cache folder holds and how it is kept within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.cachedir import cache_root
from headstart.errors import SettingError
from headstart.training.cache import Space, features_root

#: Bytes that all feature files together may take unless HEADSTART_CACHE_SIZE says otherwise.
DEFAULT_LIMIT = 20 * 2**30
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: What else is kept beside the features, made again when needed: folder -> its name for people.
OTHERS = {
    "archives": "extracted archives",
    "near": "near duplicates found",
    "ranking/results": "scores and races of bases",
    "runtimes": "exported graphs and measured rates",
    "training": "checkpoints of unfinished training runs",
}


@dataclass(frozen=True)
class SpaceUse:
    """One space as `headstart cache` shows it: rows, bytes on disk, last use in seconds since 1970.

    The space holds features, or the states that frozen stages gave.
    """

    space: Space
    path: Path
    rows: int
    bytes: int
    used: float


def spaces() -> list[SpaceUse]:
    """What the cache holds, least recently used first; files that are not feature files are left out."""
    found = []
    for path in features_root().glob("*.sqlite"):
        with contextlib.suppress(sqlite3.Error, TypeError, ValueError, FileNotFoundError):
            found.append(_use(path))
    return sorted(found, key=lambda use: use.used)


def _use(path: Path) -> SpaceUse:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
        ((text,),) = connection.execute("SELECT json FROM space").fetchall()
        ((rows,),) = connection.execute("SELECT COUNT(*) FROM vectors").fetchall()
    size = sum(p.stat().st_size for p in path.parent.glob(path.name + "*"))
    return SpaceUse(Space(**json.loads(text)), path, rows, size, path.stat().st_mtime)


def prune(limit: int, *, unused_for: float = 0.0, keep: Sequence[Path] = ()) -> list[SpaceUse]:
    """Remove whole spaces, least recently used first, until the rest takes at most ``limit`` bytes.

    Args:
        limit: bytes that may stay; 0 empties the cache.
        unused_for: spare spaces used within this many seconds.
        keep: files never to remove (those in use by this run).

    Returns:
        What was removed.
    """
    held = spaces()
    total = sum(use.bytes for use in held)
    removed = []
    for use in held:
        if total <= limit or time.time() - use.used < unused_for:
            break
        if use.path in keep:
            continue
        for file in use.path.parent.glob(use.path.name + "*"):
            file.unlink(missing_ok=True)
        total -= use.bytes
        removed.append(use)
    return removed


def others() -> dict[str, int]:
    """Bytes of what else the cache folder holds, by the name in `OTHERS`; folders of nothing are left out."""
    sizes = {name: _size(cache_root() / name) for name in OTHERS}
    return {name: size for name, size in sizes.items() if size}


def clear_others() -> int:
    """Remove all that; how many bytes went."""
    freed = sum(others().values())
    for name in OTHERS:
        shutil.rmtree(cache_root() / name, ignore_errors=True)
    return freed


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # a run that has just ended clears its checkpoints
            total += file.stat().st_size if file.is_file() else 0
    return total


def size_limit() -> int:
    """Bytes the cache may take: HEADSTART_CACHE_SIZE (such as ``5G``) or 20 GiB."""
    text = os.environ.get("HEADSTART_CACHE_SIZE", "")
    return parse_size(text) if text else DEFAULT_LIMIT


def parse_size(text: str) -> int:
    """``"5G"``, ``"500 MB"`` or ``"1048576"`` in bytes (powers of 1,024).

    Raises:
        SettingError: for anything else.
    """
    cleaned = text.strip().upper().replace(" ", "").removesuffix("B").removesuffix("I")
    number, unit = (cleaned[:-1], cleaned[-1]) if cleaned[-1:] in _UNITS and cleaned[-1:] else (cleaned, "")
    try:
        size = int(float(number) * _UNITS[unit])
    except (ValueError, OverflowError):
        size = -1
    if size < 0:
        raise SettingError(f"{text!r} is not a size; write it like 500M, 5G or a number of bytes.")
    return size
