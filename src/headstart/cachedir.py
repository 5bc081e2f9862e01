"""Where headstart keeps what it can make again: extracted archives, features, exported graphs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """The cache folder: ``$HEADSTART_CACHE`` if set, else the user's cache folder; it may not exist yet."""
    given = os.environ.get("HEADSTART_CACHE", "").strip()
    if given:
        return Path(given).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("headstart"))
