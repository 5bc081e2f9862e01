"""What the names of the classes say about which changes of a picture would change its class."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A label with one of these words tells left from right, or its mirror image is never seen.
_SIDED = _words(
    "left right leftward rightward leftwards rightwards l r clockwise anticlockwise counterclockwise cw ccw "
    "east west northeast northwest southeast southwest backward backwards mirrored reversed flipped sign signs "
    "links rechts gauche droite izquierda derecha"
)
# A label with one of these words is about writing.
_WRITING = _words(
    "text texts letter letters character characters digit digits number numbers numeral numerals glyph glyphs "
    "word words alphabet font fonts script handwriting handwritten uppercase lowercase"
)
_NUMBERS = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
_CASES = _words("upper lower capital small")  # as in "capital A"
_COLOURS = _words(
    "red green blue yellow orange purple violet pink brown black white grey gray cyan magenta turquoise beige "
    "light dark"
)
_NUMBER = re.compile(r"[-+]?\d+([.,:]\d+)*%?")


def first_glyph(labels: Sequence[str]) -> str | None:
    """The first label that is a digit, a number (in words, too) or a letter, or that is about writing."""
    return next((label for label in labels if _is_glyph(label)), None)


def first_sided(labels: Sequence[str]) -> str | None:
    """The first label that tells left from right."""
    return next((label for label in labels if _SIDED & set(_parts(label))), None)


def colours(labels: Sequence[str]) -> list[str]:
    """The labels that are nothing but a colour."""
    return [label for label in labels if _parts(label) and set(_parts(label)) <= _COLOURS]


def _parts(label: str) -> list[str]:
    """The lower-case words and numbers of a label: "turnLeft_2" -> turn, left, 2."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label)
    return re.findall(r"[^\W\d_]+|\d+", apart.casefold())


def _is_glyph(label: str) -> bool:
    parts = _parts(label)
    if _NUMBER.fullmatch(label.strip()) or _WRITING & set(parts) or len(label.strip()) == 1:
        return True
    named = [part for part in parts if part not in _CASES]
    one = len(named) == 1 and (len(named[0]) == 1 or named[0].isdecimal())
    return one or (bool(named) and set(named) <= _NUMBERS)
