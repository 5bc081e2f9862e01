"""Records as JSON, for stdout and for files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headstart.errors import OutputError
from headstart.files import write_atomically
from headstart.records import finite


def as_json(record: dict[str, Any]) -> str:
    """Indented; numbers that are not finite become null."""
    return json.dumps(finite(record), indent=2, ensure_ascii=False)


def check_out(out: Path | None, overwrite: bool) -> None:
    """Refuse, before any work, a file that would be replaced unasked.

    Raises:
        OutputError: ``out`` exists.
    """
    if out is not None and out.exists() and not overwrite:
        raise OutputError(f"{out} exists; pass --overwrite to replace it, or another --out.")


def write_record(out: Path | None, record: dict[str, Any]) -> None:
    """Write ``record`` to ``out``; None: nowhere.

    Raises:
        OutputError: it cannot be written.
    """
    if out is not None:
        write_atomically(out, as_json(record) + "\n")
