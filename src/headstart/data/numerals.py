"""Numbers as other countries write them: 12,5 and 1.234,50; 1,234.50 and 1 234."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from headstart.data.sheet import as_number, as_numbers, is_empty

_SPACES = " '’\u00a0\u202f"  # what parts thousands besides comma and point
#: A comma between digits.
COMMA = r"\d,\d"
# What plain numbers have not: such a comma, or digits parted by more than one point or by spaces.
_NOT_PLAIN = rf"\d[,{_SPACES}]\d|\d\.\d+\.\d"
#: How a style is called -> what its numbers look like: groups of three digits, and a fraction.
STYLES = {
    "decimal comma": re.compile(rf"[+-]?(?:\d{{1,3}}([.{_SPACES}])\d{{3}}(?:\1\d{{3}})*|\d+)(?:,\d+)?"),
    "grouped thousands": re.compile(rf"[+-]?(?:\d{{1,3}}([,{_SPACES}])\d{{3}}(?:\1\d{{3}})*|\d+)(?:\.\d+)?"),
}


def styles_of(values: Sequence[Any]) -> tuple[str, ...]:
    """The `STYLES` in which every cell that is not empty is a number, where they are not plain numbers all of them.

    Two styles where it cannot be told: 1,234 is a thousand and more, or less than two. One of the two where both come
    to the same numbers.
    """
    cells = [v for v in values if not is_empty(v)]
    if as_numbers(cells) is not None:
        return ()
    fitting = tuple(s for s in STYLES if all(styled(v, s) is not None for v in cells))
    if len(fitting) == 2 and all(styled(v, fitting[0]) == styled(v, fitting[1]) for v in cells):
        return fitting[:1]
    return fitting if cells else ()


def styled(value: Any, style: str) -> float | None:
    """A cell as a number written in ``style``; "" is the plain one. None for anything else."""
    if not style or not isinstance(value, str):
        return as_number(value)
    text = value.strip()
    if STYLES[style].fullmatch(text) is None:
        return None
    mark = "," if style == "decimal comma" else "."
    whole, _, fraction = text.partition(mark)
    return float(re.sub(rf"[.,{_SPACES}]", "", whole) + "." + (fraction or "0"))


def unmistakable(values: Sequence[Any]) -> bool:
    """Whether some cell cannot be a list of numbers parted by commas: it has a point, or groups parted by spaces."""
    return any(isinstance(v, str) and re.search(rf"\d[.{_SPACES}]\d", v) for v in values)


def example(values: Sequence[Any], pattern: str = _NOT_PLAIN) -> str:
    """The first cell with ``pattern`` in it, quoted; "" if there is none."""
    return next((repr(v.strip()) for v in values if isinstance(v, str) and re.search(pattern, v)), "")
