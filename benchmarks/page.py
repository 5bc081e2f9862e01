"""docs/benchmarks.md: prose by hand, and between markers one generated section a benchmark."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_MARKER = re.compile(r"^<!-- (/?)benchmark:(\w+) -->$", re.MULTILINE)


def begin(name: str) -> str:
    """The marker before a section."""
    return f"<!-- benchmark:{name} -->"


def end(name: str) -> str:
    """The marker after it."""
    return f"<!-- /benchmark:{name} -->"


def faults(text: str, names: list[str]) -> list[str]:
    """What is wrong with the markers of a page that should have one section of each of ``names``, in that order."""
    found = [(close == "/", name) for close, name in _MARKER.findall(text)]
    wanted = [(close, name) for name in names for close in (False, True)]
    if found == wanted:
        return []
    shown = ", ".join(("/" if close else "") + name for close, name in found)
    return [f"markers are {shown or 'missing'}; there should be a pair of each of {', '.join(names)}, in that order"]


def put(text: str, name: str, section: str) -> str:
    """``text`` with what is between the markers of ``name`` replaced.

    Raises:
        ValueError: the markers are not there once each.
    """
    if text.count(begin(name)) != 1 or text.count(end(name)) != 1:
        raise ValueError(f"docs/benchmarks.md needs {begin(name)} and {end(name)} once each")
    before, rest = text.split(begin(name))
    _, after = rest.split(end(name))
    return f"{before}{begin(name)}\n{section.strip()}\n{end(name)}{after}"


def write(name: str, section: str) -> None:
    """Replace one section of the page."""
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), name, section), encoding="utf-8")
