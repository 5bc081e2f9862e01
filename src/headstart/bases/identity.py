"""Where a base comes from and what it was made from: recorded in results and bundles, checked when one is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

#: How the source of an ancestor begins that an earlier run made; its name follows.
RUN = "run "
# Entries of a config.json that nothing is built by: where it was loaded from, and what wrote it.
_IDLE = ("_name_or_path", "transformers_version")


@dataclass(frozen=True)
class Ancestor:
    """One checkpoint that a base was made from.

    Attributes:
        name: what the user writes after ``--base``, or an earlier run's name.
        source: where the weights came from, as in `Identity`; "run NAME" for an earlier run.
        revision: the Hub commit, the package's version, or when the run was made; "" for a folder or file.
        weights: sha256 (hex) of the weights file(s).
        licence: SPDX name, or "unknown".
        trained_on: the data of this step, or "unknown".
    """

    name: str
    source: str
    revision: str
    weights: str
    licence: str = "unknown"
    trained_on: str = "unknown"

    @property
    def words(self) -> str:
        """The name, and what is known of it; an earlier run of the user's is told by its name alone."""
        known = [] if self.source.startswith(RUN) else [t for t in (self.trained_on, self.licence) if t != "unknown"]
        return f"{self.name} ({', '.join(known)})" if known else self.name


@dataclass(frozen=True)
class Identity(Ancestor):
    """A base's provenance: its last step, and those before it.

    ``source`` is "package NAME VERSION", "hub REPO", "folder PATH", "onnx PATH" or "torchvision URL".

    Attributes:
        lineage: what it was made from, oldest first; () where that is not known. An earlier run that serves as a base
            has its root's name and source, and root and run are here.
        remote_code: whether code of the checkpoint's own is run to build it, which the user has to allow.
        config: sha256 (hex) of the configuration that the network is built by; "" where it has none, or of records
            that older versions wrote.
    """

    lineage: tuple[Ancestor, ...] = ()
    remote_code: bool = False
    config: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "lineage": [asdict(one) for one in self.lineage]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Identity:
        """The inverse of `to_dict`; records that older versions wrote, without lineage, are read too."""
        lineage = tuple(Ancestor(**one) for one in values.get("lineage", ()))
        return cls(**{**values, "lineage": lineage})


def ancestors(identity: Identity) -> tuple[Ancestor, ...]:
    """All steps to ``identity``, oldest first, itself among them.

    What an earlier run made goes by its root's name, source and revision, so that is in the lineage already.
    """
    own = Ancestor(**{field.name: getattr(identity, field.name) for field in fields(Ancestor)})
    same = (identity.name, identity.source, identity.revision)
    named = any((one.name, one.source, one.revision) == same for one in identity.lineage)
    return identity.lineage if named else (*identity.lineage, own)


def chain(identity: Identity, last: str = "yours") -> str:
    """The steps as one line: "efficientnet_lite0 (ImageNet-1k, Apache-2.0) → bees → yours"."""
    return " → ".join([*(one.words for one in ancestors(identity)), *([last] if last else [])])


def hash_config(config: dict[str, Any]) -> str:
    """sha256 (hex) of what a config.json says, however it is laid out; see `_IDLE` for what does not count."""
    told = {name: value for name, value in config.items() if name not in _IDLE}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """sha256 (hex) of the content of ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """sha256 (hex) over the content of ``paths``, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
