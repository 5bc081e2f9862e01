"""Keep freed memory in the process: on Linux, glibc hands every large tensor's pages back and faults them in again."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD


def keep_freed_memory() -> bool:
    """Tell glibc's malloc to reuse large blocks; True where that was possible.

    Measured on EfficientNet-Lite0 in eager float32 at batch 32: 23 images/s before, 91 after (docs/log.md).
    The price: pages freed between peaks stay with the process.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another libc
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 1 << 30) and mallopt(_TRIM_THRESHOLD, (1 << 31) - 1))
