"""What a verb was given, as the Python function behind it takes it."""

from __future__ import annotations

from typing import Any

from headstart.options import filled

__all__ = ["filled", "options_of"]


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """Every parameter of a verb under its own name, save those of what is shown."""
    options = {name: value for name, value in given.items() if name not in ("json", "quiet", "verbose")}
    if "slice" in options:
        options["slices"] = options.pop("slice") or ()
    return options
