"""The record of a bundle and the changes of its base: read to use the bundle, and to build on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from headstart.bases.adapters import Lora
from headstart.bases.changes import Changes
from headstart.bases.stored import read, unpack
from headstart.errors import BundleError, SettingError

#: Version of the layout. 1: the first. 2: changed tensors of the base, controls, checksums. 3: caution. 4: lineage.
#: 5: configuration of the base.
SCHEMA = 5
RECORD, CHANGES = "bundle.json", "changes.safetensors"
#: What a damaged record raises somewhere.
DAMAGE = (KeyError, TypeError, IndexError, AttributeError, ValueError, SettingError)


def find_bundle(path: Path) -> Path | None:
    """The bundle's folder, given it or the run's; None where there is none."""
    return next((folder for folder in (path, path / "bundle") if (folder / RECORD).is_file()), None)


def read_record(folder: Path) -> dict[str, Any]:
    """The content of ``bundle.json``.

    Raises:
        BundleError: it is damaged, or was written by a newer headstart.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder / RECORD} cannot be read ({error}); restore it or fit again.") from error
    if not isinstance(record, dict) or not isinstance(record.get("schema"), int):
        raise BundleError(f"{folder / RECORD} is not a bundle's record; restore it or fit again.")
    if record["schema"] > SCHEMA:
        raise BundleError(
            f"{folder} has layout {record['schema']}, this headstart reads up to {SCHEMA}; upgrade headstart."
        )
    return record


def damaged(folder: Path, error: Exception) -> BundleError:
    """What to raise where a record lacks something or holds what it cannot."""
    return BundleError(f"{folder / RECORD} is damaged: {type(error).__name__} {error}; restore it or fit again.")


def read_part(folder: Path, record: dict[str, Any], name: str) -> bytes:
    """One file of the bundle, checked; layout 1 has no checksums.

    Raises:
        BundleError: it is not what was saved.
    """
    return read(folder / name, None if record["schema"] == 1 else record["files"][name])


def read_changes(folder: Path, record: dict[str, Any]) -> Changes | None:
    """What training changed in the base; None where nothing was.

    Raises:
        BundleError: the files are not what was saved; one of `DAMAGE` where the record is not.
    """
    if "changes" not in record:
        return None
    said = record["changes"]
    lora = Lora.from_dict(said["lora"]) if said["lora"] else None
    changes = Changes(unpack(folder / CHANGES, read_part(folder, record, CHANGES)), lora, said["of"])
    if changes.digest() != said["digest"]:
        raise BundleError(
            f"{folder / RECORD} lists other changes than {folder / CHANGES} holds; restore both or fit again."
        )
    return changes
