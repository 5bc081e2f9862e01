"""What is said of a source beside the rows that it gives."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.data.table import Fact, Opened, remarks
from headstart.progress import Progress


def tell_facts(facts: Sequence[Fact], progress: Progress, *, detail: bool = False) -> None:
    """One line a fact; ``detail``: for readers who asked for details."""
    tell = progress.detail if detail else progress.say
    for fact in facts:
        tell(f"  {fact.what}: {fact.value} ({fact.reason})")


def tell_remarks(opened: Opened, name: str, progress: Progress, unreadable: int = 0) -> None:
    """What was changed or passed over in the source called ``name``, and how many rows cannot be read.

    Args:
        unreadable: rows that were opened and could not be decoded.
    """
    tell_facts(remarks(opened.facts), progress)
    aside = len(opened.rejected) + unreadable
    if aside:
        first = f"; the first is {opened.rejected[0].id} ({opened.rejected[0].reason})" if opened.rejected else ""
        progress.say(f"  {name}: {aside:,} of {len(opened.table) + len(opened.rejected):,} rows left out{first}")
