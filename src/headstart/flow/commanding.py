"""The command that does what was advised."""

from __future__ import annotations

import shlex
from pathlib import Path

from headstart.settings import SourceSettings


def fit_command(
    source: str,
    settings: SourceSettings,
    base: str | None,
    *,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    seed: int = 0,
) -> str:
    """`headstart fit` on the rows of ``source`` as they were read, with ``base``, or the default where it is None."""
    given = ["headstart", "fit", source]
    sources = {"valid": valid, "test": test, "input": settings.input, "group": settings.group, "split": settings.split}
    for option, value in {**sources, "task": settings.task, "modality": settings.modality, "base": base}.items():
        given += [f"--{option}", str(value)] if value else []
    for target in settings.target or ():
        given += ["--target", target]
    for column in settings.slices:
        given += ["--slice", column]
    given += ["--seed", str(seed)] if seed else []
    return shlex.join(given)
