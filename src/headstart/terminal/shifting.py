"""A shift, as lines for the terminal."""

from __future__ import annotations

from headstart.flow.shifting import Shift


def shift_text(found: Shift) -> str:
    """What was compared, then what that says, the accuracy to expect first."""
    aside = f", {found.rejected:,} not readable" if found.rejected else ""
    lines = [f"{found.source} against {found.run}: {found.n:,} inputs{aside}", *found.sentences]
    return "\n".join(lines).replace("\u00a0", " ")
