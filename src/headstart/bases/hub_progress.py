"""Bytes that huggingface_hub downloads, told to our own progress instead of its bars."""

from __future__ import annotations

import threading
from typing import Any

from headstart.progress import Track

MEGABYTE = 1_000_000


def bars(track: Track) -> type:
    """A class of bars for huggingface_hub (``tqdm_class``) that show nothing and advance ``track`` by megabytes.

    It opens several bars for the same bytes (received, written); the one that is ahead counts.
    """
    from tqdm import tqdm

    lock, told = threading.Lock(), 0

    def tell(count: float) -> None:
        nonlocal told
        with lock:
            more = int(count / MEGABYTE + 0.5) - told
            if more > 0:
                track.advance(more)
                told += more

    class Bytes(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts = kwargs.get("unit") == "B"
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self.counts:
                tell(self.n)

    return Bytes
