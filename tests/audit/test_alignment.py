"""Alignments are difflib's on ordinary texts, and end soon on texts that repeat themselves."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import pytest

from headstart.audit import alignment
from headstart.audit.alignment import align


def plain(a: Any, b: Any, kind: str) -> tuple[tuple[int, ...], ...]:
    codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return tuple(code[1:] for code in codes if code[0] == kind)


def edited(words: list[str], share: float, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [word if rng.random() >= share else f"new{rng.random()}" for word in words if rng.random() >= share]


@pytest.mark.parametrize("length", [12, 90, 700])
def test_ordinary_texts_are_aligned_as_difflib_does(length):
    rng = random.Random(length)
    drawn = rng.choices(range(5_000), [1 / (rank + 3) for rank in range(5_000)], k=length)  # as words of a language are
    words = ["start", *(f"w{rank}" for rank in drawn), "end"]
    other = ["other", *edited(words, 0.02, 1), "close"]
    found = align(words, other)
    assert (found.equal, found.between) == (plain(words, other, "equal"), plain(words, other, "replace"))
    assert found.unordered == ()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Elements that searches for the longest run were begun on."""
    seen: list[int] = []
    own = SequenceMatcher.find_longest_match

    def counting(self: Any, i: int, j: int, k: int, m: int) -> Any:
        seen.append(sum(len(self.b2j.get(element, ())) for element in self.a[i:j]))
        return own(self, i, j, k, m)

    monkeypatch.setattr(SequenceMatcher, "find_longest_match", counting)
    return seen


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["x", *["word"] * 20_000, "y"], ["z", *["word"] * 20_000, "w"]),
        (["a", "b"] * 5_000, ["a", "c"] * 5_000),
        ([*["one", "sentence", "again", "and"]] * 4_000, [*["one", "sentence", "again"]] * 4_000),
        ("ab" * 20_000 + "q", "r" + "ba" * 20_000),
        ("x" * 30_000, "y" + "x" * 25_000 + "z"),
    ],
)
def test_texts_that_repeat_themselves_take_bounded_work(a, b, monkeypatch):
    seen = counted(monkeypatch)
    found = align(a, b)
    assert sum(seen) <= alignment._STEPS + alignment._SMALL
    spans = sorted((*found.equal, *found.between, *found.unordered))
    assert all(x[1] <= y[0] and x[3] <= y[2] for x, y in pairwise(spans))
    assert all(a[i:j] == b[k:m] for i, j, k, m in found.equal)


def test_a_long_text_is_parted_at_the_words_that_occur_once():
    filler = ["and", "so", "on"] * 2_000
    a = [*filler, "alpha", *filler, "beta", *filler]
    b = ["first", *filler, "alpha", *filler[3:], "beta", *filler, "last"]
    found = align(a, b)
    places = {(i, k) for i, j, k, m in found.equal for i, k in zip(range(i, j), range(k, m), strict=True)}
    assert (a.index("alpha"), b.index("alpha")) in places
    assert (a.index("beta"), b.index("beta")) in places
