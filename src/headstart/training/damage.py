"""Files of the cache that are damaged: told from those that are busy or on a full disk, and set aside."""

from __future__ import annotations

import sqlite3
import time
import warnings
from pathlib import Path

from headstart.errors import HeadstartWarning

_MARK = ".damaged-"
#: What SQLite appends to the names of files that belong to a database.
SIDES = ("-wal", "-shm", "-journal")
_PASSING = ("no such table", "no such column", "malformed")  # said of a damaged list of tables, as a mere failure


def is_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that the file is no database or holds what was not written to it.

    All that is not operational is: SQLite's own codes for damage, and values of a kind that was never stored.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # the rest tells what kind of it
    if isinstance(error, sqlite3.OperationalError):
        told = any(words in str(error) for words in _PASSING)
        return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or (code == sqlite3.SQLITE_ERROR and told)
    return isinstance(error, sqlite3.DatabaseError)


def set_aside(path: Path, file: int) -> None:
    """Move a damaged database away, with what belongs to it, and warn in one line; an earlier such file goes.

    Args:
        file: its inode's number; where another one is at ``path`` by now, another process was quicker; 0: not known.

    Raises:
        OSError: it cannot be moved.
    """
    if not path.exists() or (file and path.stat().st_ino != file):
        return
    for old in asides(path.parent, path.stem):
        old.unlink(missing_ok=True)
    aside = path.with_suffix(f"{_MARK}{int(time.time())}")
    path.rename(aside)
    for side in SIDES:  # a journal left behind would be played into the fresh file
        left = path.with_name(path.name + side)
        if left.exists():
            left.rename(aside.with_name(aside.name + side))
    warnings.warn(
        f"the feature cache {path.name} is damaged; it was moved to {aside} and starts afresh",
        HeadstartWarning,
        stacklevel=2,
    )


def asides(folder: Path, stem: str = "*") -> list[Path]:
    """The files in ``folder`` that were set aside, the oldest first."""
    return sorted(folder.glob(f"{stem}{_MARK}*"), key=lambda path: path.name.partition(_MARK)[2])
