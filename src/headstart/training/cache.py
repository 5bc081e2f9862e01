"""The feature cache: what a frozen thing gave for an example, computed once and kept on disk.

One SQLite file a *space* (a producer of vectors: weights, stage, preprocessing and dtype), one row an example,
keyed by the hash of the example's content. SQLite brings what matters here: a killed process loses at most the
batch it was in, and two runs may read and write the same space at once (write-ahead log).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from headstart.cachedir import cache_root
from headstart.errors import HeadstartWarning, OutputError, SettingError

#: Bytes that all feature files together may take unless HEADSTART_CACHE_SIZE says otherwise.
DEFAULT_LIMIT = 20 * 2**30
_KEYS_PER_QUERY = 500  # SQLite's oldest limit on bound variables is 999
_UNITS = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Space:
    """What a vector depends on besides the example; two equal spaces share one file.

    Attributes:
        name: for people: the base's name, or "classical".
        weights: hash of the weights, or the version of the code for a producer without weights.
        stage: the stage whose output is kept.
        preprocessing: the preprocessing as JSON.
        dtype: the precision it was computed in ("float32", "bfloat16"); vectors are stored as float32.
        width: length of a vector.
    """

    name: str
    weights: str
    stage: str
    preprocessing: str
    dtype: str
    width: int

    @property
    def digest(self) -> str:
        """32 hex digits that name the space's file."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


def features_root() -> Path:
    """The folder of the feature files."""
    return cache_root() / "features"


class FeatureCache:
    """The vectors of one space; use as a context manager.

    Raises:
        OutputError: where the cache folder cannot be written or is full.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.path = features_root() / f"{space.digest}.sqlite"
        self._connection = _open(self.path, space)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the vectors stay."""
        self._connection.close()

    def get(self, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The cached vectors of ``keys`` (hex content hashes).

        Returns:
            found: [n] bool; vectors: [n, width] float32, zeros where not found.
        """
        rows = {key: i for i, key in reversed(list(enumerate(keys)))}  # first row of each key
        unique = list(rows)
        vectors = np.zeros((len(keys), self.space.width), dtype=np.float32)
        found = np.zeros(len(keys), dtype=bool)
        for start in range(0, len(unique), _KEYS_PER_QUERY):
            chunk = [bytes.fromhex(key) for key in unique[start : start + _KEYS_PER_QUERY]]
            marks = ",".join("?" * len(chunk))
            for key, blob in self._connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", chunk):
                row = rows[key.hex()]
                vectors[row] = np.frombuffer(blob, dtype="<f4")
                found[row] = True
        for i, key in enumerate(keys):  # rows that repeat a key
            if rows[key] != i:
                vectors[i], found[i] = vectors[rows[key]], found[rows[key]]
        return found, vectors

    def put(self, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Keep ``vectors`` [n, width] under ``keys``, in one transaction; keys that are there already stay."""
        rows = [(bytes.fromhex(k), v.tobytes()) for k, v in zip(keys, vectors.astype("<f4", copy=False), strict=True)]
        with _disk_errors(self.path), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)


def _open(path: Path, space: Space) -> sqlite3.Connection:
    try:
        return _connect(path, space)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise OutputError(
                f"cannot open the feature cache {path}: {error}. Set HEADSTART_CACHE to another folder."
            ) from error
        aside = path.with_suffix(f".damaged-{int(time.time())}")
        path.rename(aside)
        warnings.warn(
            f"the feature cache {path.name} is damaged; it was moved to {aside} and starts afresh",
            HeadstartWarning,
            stacklevel=4,
        )
        return _connect(path, space)


def _connect(path: Path, space: Space) -> sqlite3.Connection:
    with _disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "PRAGMA synchronous=NORMAL"
        )  # safe against a killed process; at worst loses batches in a power cut
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
            connection.execute("CREATE TABLE IF NOT EXISTS space (json TEXT PRIMARY KEY)")
            connection.execute("INSERT OR IGNORE INTO space VALUES (?)", (json.dumps(asdict(space), sort_keys=True),))
        os.utime(path)  # last used
    return connection


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Say a full or read-only disk in one line."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        full = "full" in str(error) or getattr(error, "errno", None) == 28
        what = "the disk is full" if full else str(error)
        raise OutputError(
            f"cannot write the feature cache {path.parent}: {what}. Free space ('headstart cache prune') or "
            f"set HEADSTART_CACHE."
        ) from error


@dataclass(frozen=True)
class SpaceUse:
    """One space as `headstart cache` shows it: rows, bytes on disk, last use in seconds since 1970."""

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
        return int(float(number) * _UNITS[unit])
    except ValueError:
        raise SettingError(f"{text!r} is not a size; write it like 500M, 5G or a number of bytes.") from None
