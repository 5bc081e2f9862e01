"""The feature cache: what a frozen thing gave for an example, computed once and kept on disk.

One SQLite file a *space* (a producer of vectors: weights, stage, preprocessing and dtype), one row an example,
keyed by the hash of the example's content. SQLite brings what matters here: a killed process loses at most the
batch it was in, and two runs may read and write the same space at once (write-ahead log). It does not notice when bytes
of a vector change on disk, so each has its checksum. A file that is damaged anywhere is set aside and begun afresh:
what it held is computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from headstart.cachedir import cache_root
from headstart.errors import OutputError
from headstart.ragged import Ragged, offsets_of
from headstart.training.damage import is_damage, set_aside

_KEYS_PER_QUERY = 500  # SQLite's oldest limit on bound variables is 999
_CHECK = 4  # bytes of the checksum before each value

T = TypeVar("T")


@dataclass(frozen=True)
class Space:
    """What a vector depends on besides the example; two equal spaces share one file.

    Attributes:
        name: for people: the base's name, or "classical".
        weights: hash of the weights, or the version of the code for a producer without weights.
        stage: the stage whose output is kept.
        preprocessing: the preprocessing as JSON.
        dtype: the precision it was computed in ("float32", "bfloat16"); vectors are stored as float32.
        width: length of a vector; 0 for what has any shape, which is kept as bytes: states, and several vectors.
        computed_by: configuration and versions of the code that computed it, as JSON; "" in files that older versions
            wrote.
    """

    name: str
    weights: str
    stage: str
    preprocessing: str
    dtype: str
    width: int
    computed_by: str = ""

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
        OutputError: where the cache folder cannot be read or written, or is full.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.path = features_root() / f"{space.digest}.sqlite"
        self._connection: sqlite3.Connection | None = None
        self._file = 0  # the number of the file that is open
        self._asked(lambda connection: None)

    def __enter__(self) -> FeatureCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the vectors stay."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):  # of a damaged file, which is set aside when it is next used
                self._connection.close()
            self._connection, self._file = None, 0

    def get(self, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """The cached vectors of ``keys`` (hex content hashes).

        Returns:
            found: [n] bool; vectors: [n, width] float32, zeros where not found.
        """
        kept = self.blobs(keys)
        vectors = np.zeros((len(keys), self.space.width), dtype=np.float32)
        found = np.array([key in kept for key in keys], dtype=bool)
        for row in np.flatnonzero(found):
            vectors[row] = np.frombuffer(kept[keys[int(row)]], dtype="<f4")
        return found, vectors

    def get_ragged(self, keys: Sequence[str], counts: np.ndarray, width: int) -> tuple[np.ndarray, Ragged]:
        """The cached vectors of ``keys`` of which each has several: ``counts`` [n], of ``width`` each.

        Returns:
            found: [n] bool; the vectors [counts, width] float32 of those found.
        """
        kept = self.blobs(keys)
        sizes = [len(kept[key]) if key in kept else -1 for key in keys]
        found = np.array(sizes) == 4 * width * counts
        values = [np.frombuffer(kept[keys[int(row)]], dtype="<f4") for row in np.flatnonzero(found)]
        flat = np.concatenate(values) if values else np.zeros(0, np.float32)
        return found, Ragged(flat.reshape(-1, width), offsets_of(counts[found]))

    def put_ragged(self, keys: Sequence[str], vectors: Ragged) -> None:
        """Keep several vectors under each of ``keys``, as `put` does one."""
        vectors = vectors.like(vectors.values.astype("<f4", copy=False))
        self.put_blobs(keys, [vectors[row].tobytes() for row in range(len(vectors))])

    def holds(self, keys: Sequence[str]) -> np.ndarray:
        """[n] bool: which of ``keys`` are cached."""
        there = self._asked(lambda connection: {key.hex() for key, _ in _rows(connection, "1", keys)})
        return np.array([key in there for key in keys], dtype=bool)

    def blobs(self, keys: Sequence[str]) -> dict[str, memoryview]:
        """The cached bytes by key; keys that are not cached are left out."""
        size = 4 * self.space.width

        def read(connection: sqlite3.Connection) -> dict[str, memoryview]:
            return {key.hex(): _checked(key, value, size) for key, value in _rows(connection, "vector", keys)}

        return self._asked(read)

    def put(self, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Keep ``vectors`` [n, width] under ``keys``, in one transaction; keys that are there already stay."""
        self.put_blobs(keys, [vector.tobytes() for vector in vectors.astype("<f4", copy=False)])

    def put_blobs(self, keys: Sequence[str], blobs: Sequence[bytes]) -> None:
        """Keep bytes under ``keys``, in one transaction; keys that are there already stay."""
        named = [(bytes.fromhex(key), blob) for key, blob in zip(keys, blobs, strict=True)]
        rows = [(key, _checksum(key, blob) + blob) for key, blob in named]

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

        self._asked(write)

    def trim(self, limit: int, keep: Collection[str] = ()) -> int:
        """Drop the oldest vectors until the file takes about ``limit`` bytes; how many were dropped.

        Args:
            keep: keys that are not dropped, whatever the file takes.
        """
        return self._asked(lambda connection: _trim(connection, limit, keep))

    def _asked(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` gives; where the file turns out to be damaged, what it gives of a fresh one."""
        with _disk_errors(self.path):
            try:
                return work(self._opened())
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            file = self._file
            self.close()
            set_aside(self.path, file)
            return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.stat().st_ino if self.path.exists() else 0
            connection = sqlite3.connect(self.path, timeout=60, check_same_thread=False)
            try:
                _prepare(connection, self.space)
            except BaseException:
                connection.close()
                raise
            self._connection, self._file = connection, self.path.stat().st_ino
            os.utime(self.path)  # last used
        return self._connection


def _prepare(connection: sqlite3.Connection, space: Space) -> None:
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # so that trimming gives space back; set before tables
    connection.execute("PRAGMA journal_mode=WAL")
    # Safe against a killed process; a power cut loses the last batches at worst.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA temp_store=MEMORY")
    with connection:
        connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)")
        connection.execute("CREATE TABLE IF NOT EXISTS space (json TEXT PRIMARY KEY)")
        connection.execute("INSERT OR IGNORE INTO space VALUES (?)", (json.dumps(asdict(space), sort_keys=True),))


def _rows(connection: sqlite3.Connection, column: str, keys: Iterable[str]) -> Iterator[tuple[bytes, Any]]:
    unique = [bytes.fromhex(key) for key in set(keys)]
    for start in range(0, len(unique), _KEYS_PER_QUERY):
        chunk = unique[start : start + _KEYS_PER_QUERY]
        marks = ",".join("?" * len(chunk))
        yield from connection.execute(f"SELECT key, {column} FROM vectors WHERE key IN ({marks})", chunk)


def _trim(connection: sqlite3.Connection, limit: int, keep: Collection[str]) -> int:
    (pages,), (free,), (page,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
    )
    ((rows,),) = connection.execute("SELECT COUNT(*) FROM vectors").fetchall()
    surplus = (pages - free) * page - limit
    if surplus <= 0 or not rows:
        return 0
    drop = min(rows, -(-surplus * rows // ((pages - free) * page)))
    with connection:
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS needed (key BLOB PRIMARY KEY)")
        connection.execute("DELETE FROM needed")
        connection.executemany("INSERT OR IGNORE INTO needed VALUES (?)", ((bytes.fromhex(key),) for key in keep))
        oldest = "SELECT rowid FROM vectors WHERE key NOT IN (SELECT key FROM needed) ORDER BY rowid LIMIT ?"
        dropped = connection.execute(f"DELETE FROM vectors WHERE rowid IN ({oldest})", (drop,)).rowcount
    connection.executescript("PRAGMA incremental_vacuum")  # execute would free a single page
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return dropped


def _checksum(key: bytes, blob: bytes | memoryview) -> bytes:
    """Of the key too: a damaged index finds another key's value."""
    return zlib.crc32(blob, zlib.crc32(key)).to_bytes(_CHECK, "little")


def _checked(key: bytes, value: Any, size: int) -> memoryview:
    """The value without its checksum.

    Args:
        size: of the value in bytes; 0: any.

    Raises:
        sqlite3.DatabaseError: it is not what was kept.
    """
    blob = memoryview(value if isinstance(value, bytes) else b"")
    if len(blob) < _CHECK or blob[:_CHECK] != _checksum(key, blob[_CHECK:]) or (size and len(blob) != size + _CHECK):
        raise sqlite3.DatabaseError("a value is not what was kept")
    return blob[_CHECK:]


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Say in one line what keeps the cache from being used: a full or read-only disk, a lock that stays."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        full = "full" in str(error) or getattr(error, "errno", None) == 28
        what = "the disk is full" if full else str(error)
        raise OutputError(
            f"cannot write the feature cache {path.parent}: {what}. Free space ('headstart cache prune') or "
            f"set HEADSTART_CACHE."
        ) from error
