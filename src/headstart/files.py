"""Writing files so that a killed process leaves either the old content or the new, never half of it."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.errors import OutputError


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Say a full, read-only or forbidden disk in one line.

    Raises:
        OutputError: in place of the operating system's error.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full; free some space or choose another folder" if full else (error.strerror or str(error))
        raise OutputError(f"cannot write {place}: {what}.") from error


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` beside ``path`` and move it into place; folders are made.

    Raises:
        OutputError: where it cannot be written.
    """
    with moved_into_place(path) as aside:
        aside.write_bytes(content.encode() if isinstance(content, str) else content)


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
