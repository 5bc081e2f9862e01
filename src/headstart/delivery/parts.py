"""``parts.csv``: which rows of a run were in which part, by their content, so that a later run can keep them there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from headstart.data.split import EarlierParts
from headstart.data.table import PARTS
from headstart.errors import BundleError
from headstart.files import write_atomically
from headstart.unicode import writable

FILE = "parts.csv"
_HEAD = "key,part"


def save_parts(folder: Path, keys: Iterable[str], parts: Iterable[str]) -> None:
    """Write the part of each content key, each key once: in test before valid before train where a split parts copies.

    Raises:
        OutputError: it cannot be written.
    """
    found: dict[str, str] = {}
    for key, part in zip(keys, parts, strict=True):
        found[key] = max(found.get(key, part), part, key=PARTS.index)
    lines = "".join(f"{key},{found[key]}\n" for key in sorted(found))
    write_atomically(folder / FILE, f"{_HEAD}\n{lines}")


def earlier_parts(run: Path) -> EarlierParts:
    """As `save_parts` wrote them.

    Raises:
        BundleError: ``run`` keeps none, or they are damaged.
    """
    try:
        head, *lines = (run / FILE).read_text(encoding="utf-8").splitlines()
        parts = dict(line.split(",") for line in lines)
        if head != _HEAD or not set(parts.values()) <= {*PARTS}:
            raise ValueError("it holds something else")
    except OSError as error:
        raise BundleError(
            f"{run} keeps no record of its splits ({FILE}: {error.strerror}); name the folder of a finished run, or "
            "fit it again."
        ) from error
    except ValueError as error:
        raise BundleError(f"{run / FILE} is damaged ({error}); fit again.") from error
    return EarlierParts(writable(str(run)), parts)
