"""A folder of several runs on the same inputs, one a target column: which they are, and how they are told apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from headstart.data.naming import some
from headstart.errors import BundleError

FILE, INDEX, TABLE = "targets.json", "index.html", "targets.csv"
_SCHEMA = 1


def folders_for(columns: Sequence[str]) -> dict[str, str]:
    """Target column -> the name of its run's folder: the column's, as far as every file system takes it."""
    found: dict[str, str] = {}
    for column in columns:
        plain = re.sub(r"[^\w.-]+", "_", column)[:60].strip("._-") or "target"
        name, number = plain, 1
        while name.casefold() in {one.casefold() for one in found.values()} | {FILE, INDEX, TABLE}:
            number += 1
            name = f"{plain}_{number}"
        found[column] = name
    return found


def manifest(folders: Mapping[str, str]) -> str:
    """What `FILE` holds."""
    told = [{"target": column, "folder": folder} for column, folder in folders.items()]
    return json.dumps({"schema": _SCHEMA, "targets": told}, indent=2, ensure_ascii=False) + "\n"


def refuse_several(path: Path) -> None:
    """`BundleError` where ``path`` is no run but the folder of several."""
    if runs := target_runs(path):
        raise BundleError(f"{path} holds a run a target column; name one of them: {some(map(str, runs.values()))}.")


def target_runs(path: Path) -> dict[str, Path]:
    """Target column -> the folder of its run; {} where ``path`` is a run or bundle, or nothing at all.

    Raises:
        BundleError: the list cannot be read, or was written by a newer headstart.
    """
    file = path / FILE
    if not file.is_file():
        return {}
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        newer = record["schema"] > _SCHEMA
        found = {str(one["target"]): path / Path(str(one["folder"])).name for one in record["targets"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BundleError(f"{file} cannot be read ({type(error).__name__}); restore it or fit again.") from error
    if newer or not found:
        raise BundleError(f"{file} was written by a newer headstart, or names no run; update, or fit again.")
    return found
