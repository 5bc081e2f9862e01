"""Where a base comes from: what is recorded in results and bundles, and checked when a bundle is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Identity:
    """A base's provenance.

    Attributes:
        name: what the user writes after ``--base``.
        source: where the weights came from: "package NAME VERSION", "hub REPO" or "folder PATH".
        revision: the Hub commit or the package's version; "" for a folder.
        weights: sha256 (hex) of the weights file(s).
        licence: SPDX name, or "unknown".
        trained_on: the data the base was trained on, or "unknown".
    """

    name: str
    source: str
    revision: str
    weights: str
    licence: str = "unknown"
    trained_on: str = "unknown"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Identity:
        """The inverse of `to_dict`."""
        return cls(**values)


def hash_files(paths: Iterable[Path]) -> str:
    """sha256 (hex) over the content of ``paths``, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
