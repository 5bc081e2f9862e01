"""How to use what a run handed over."""

from __future__ import annotations

import shlex

from headstart.records import Result


def usage(result: Result, place: str = "") -> str:
    """A command line and the same in Python, which run as they stand where the run was made.

    Args:
        place: path of the run's folder from there; "": its name.
    """
    place, new = place or result.name, result.data.example or f"new {result.data.modality}"
    return "\n".join(
        [
            f"headstart predict {shlex.quote(place)} {shlex.quote(new)}",
            "",
            "import headstart",
            "",
            f"headstart.load({place!r}).predict([{new!r}])",
        ]
    )
