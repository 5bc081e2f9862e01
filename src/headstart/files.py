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
    data = content.encode() if isinstance(content, str) else content
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(aside, 0o666 & ~_umask())  # mkstemp makes files private
            os.replace(aside, path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
