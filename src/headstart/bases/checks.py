"""Checks of a checkpoint before it is used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.bases.table import shipped
from headstart.errors import BaseError, SettingError


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where it cannot be read or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def refuse_modality(name: str | None, takes: str, modality: str | None) -> None:
    """Refuse base ``name``, which takes ``takes``, for data of another ``modality``; None: any will do.

    Raises:
        BaseError: it is of another one.
    """
    if modality is not None and takes != modality:
        fitting = next((known for known, entry in shipped().items() if entry.modality == modality), "none yet")
        raise BaseError(
            f"base {name!r} takes {takes} inputs but the data are {modality}; for {modality} try {fitting!r}."
        )


def refuse_misfit(name: str, missing: list[str], extra: list[str]) -> None:
    """Refuse a checkpoint whose tensors are not the architecture's."""
    for what, keys in (("lacks", missing), ("has unexpected", extra)):
        if keys:
            count = f"{len(keys)} tensor{'s' * (len(keys) != 1)}"
            shown = ", ".join(keys[:3]) + " …" * (len(keys) > 3)
            raise BaseError(
                f"the checkpoint of base {name!r} {what} {count} ({shown}); it does not belong to its config.json."
            )


@contextmanager
def telling_preprocessing(where: str) -> Iterator[None]:
    """Within, what is wrong with the preprocessing that a configuration holds becomes a `BaseError`.

    Args:
        where: the file or folder, and whose it is.
    """
    try:
        yield
    except (SettingError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise BaseError(
            f"{where} holds no preprocessing that can be used ({first_line(error)}); correct it."
        ) from error


def not_loaded(error: Exception) -> str:
    """Why a library could not load a checkpoint, in one line; of pickles not its advice to load them unsafely."""
    said = str(error)
    if "weights" in said.lower() and (found := re.search(r"Unsupported \w+:? (?:GLOBAL )?(\w+(?:\.\w+)*)", said)):
        return f"it is a pickle that holds more than tensors ({found[1]}), which could run code; take safetensors"
    lines = [line for line in said.strip().splitlines() if not line.startswith("Error(s) in loading state_dict")]
    return first_line(ValueError("\n".join(lines))) if lines else type(error).__name__


def first_line(error: Exception) -> str:
    """What ``error`` says, in one line without a full stop; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else type(error).__name__
