"""The bases that fit as text for the terminal, at most 120 columns wide."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.bases.choosing import LeftOut, Selection
from headstart.bases.entry import Entry
from headstart.modalities import get
from headstart.terminal.tables import aligned, columns, paragraph

_EMBEDDED = "* comes inside an installed package and needs no network; names of the others are fetched from the Hub"


def bases_text(selection: Selection, *, verbose: bool = False) -> str:
    """A table for each modality, then what was left out and why, the commonest reason first.

    ``verbose`` adds a line to each base: the width of its features and what it was trained on.
    """
    blocks = []
    for modality in dict.fromkeys(entry.modality for entry in selection.kept):
        blocks.append(_table([entry for entry in selection.kept if entry.modality == modality], verbose))
    if not selection.kept:
        blocks.append(["No base of the catalogue fits."])
    if any(entry.embedded for entry in selection.kept):
        blocks.append(paragraph(_EMBEDDED))
    if note := _forbidding(selection.kept):
        blocks.append(paragraph(note))
    if selection.left_out:
        blocks.append(_left_out(selection))
    if selection.kept and not verbose:
        blocks.append(["--verbose also shows what each was trained on, --json all of it"])
    return "\n\n".join("\n".join(block) for block in blocks)


def _table(entries: Sequence[Entry], verbose: bool) -> list[str]:
    modality = entries[0].modality
    title = (f"{modality}, {len(entries)}", "parameters", get(modality).input_unit, "licence")
    lines = aligned([title, *map(_cells, entries)], right=(1, 2))
    if not verbose:
        return lines
    about = [paragraph(f"{entry.width:,} features; trained on {entry.trained_on}", "    ") for entry in entries]
    return [lines[0], *(line for row, more in zip(lines[1:], about, strict=True) for line in [row, *more])]


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        f"{entry.name}{' *' if entry.embedded else ''}",
        f"{entry.parameters:,.1f} M",
        f"{entry.input:,}",
        entry.licence,
    )


def _forbidding(entries: Sequence[Entry]) -> str:
    """The licences shown that are not for commercial use; "" where all are."""
    named = {
        "not for commercial use": sorted({e.licence for e in entries if e.commercial == "no"}),
        "commercial use unknown": sorted({e.licence for e in entries if e.commercial == "unknown"}),
    }
    return "; ".join(f"{what}: {', '.join(licences)}" for what, licences in named.items() if licences)


def _left_out(selection: Selection) -> list[str]:
    """Counts and reasons, and the names as far as a line goes."""
    groups: dict[str, list[LeftOut]] = {}
    for one in selection.left_out:
        groups.setdefault(one.ground, []).append(one)
    total = len(selection.kept) + len(selection.left_out)
    lines = [f"left out: {len(selection.left_out)} of {total}"]
    for ground, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        lines.append(_named(f"{len(members):>4}  {ground}: ", [one.name for one in members]))
    return lines


def _named(start: str, names: list[str]) -> str:
    """``start`` and as many of ``names`` as fit, and how many more there are."""
    for shown in range(len(names), 0, -1):
        more = f", and {len(names) - shown} more" if shown < len(names) else ""
        line = f"{start}{', '.join(names[:shown])}{more}"
        if len(line) <= columns():
            return line
    return start.rstrip(": ")
