"""The command, or for data in memory the line of Python, that does what was advised."""

from __future__ import annotations

import shlex
from typing import Any

from headstart.data.memory import Memory, Source
from headstart.settings import FitSettings, SourceSettings


def fit_command(
    source: Source,
    settings: SourceSettings,
    base: str | None,
    *,
    valid: Source | None = None,
    test: Source | None = None,
    seed: int = 0,
) -> str:
    """`headstart fit` on the rows of ``source`` as they were read, with ``base``, or the default where it is None."""
    if any(isinstance(one, Memory) for one in (source, valid, test)):
        return _call("fit", source, settings, base, valid, test, seed)
    given = ["headstart", "fit", str(source), *_read(settings, base, valid, test)]
    for column in settings.slices:
        given += ["--slice", column]
    given += ["--seed", str(seed)] if seed else []
    return shlex.join(given)


def audit_command(
    source: Source,
    settings: FitSettings,
    *,
    valid: Source | None = None,
    test: Source | None = None,
    again: str = "",
) -> str:
    """`headstart audit --apply` on the rows of a fit as it read them, compared by the features of the same base.

    Args:
        again: the folder of an earlier audit, which this one is to replace; "": there is none.
    """
    if any(isinstance(one, Memory) for one in (source, valid, test)):
        return _call("audit", source, settings.source, settings.base, valid, test, 0)
    read = _read(settings.source, settings.base, valid, test)
    replacing = ["--out", again, "--overwrite"] if again else []
    return shlex.join(["headstart", "audit", str(source), *read, "--apply", *replacing])


def _read(settings: SourceSettings, base: str | None, valid: Source | None, test: Source | None) -> list[str]:
    """The options that say what is read, and by which base; `fit` and `audit` have them alike."""
    given: list[str] = []
    sources = {"valid": valid, "test": test, "input": settings.input, "group": settings.group, "split": settings.split}
    for option, value in {**sources, "task": settings.task, "modality": settings.modality, "base": base}.items():
        given += [f"--{option}", str(value)] if value else []
    for target in settings.target or ():
        given += ["--target", target]
    return [*given, "--strict"] if settings.strict else given


def _call(
    verb: str,
    source: Source,
    settings: SourceSettings,
    base: str | None,
    valid: Source | None,
    test: Source | None,
    seed: int,
) -> str:
    """The same in Python; data in memory are called by what they are to the run."""
    targets = settings.target or ()
    given: dict[str, Any] = {"input": settings.input, "target": targets[0] if len(targets) == 1 else list(targets)}
    given |= {"group": settings.group, "slices": list(settings.slices), "split": settings.split}
    given |= {
        "task": settings.task,
        "modality": settings.modality,
        "base": base,
        "seed": seed,
        "strict": settings.strict,
    }
    data = {"data": source, "valid": valid, "test": test}
    names = {name: name if isinstance(one, Memory) else repr(str(one)) for name, one in data.items() if one is not None}
    parts = [names.pop("data"), *(f"{name}={one}" for name, one in names.items())]
    return f"headstart.{verb}({', '.join([*parts, *(f'{name}={value!r}' for name, value in given.items() if value)])})"
