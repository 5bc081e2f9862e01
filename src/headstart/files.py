"""Paths as they are given, and writing files so that a killed process leaves the old content or the new, never half."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headstart.errors import OutputError, SettingError
from headstart.unicode import ESCAPES


def as_path(given: object) -> Path:
    """``given`` as a path; an empty text is none, though Python takes it for the current folder.

    Raises:
        SettingError: it is blank, or no path at all.
    """
    if not isinstance(given, str | os.PathLike):
        raise SettingError(f"a path is needed, but a {type(given).__name__} came; write it to a file and give that.")
    if not os.fspath(given).strip():
        raise SettingError("an empty text came where a path is needed; give one (is a variable not set?).")
    return Path(given)


try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_held: set[Path] = set()  # files claimed in this process
_guard = threading.Lock()


def shown_path(path: Path) -> str:
    """``path`` from the current folder on where it lies in there, else whole; with / between folders."""
    with suppress(ValueError, OSError):
        return path.absolute().relative_to(Path.cwd()).as_posix()
    return path.absolute().as_posix()


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say a full, read-only or forbidden disk in one line.

    Raises:
        OutputError: in place of the operating system's error.
    """
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "the disk is full; free some space or choose another folder"
        elif error.errno in (errno.EEXIST, errno.ENOTDIR):
            what = f"{error.filename} is a file, not a folder; choose another folder"
        elif error.errno == errno.ENAMETOOLONG:
            what = "the name is too long for this file system; choose a shorter one"
        raise OutputError(f"cannot write {place}: {what}.") from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content``, text as UTF-8, beside ``path`` and move it into place; folders are made.

    What is not Unicode (of the name of a file) is escaped, as JSON does it.

    Raises:
        OutputError: where it cannot be written.
    """
    with moved_into_place(path) as aside:
        aside.write_bytes(content.encode("utf-8", ESCAPES) if isinstance(content, str) else content)


@contextmanager
def moved_into_place(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to, which is moved there at the end, or removed after an error.

    Raises:
        OutputError: where it cannot be written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        aside = Path(name)
        try:
            yield aside
            os.chmod(aside, 0o666 & ~_umask())  # mkstemp makes files private
            os.replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


def claim(path: Path) -> Callable[[], None] | None:
    """Take ``path``, a file that is made for this and removed after it, for one holder.

    A holder may be a thread, and a process that dies holds nothing any more. On a file system without locks, holders
    of this process alone are told apart.

    Returns:
        How to give it back; None where another one holds it.

    Raises:
        OSError: it cannot be written.
    """
    path = Path(os.path.abspath(path))
    with _guard:
        handle = None if path in _held else _locked(path)
        if handle is None:
            return None
        _held.add(path)

    def release() -> None:
        with _guard:
            if path in _held:
                _held.discard(path)
                with suppress(OSError):  # its folder may be gone
                    path.unlink()
                os.close(handle)

    return release


def _locked(path: Path) -> int | None:
    """``path`` opened and locked; None where another process has the lock."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is None:
            return handle
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:  # the file system knows no locks
            return handle
        if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
            return handle
        os.close(handle)  # its holder removed it before it was locked here


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
