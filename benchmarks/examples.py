"""Labelled examples of a benchmark's task, and fixed draws from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        key: names it within its data set; equal for nothing else.
        label: its class.
        content: a text, the file of a picture, or what draws one.
        group: whose examples no split may part, such as a speaker; "" where there is none.
    """

    key: str
    label: str
    content: str | Path | Callable[[], Image.Image]
    group: str = ""


@dataclass(frozen=True)
class Pool:
    """A data set: what may be trained on, and a test part that never changes.

    Attributes:
        modality: "image" or "text".
        train: every example that training rows are drawn from.
        test: held out.
        test_is: what the test part is, in words.
    """

    modality: str
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    test_is: str


def few(examples: Iterable[Example], per_class: int, seed: int) -> list[Example]:
    """``per_class`` of every class, its groups in turn; with one seed, a smaller cut lies in every larger one.

    Raises:
        ValueError: a class has fewer.
    """
    piles = _piles(_drawn(examples, seed), lambda example: example.label)
    short = [label for label, pile in piles.items() if len(pile) < per_class]
    if short:
        raise ValueError(f"{short[0]!r} has {len(piles[short[0]])} examples, {per_class} of each class were asked for")
    return [example for pile in piles.values() for example in pile[:per_class]]


def capped(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """At most ``most``, as even over classes as they allow; all of them where they are no more."""
    return list(examples) if len(examples) <= most else _drawn(examples, seed)[:most]


def _drawn(examples: Iterable[Example], seed: int) -> list[Example]:
    """In random order, but classes in turn and, within a class, groups in turn."""
    sorted_first = sorted(examples, key=lambda example: example.key)
    order = [sorted_first[i] for i in np.random.default_rng(seed).permutation(len(sorted_first))]
    classes = _piles(order, lambda example: example.label)
    return _in_turn(_in_turn(_piles(pile, lambda example: example.group).values()) for pile in classes.values())


def _piles(examples: Iterable[Example], name: Callable[[Example], str]) -> dict[str, list[Example]]:
    """Examples by ``name``, in the order of the names."""
    piles: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        piles[name(example)].append(example)
    return dict(sorted(piles.items()))


def _in_turn(piles: Iterable[list[Example]]) -> list[Example]:
    """The first of every pile, then the second of every pile …"""
    return [example for rank in zip_longest(*piles) for example in rank if example is not None]
