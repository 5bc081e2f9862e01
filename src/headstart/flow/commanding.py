"""The command that does what was advised."""

from __future__ import annotations

import shlex
from pathlib import Path

from headstart.settings import FitSettings, SourceSettings


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
    given = ["headstart", "fit", source, *_read(settings, base, valid, test)]
    for column in settings.slices:
        given += ["--slice", column]
    given += ["--seed", str(seed)] if seed else []
    return shlex.join(given)


def audit_command(
    source: str | Path, settings: FitSettings, *, valid: str | Path | None = None, test: str | Path | None = None
) -> str:
    """`headstart audit --apply` on the rows of a fit as it read them, compared by the features of the same base."""
    read = _read(settings.source, settings.base, valid, test)
    return shlex.join(["headstart", "audit", str(source), *read, "--apply"])


def _read(settings: SourceSettings, base: str | None, valid: str | Path | None, test: str | Path | None) -> list[str]:
    """The options that say what is read, and by which base; `fit` and `audit` have them alike."""
    given: list[str] = []
    sources = {"valid": valid, "test": test, "input": settings.input, "group": settings.group, "split": settings.split}
    for option, value in {**sources, "task": settings.task, "modality": settings.modality, "base": base}.items():
        given += [f"--{option}", str(value)] if value else []
    for target in settings.target or ():
        given += ["--target", target]
    return given
