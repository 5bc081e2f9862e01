"""Words that are marked in one way here and in another there: what annotators did not agree on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.modalities.text.words import as_words
from headstart.ragged import Ragged
from headstart.tasks.tag.spans import Scheme, Spans
from headstart.tasks.task import Noticed

_FEWEST = 3  # times that a string occurs, under which it says nothing
_MINORITY = 0.1  # share of them that are marked otherwise than most, under which they may be slips or rare meanings
_SHOWN, _KEPT = 2, 10  # strings that the sentence names, and that are kept
#: Of an occurrence that is marked as nothing.
UNMARKED = "not an entity"


@dataclass(frozen=True)
class Inconsistent:
    """A string that is marked in more than one way.

    Attributes:
        text: its words, a blank between each two.
        counts: how often it is marked as what, the most frequent first.
        rows: where it is marked otherwise than most, in their order.
    """

    text: str
    counts: dict[str, int]
    rows: tuple[int, ...]

    @property
    def times(self) -> int:
        """How often it occurs."""
        return sum(self.counts.values())

    @property
    def others(self) -> int:
        """How often it is marked otherwise than most."""
        return self.times - max(self.counts.values())

    def told(self) -> str:
        """In words, as "“apple” (company 7, not an entity 3)"."""
        return f"“{self.text}” ({', '.join(f'{name} {count:,}' for name, count in self.counts.items())})"


def inconsistent(inputs: Sequence[Any], y: Ragged, scheme: Scheme) -> list[Inconsistent]:
    """Strings of the n texts ``inputs`` of which at least a tenth, of three occurrences, is marked otherwise.

    Letters' case tells strings apart. Occurrences inside a longer entity, or across the end of one, are not counted.

    Args:
        y: tag numbers [items].

    Returns:
        Those with most occurrences that are marked otherwise than most first.
    """
    words = np.array([word for value in inputs for word in as_words(value).tokens], dtype=object)
    spans, places = Spans.of(y, scheme), defaultdict(list)
    for first, last, kind in zip(spans.first.tolist(), spans.last.tolist(), spans.type.tolist(), strict=True):
        places[tuple(words[first : last + 1])].append((first, scheme.types[kind]))
    for text, first in _unmarked(words, y, scheme, set(places)):
        places[text].append((first, UNMARKED))
    found = [one for text, where in places.items() if (one := _judged(text, where, y.rows)) is not None]
    return sorted(found, key=lambda one: (-one.others, -one.times, one.text))


def _unmarked(
    words: np.ndarray, y: Ragged, scheme: Scheme, known: set[tuple[str, ...]]
) -> list[tuple[tuple[str, ...], int]]:
    """Occurrences of the ``known`` strings whose words are all outside entities, and the first word of each."""
    outside, rows, found = scheme.type[y.values] < 0, y.rows, []
    inside_before = np.append(0, np.cumsum(~outside))
    for size in sorted({len(text) for text in known}):
        begins = {text[0] for text in known if len(text) == size}
        first = np.flatnonzero(np.fromiter((word in begins for word in words), bool, len(words)))
        first = first[first + size <= len(words)]
        whole = (inside_before[first + size] == inside_before[first]) & (rows[first] == rows[first + size - 1])
        for start in first[whole].tolist():
            text = tuple(words[start : start + size])
            if text in known:
                found.append((text, start))
    return found


def _judged(text: tuple[str, ...], where: list[tuple[int, str]], rows: np.ndarray) -> Inconsistent | None:
    names = [name for _, name in where]
    counts = dict(sorted(((name, names.count(name)) for name in set(names)), key=lambda one: (-one[1], one[0])))
    one = Inconsistent(" ".join(text), counts, ())
    if one.times < _FEWEST or one.others < _MINORITY * one.times:
        return None
    most = next(iter(counts))
    at = dict.fromkeys(int(rows[first]) for first, name in sorted(where) if name != most)
    return Inconsistent(one.text, counts, tuple(at))


def about(found: Sequence[Inconsistent]) -> Noticed | None:
    """What is said of strings marked in several ways; None where there are none."""
    if not found:
        return None
    others, times = sum(one.others for one in found), sum(one.times for one in found)
    strings = "1 string is" if len(found) == 1 else f"{len(found):,} strings are"
    shown = ", ".join(one.told() for one in found[:_SHOWN])
    return Noticed(
        f"{strings} labelled in more than one way, {others:,} of {times:,} occurrences otherwise than most: {shown}"
        f"{', …' if found[_SHOWN:] else ''}",
        "Look at these rows, and label the same words alike where they mean the same.",
        tuple(dict.fromkeys(row for one in found for row in one.rows)),
        tuple(one.told() for one in found[:_KEPT]),
    )
