"""When the command began: a budget given on the command line counts from there."""

from __future__ import annotations

import time

#: On `time.monotonic`'s scale, when this module was loaded. What Python needed before that is counted by its work, as
#: there is no portable way to ask when a process was started.
LOADED = time.monotonic() - time.process_time()

_command: list[float] = []


def command_began() -> None:
    """Say that this process is for one command, so that its first run counts from the start of the process."""
    _command[:] = [LOADED]


def run_began() -> float:
    """When a run that starts now counts from, on `time.monotonic`'s scale: now, or the command's start if first."""
    return _command.pop() if _command else time.monotonic()
