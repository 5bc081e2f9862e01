"""Checkpoints that bring code of their own (``auto_map``): it runs only where the user allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.errors import BaseError


def settle_code(config: dict[str, Any], name: str, where: str, allowed: bool) -> bool:
    """Whether code of the checkpoint's own is needed to build it.

    Args:
        config: its config.json.
        where: the repository and commit, or the folder, whose code it is.
        allowed: whether the user said that it may run.

    Raises:
        BaseError: it is needed and not allowed, or lies in another repository, where no commit holds it still.
    """
    needed = _references(config.get("auto_map"))
    if not needed:
        return False
    elsewhere = [reference for reference in needed if "--" in reference]
    if elsewhere:
        raise BaseError(
            f"base {name!r} needs code of its own from another repository ({elsewhere[0].partition('--')[0]}), at no "
            f"fixed commit; headstart does not run that: put code and weights into one folder."
        )
    if not allowed:
        files = sorted({f"{reference.partition('.')[0]}.py" for reference in needed})
        raise BaseError(
            f"base {name!r} needs code of its own, which headstart does not run unasked: {', '.join(files)} of "
            f"{where}; read it, then allow it by --trust-remote-code (trust_remote_code=True in Python)."
        )
    return True


def code_files(folder: Path) -> list[Path]:
    """The code beside a checkpoint and in folders there, which it may import, in the order of the paths."""
    return sorted(
        path
        for path in folder.rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _references(auto_map: Any) -> list[str]:
    """``module.Class`` or ``owner/model--module.Class`` of every entry; tokenizers have two or none."""
    given = auto_map.values() if isinstance(auto_map, dict) else [auto_map]
    flat = [one for value in given for one in (value if isinstance(value, (list, tuple)) else [value])]
    return [str(one) for one in flat if one]
