"""Entities as spans of words, read from tags, and as spans of characters, with how sure the model is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.modalities.text.words import Words, as_words
from headstart.ragged import Ragged
from headstart.tasks.tag.chain import Chain

#: The tag of a word that is part of nothing.
OUTSIDE = "O"


def marks_entities(names: Iterable[str]) -> bool:
    """Whether tags of these ``names`` are those of entities: "O", and others that begin with B- or I-."""
    others = [name for name in names if name != OUTSIDE]
    return bool(others) and all(name[:2] in ("B-", "I-") and len(name) > 2 for name in others)


@dataclass(frozen=True)
class Scheme:
    """What tags mean that mark entities.

    Attributes:
        types: of entities, sorted.
        type: [tags] int64 index into ``types``; −1 for "O".
        begins: [tags] bool: the first word of an entity.
        begin, inside: [types] int64: the tags of the first word and of those that follow.
    """

    types: tuple[str, ...]
    type: np.ndarray
    begins: np.ndarray
    begin: np.ndarray
    inside: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str]) -> Scheme:
        """Of the tags ``names``: "O", and for each type "B-TYPE" and "I-TYPE"."""
        types = tuple(dict.fromkeys(name[2:] for name in names if name != OUTSIDE))
        index, numbers = {one: i for i, one in enumerate(types)}, {name: i for i, name in enumerate(names)}
        return cls(
            types,
            np.array([-1 if name == OUTSIDE else index[name[2:]] for name in names], np.int64),
            np.array([name.startswith("B-") and name != OUTSIDE for name in names]),
            *(np.array([numbers[mark + one] for one in types], np.int64) for mark in ("B-", "I-")),
        )

    def chain(self, p: Ragged) -> Chain:
        """Sequences of tags in which an entity begins before it goes on, weighed by ``p`` [items, tags]."""
        follows = ~self.begins & (self.type >= 0)
        pairs = ~follows | (self.type[:, None] == self.type)
        return Chain(p.values, p.offsets, pairs.astype(float), (~follows).astype(float))


@dataclass(frozen=True)
class Spans:
    """Entities of n rows, in the order of their words.

    Attributes:
        row: [m] the row of each.
        first, last: [m] its words, as places among the words of all rows.
        type: [m] index into the scheme's types.
    """

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray
    type: np.ndarray

    @classmethod
    def of(cls, tags: Ragged, scheme: Scheme) -> Spans:
        """Of tags, [items] of numbers; one that goes on with nothing before it begins an entity, as in conlleval."""
        value, row = tags.values, tags.rows
        kind = scheme.type[value]
        same = np.zeros(len(value), bool)  # whether a word is of the entity of the word before it
        same[1:] = (kind[1:] == kind[:-1]) & (row[1:] == row[:-1]) & ~scheme.begins[value[1:]]
        inside = kind >= 0
        first = np.flatnonzero(inside & ~same)
        last = np.flatnonzero(inside & ~np.append(same[1:], False)[: len(value)])
        return cls(row[first], first, last, kind[first])

    def __len__(self) -> int:
        return len(self.row)

    def among(self, others: Spans, items: int) -> np.ndarray:
        """[m] bool: those of which ``others`` has one of the same first and last word and type; of so many words."""
        end, kind = np.full(items, -1), np.full(items, -1)
        end[others.first], kind[others.first] = others.last, others.type
        return (end[self.first] == self.last) & (kind[self.first] == self.type)


@dataclass(frozen=True)
class Span:
    """Words of a text that are marked.

    Attributes:
        start, end: the first character, and the one after the last.
        label: the type of the entity, or the tag of the word.
        text: what stands there.
        confidence: the probability of just this span, see `marked`.
    """

    start: int
    end: int
    label: str
    text: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("start", "end", "label", "text", "confidence")}


def marked(inputs: Sequence[Any], p: Ragged, scheme: Scheme) -> list[tuple[Span, ...]]:
    """The entities of each of the n texts ``inputs`` in the most probable sequence of tags.

    The confidence is the probability, by ``p`` [items, tags], that the first word has the type's B tag, those that
    follow its I tag, and the next one does not: words taken to be independent of each other, among the sequences that
    are possible (an entity begins before it goes on), all of which are summed over.
    """
    chain = scheme.chain(p)
    found = Spans.of(p.like(chain.best()), scheme)
    begin, inside = scheme.begin[found.type], scheme.inside[found.type]
    sure = chain.sums().stretches(found.first, found.last, begin, inside)
    out: list[list[Span]] = [[] for _ in inputs]
    texts = [as_words(value) for value in inputs]
    for row, first, last, kind, confidence in zip(
        found.row.tolist(), found.first.tolist(), found.last.tolist(), found.type.tolist(), sure.tolist(), strict=True
    ):
        words = (first - int(p.offsets[row]), last - int(p.offsets[row]))
        out[row].append(span_of(texts[row], *words, scheme.types[kind], confidence))
    return [tuple(spans) for spans in out]


def span_of(text: Words, first: int, last: int, label: str, confidence: float) -> Span:
    """The span from word ``first`` to word ``last``."""
    start, end = int(text.bounds[first, 0]), int(text.bounds[last, 1])
    return Span(start, end, label, str(text)[start:end], confidence)
