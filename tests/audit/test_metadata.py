"""The words of file names are kept as a list of where they are, however many rows and words there are."""

from __future__ import annotations

import numpy as np

from headstart.audit.giveaway import telling
from headstart.audit.metadata import _MOST_WORDS, Metadata, _words


def named(n: int) -> list[set[str]]:
    """Each name has two words of many, and one that is in all."""
    rng = np.random.default_rng(0)
    return [{f"w{a}", f"w{b}", "photo"} for a, b in rng.integers(0, 3000, (n, 2))]


def test_as_many_numbers_are_kept_as_names_have_words() -> None:
    pieces = named(20_000)
    words, names = _words(pieces)
    assert words.shape == (20_000, _MOST_WORDS)
    assert words.nnz <= 2 * 20_000  # of 40 million cells
    assert "photo" not in names
    assert words[[7]].indices.tolist() == [i for i, name in enumerate(names) if name in pieces[7]]


def test_the_word_that_gives_the_label_away_is_named() -> None:
    labels = np.array(["cat", "dog"] * 200)
    pieces = [own | {label} for own, label in zip(named(400), ["tabby", "rex"] * 200, strict=True)]
    (told,) = telling(Metadata({}, *_words(pieces)), labels, np.arange(400))
    assert told.gives_away
    assert {clue[:2] for clue in told.clues[:2]} == {("tabby", "cat"), ("rex", "dog")}
    assert told.clues[0][2:] == (1.0, 200)
