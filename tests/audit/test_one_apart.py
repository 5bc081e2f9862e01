"""Texts that differ in one word are found without comparing all with all."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from headstart.audit.one_apart import one_apart


def pairs(texts: list[tuple[str, ...]]) -> set[tuple[int, int]]:
    first, second = one_apart(texts)
    return set(zip(first.tolist(), second.tolist(), strict=True))


def apart(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether leaving one word out of either, both or none makes the words the same."""
    return max(len({*a} - {*b}), len({*b} - {*a})) <= 1


def test_the_pairs_are_those_of_a_comparison_of_all_with_all() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(300)]
    texts = [tuple(rng.choice(words, 6).tolist()) for _ in range(60)]
    for i in range(20):  # one word exchanged, left out, or in another order
        own = list(texts[i])
        texts.append(((*own[:-1], f"x{i}"), tuple(own[1:]), tuple(own[::-1]))[i % 3])
    assert pairs(texts) == {(a, b) for a, b in combinations(range(80), 2) if apart(texts[a], texts[b])}


def test_many_texts_of_one_pattern_give_few_pairs_each() -> None:
    texts = [("order", str(i), "is", "late") for i in range(5000)]
    found = pairs(texts)
    assert len(found) <= 5 * 5000
    assert {row for pair in found for row in pair} == set(range(5000))


def test_no_texts_have_no_pairs() -> None:
    assert pairs([]) == set()
    assert pairs([("one",)]) == set()
