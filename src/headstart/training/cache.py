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
from typing import Any

import numpy as np

from headstart.cachedir import cache_root
from headstart.errors import HeadstartWarning, OutputError

_KEYS_PER_QUERY = 500  # SQLite's oldest limit on bound variables is 999


@dataclass(frozen=True)
class Space:
    """What a vector depends on besides the example; two equal spaces share one file.

    Attributes:
        name: for people: the base's name, or "classical".
        weights: hash of the weights, or the version of the code for a producer without weights.
        stage: the stage whose output is kept.
        preprocessing: the preprocessing as JSON.
        dtype: the precision it was computed in ("float32", "bfloat16"); vectors are stored as float32.
        width: length of a vector; 0 for states of any shape, which are kept as bytes.
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
        vectors = np.zeros((len(keys), self.space.width), dtype=np.float32)
        found = np.zeros(len(keys), dtype=bool)
        for key, blob in self._select("key, vector", list(rows)):
            vectors[rows[key]] = np.frombuffer(blob, dtype="<f4")
            found[rows[key]] = True
        for i, key in enumerate(keys):  # rows that repeat a key
            if rows[key] != i:
                vectors[i], found[i] = vectors[rows[key]], found[rows[key]]
        return found, vectors

    def holds(self, keys: Sequence[str]) -> np.ndarray:
        """[n] bool: which of ``keys`` are cached."""
        there = {key for key, _ in self._select("key, 1", list(set(keys)))}
        return np.array([key in there for key in keys], dtype=bool)

    def blobs(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The cached bytes by key; keys that are not cached are left out."""
        return dict(self._select("key, vector", list(set(keys))))

    def _select(self, columns: str, unique: list[str]) -> Iterator[tuple[str, Any]]:
        for start in range(0, len(unique), _KEYS_PER_QUERY):
            chunk = [bytes.fromhex(key) for key in unique[start : start + _KEYS_PER_QUERY]]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT {columns} FROM vectors WHERE key IN ({marks})"
            for key, value in self._connection.execute(query, chunk):
                yield key.hex(), value

    def put(self, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Keep ``vectors`` [n, width] under ``keys``, in one transaction; keys that are there already stay."""
        self.put_blobs(keys, [vector.tobytes() for vector in vectors.astype("<f4", copy=False)])

    def put_blobs(self, keys: Sequence[str], blobs: Sequence[bytes]) -> None:
        """Keep bytes under ``keys``, in one transaction; keys that are there already stay."""
        rows = [(bytes.fromhex(key), blob) for key, blob in zip(keys, blobs, strict=True)]
        with _disk_errors(self.path), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def trim(self, limit: int) -> int:
        """Drop the oldest vectors until the file takes about ``limit`` bytes; how many were dropped."""
        (pages,), (free,), (page,) = (
            self._connection.execute(f"PRAGMA {name}").fetchone()
            for name in ("page_count", "freelist_count", "page_size")
        )
        ((rows,),) = self._connection.execute("SELECT COUNT(*) FROM vectors").fetchall()
        surplus = (pages - free) * page - limit
        if surplus <= 0 or not rows:
            return 0
        drop = min(rows, -(-surplus * rows // ((pages - free) * page)))
        with _disk_errors(self.path), self._connection:
            oldest = "SELECT rowid FROM vectors ORDER BY rowid LIMIT ?"
            self._connection.execute(f"DELETE FROM vectors WHERE rowid IN ({oldest})", (drop,))
        self._connection.executescript("PRAGMA incremental_vacuum")  # execute would free a single page
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return drop


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
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # so that trimming gives space back; set before tables
        connection.execute("PRAGMA journal_mode=WAL")
        # Safe against a killed process; a power cut loses the last batches at worst.
        connection.execute("PRAGMA synchronous=NORMAL")
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
