"""What the cache folder holds and how it is kept within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.cachedir import cache_root
from headstart.errors import SettingError
from headstart.training.cache import Space, features_root
from headstart.training.damage import asides, is_damage

#: Bytes that all feature files together may take unless HEADSTART_CACHE_SIZE says otherwise.
DEFAULT_LIMIT = 20 * 2**30
#: Bytes that each of `BOUNDED` may take, as a share of that limit.
SHARE = 0.1
_OWN = re.compile(r"[0-9a-f]{32}\.sqlite")  # how our files are called
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: What else is kept beside the features, made again when needed: folder -> its name for people.
OTHERS = {
    "archives": "extracted archives",
    "near": "near duplicates found",
    "ranking/results": "scores and races of bases",
    "runtimes": "exported graphs and measured rates",
    "training": "unfinished training runs",
}
#: Those kept within a share of the limit, and for how many seconds after its last use a thing is spared: another run
#: may be at work with it, and what a killed run left is worth hours.
BOUNDED = {"near": 3600.0, "ranking/results": 3600.0, "runtimes": 3600.0, "training": 7 * 24 * 3600.0}


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
        with contextlib.suppress(FileNotFoundError):  # removed by another process
            found += _uses(path)
    return sorted(found, key=lambda use: use.used)


def _uses(path: Path) -> list[SpaceUse]:
    """The space in ``path``, if that is one of ours; a damaged one goes by the name "damaged"."""
    space, rows = Space("damaged", "", "", "", "", 0), 0
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", timeout=60, uri=True)) as connection:
            ((text,),) = connection.execute("SELECT json FROM space").fetchall()
            ((rows,),) = connection.execute("SELECT COUNT(*) FROM vectors").fetchall()
        space = Space(**json.loads(text))
    except (TypeError, ValueError):
        if not _OWN.fullmatch(path.name):
            return []
    except sqlite3.Error as error:
        if not _OWN.fullmatch(path.name) or not is_damage(error):
            return []
    size = sum(p.stat().st_size for p in path.parent.glob(path.name + "*"))
    return [SpaceUse(space, path, rows, size, path.stat().st_mtime)]


def prune(limit: int, *, unused_for: float = 0.0, keep: Sequence[Path] = ()) -> list[SpaceUse]:
    """Remove whole spaces, least recently used first, until the rest takes at most ``limit`` bytes.

    Args:
        limit: bytes that may stay; 0 empties the cache.
        unused_for: spare spaces used within this many seconds.
        keep: files never to remove (those in use by this run).

    Returns:
        What was removed.
    """
    held, total = spaces(), 0
    for aside in asides(features_root()):  # of use to nobody but who wants to know what happened
        total += aside.stat().st_size
    total += sum(use.bytes for use in held)
    for aside in asides(features_root()):
        if total > limit:
            total -= aside.stat().st_size
            aside.unlink(missing_ok=True)
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


def prune_others(limit: int) -> int:
    """Keep each of `BOUNDED` within its share of ``limit``, least recently used first; how many bytes went."""
    freed = 0
    for name, spared in BOUNDED.items():
        things = sorted(_things(cache_root() / name), key=lambda thing: thing[0])
        surplus = sum(size for _, size, _ in things) - SHARE * limit
        for used, size, paths in things:
            if surplus <= 0 or time.time() - used < spared:
                break
            for path in paths:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            surplus, freed = surplus - size, freed + size
    return freed


def _things(folder: Path) -> list[tuple[float, int, list[Path]]]:
    """(last used, bytes, paths) of what belongs together in ``folder``: one name up to the first dot."""
    named: dict[str, list[Path]] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        named.setdefault(path.name.lstrip(".").partition(".")[0], []).append(path)
    things = []
    for paths in named.values():
        with contextlib.suppress(FileNotFoundError):  # a run that has just ended clears what it left
            files = [file for path in paths for file in (path, *path.rglob("*"))]
            used = max(file.stat().st_mtime for file in files)
            things.append((used, sum(file.stat().st_size for file in files if file.is_file()), paths))
    return things


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
