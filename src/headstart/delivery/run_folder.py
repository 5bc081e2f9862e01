"""The folder of a run: claimed before the work, built aside, moved into place whole."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from headstart.errors import OutputError
from headstart.files import claim, write_atomically, writing

_MARKS = ("result.json", "bundle/bundle.json")  # every finished run has both


class RunFolder:
    """A place for one run's output; use as a context manager around the work.

    Nothing is at ``path`` until `publish`; a run that dies leaves only a hidden folder that the next one clears away.

    Raises:
        OutputError: ``path`` is in use, is not a run that may be overwritten, or cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path.absolute()
        self.aside = self.path.parent / f".{self.path.name}.building"
        self._overwrite = overwrite
        self._release: Callable[[], None] | None = None
        self._made: list[Path] = []  # folders above it that were not there before, innermost first

    @property
    def _old(self) -> Path:
        """Where an earlier run waits while the new one takes its place."""
        return self.path.parent / f".{self.path.name}.old"

    def __enter__(self) -> RunFolder:
        if not self._old.exists():
            self._check()  # before any folder is made
        with writing(self.path):
            self._made = [folder for folder in self.path.parents if not folder.exists()]
            self.aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._take()
        except BaseException:
            self._leave()
            raise
        return self

    def _take(self) -> None:
        """Claim the place, before anything there is looked at that another run may be about to change."""
        with writing(self.path):
            self._release = claim(self.path.parent / f".{self.path.name}.lock")
        if self._release is None:
            raise self._busy(self._owner())
        with writing(self.path):
            if self._old.exists() and not self.path.exists():  # a run was killed between the two moves of `publish`
                self._old.rename(self.path)
        self._check()
        with writing(self.path):
            self._claim()

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)
        self._leave()

    def _leave(self) -> None:
        if self._release is not None:
            self._release()
        with contextlib.suppress(OSError):  # not empty: the run was published, or another one is there
            for folder in self._made:
                folder.rmdir()

    def _check(self) -> None:
        if not self.path.exists() or (self.path.is_dir() and not any(self.path.iterdir())):
            return
        if not all((self.path / mark).is_file() for mark in _MARKS):
            raise OutputError(
                f"{self.path} exists and is not a headstart run, so it is left alone; choose another --out or --name."
            )
        if not self._overwrite:
            raise OutputError(
                f"{self.path} holds an earlier run; pass --overwrite to replace it, or another --out or --name."
            )

    def _claim(self) -> None:
        """Make the building folder; one left by a dead process is cleared first."""
        if self.aside.exists():
            owner = self._owner()
            if owner not in (None, os.getpid()) and _alive(owner):
                raise self._busy(owner)
            shutil.rmtree(self.aside)
        self.aside.mkdir()
        self._pid_file.write_text(str(os.getpid()))

    @property
    def _pid_file(self) -> Path:
        return self.aside / "pid"

    def _owner(self) -> int | None:
        """The process that made the building folder; None where it cannot be told."""
        with contextlib.suppress(OSError, ValueError):
            return int(self._pid_file.read_text())
        return None

    def _busy(self, owner: int | None) -> OutputError:
        who = "another run" if owner is None else f"another run (process {owner})"
        return OutputError(f"{self.path} is being written by {who}; wait for it or choose another --out or --name.")

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file of the run."""
        write_atomically(self.aside / name, content)

    def publish(self) -> Path:
        """Move the finished run into place and return where it is."""
        self._pid_file.unlink(missing_ok=True)
        with writing(self.path):
            shutil.rmtree(self._old, ignore_errors=True)
            if self.path.exists():
                self.path.rename(self._old)
            self.aside.rename(self.path)
            shutil.rmtree(self._old, ignore_errors=True)
        return self.path


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
