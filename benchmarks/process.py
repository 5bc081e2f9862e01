"""A process run to its end: wall-clock seconds and peak memory, measured from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class Failed(Exception):
    """A process that ended with an error; the message has its last words."""


@dataclass(frozen=True)
class Finished:
    """One process: ``seconds`` of wall clock, ``peak`` resident memory in GiB, and what it printed."""

    seconds: float
    peak: float
    stdout: str


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Finished:
    """Run ``command`` to its end, ``environment`` added to this one's; no network for the Hub's libraries.

    The peak is the process's own, not its children's. Linux counts into it the memory of the process that started
    it, so this one must stay small: it never imports torch.

    Raises:
        Failed: it ended with an error.
    """
    given = {**os.environ, "HF_HUB_OFFLINE": "1", **(environment or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=errors, env=given)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, said = _text(out), _text(errors)
    if process.returncode != 0:
        last = " / ".join(said.strip().splitlines()[-3:])
        raise Failed(f"{' '.join(str(word) for word in command)} ended with {process.returncode}: {last}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
    return Finished(seconds, usage.ru_maxrss * unit / 2**30, printed)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
