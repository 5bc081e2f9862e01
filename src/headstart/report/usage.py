"""How to use what a run handed over."""

from __future__ import annotations

import shlex

from headstart.records import Result


def usage(result: Result) -> str:
    """A command line and the same in Python; both name the run's folder as seen from the one above it."""
    new = "[text]" if result.data.modality == "text" else '["new.jpg"]'
    return "\n".join(
        [
            f"headstart predict {shlex.quote(result.name)} NEW",
            "",
            "import headstart",
            "",
            f"headstart.load({result.name!r}).predict({new})",
        ]
    )
