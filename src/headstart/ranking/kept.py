"""Results that depend on nothing but features and targets, kept so that they are computed once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headstart import __version__
from headstart.cachedir import cache_root
from headstart.files import write_atomically


def kept(what: list[Any], make: Callable[[], Any]) -> tuple[Any, bool]:
    """What ``make`` gives, plain values, and whether it was kept from before.

    Args:
        what: everything that it depends on; arrays count by their contents.

    Raises:
        OutputError: where the cache cannot be written.
    """
    path = _path(what)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        os.utime(path)  # last used
        return found, True
    except (OSError, ValueError):  # not there, or cut off by a full disk: made anew
        found = make()
        write_atomically(path, json.dumps(found))
        return found, False


def _path(what: list[Any]) -> Path:
    total = hashlib.sha256(__version__.encode())
    for one in what:
        total.update(_bytes(one) + b"\x1e")
    return cache_root() / "ranking" / "results" / f"{total.hexdigest()[:32]}.json"


def _bytes(value: Any) -> bytes:
    if not isinstance(value, np.ndarray):
        return repr(value).encode()
    if value.dtype == object:
        return "\x1f".join(map(str, value.tolist())).encode()
    return f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
