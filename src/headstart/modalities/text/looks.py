"""What is told of texts without a base."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache


def script(text: str) -> str:
    """The writing system of most letters of ``text``, such as "Latin", "Cyrillic" or "Cjk"; "none" without letters.

    It is the first word of the letters' Unicode names: which language is written, it does not tell.
    """
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return min(counts, key=lambda name: (-counts[name], name)) if counts else "none"


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "other").split()[0].split("-")[0].title()
