"""Texts are near duplicates when their words are the same but for what does not change what is said."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.audit.near_texts import verified, words
from headstart.audit.one_apart import one_apart

_OTHERS = [
    "Where is the nearest branch?",
    "The app shows a wrong balance since yesterday.",
    "Which currencies do you support for exchange?",
    "I lost my phone and need to block access.",
    "How long does a refund usually take?",
    "Can I order a second card for my son?",
    "Is there a fee for cash withdrawals abroad?",
    "My top up failed and I do not know why.",
]


def similarity(a: str, b: str) -> float:
    texts = [words(text) for text in (a, b, *_OTHERS)]
    return float(verified(texts, np.array([0]), np.array([1]))[0][0])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Why was my transfer declined?", "WHY WAS MY TRANSFER DECLINED"),
        ("Why was my transfer declined?", "  why, was my transfer -- declined ?!"),
        ("Why was my transfer declined?", "Hi, why was my transfer declined please"),
        ("I can't see my transfer", "I cannot see my transfer"),
        ("I can’t see my transfer", "I can't see my transfer"),
        ("Why was my transfer declined today?", "Why was my trasnfer declined today?"),
        ("Why was my transfer declined today?", "Why was my transfr declined today?"),
        ("Der Überweisungsbetrag fehlt seit Montag", "der uberweisungsbetrag fehlt seit montag"),
        ("My top-up of the card is pending", "My topup of the card is pending"),
    ],
)
def test_what_says_the_same_is_near(a: str, b: str) -> None:
    assert similarity(a, b) >= 0.97


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Why was my transfer declined?", "Why was my payment declined?"),
        ("My card was accepted today", "My card was not accepted today"),
        ("Please send 100 pounds to my landlord", "Please send 200 pounds to my landlord"),
        ("How do I activate the virtual card?", "How do I deactivate the virtual card?"),
        ("Transfer money from Paris to London", "Transfer money from London to Paris"),
        ("What is my name in the app?", "What is your name in the app?"),
        ("How do I verify my identity?", "Which documents verify my identity?"),
    ],
)
def test_what_says_something_else_is_not(a: str, b: str) -> None:
    assert similarity(a, b) == 0


def test_the_clock_stops_verifying() -> None:
    texts = [words(text) for text in _OTHERS]
    found, seen = verified(texts, np.zeros(5, int), np.ones(5, int), until=0.0)
    assert seen == 0
    assert not found.any()


def test_texts_one_word_apart_are_candidates_without_features() -> None:
    texts = [*_OTHERS, "How long does a refnud usually take?", "Can I order a second card?"]
    pairs = set(zip(*(rows.tolist() for rows in one_apart([words(text) for text in texts])), strict=True))
    assert (4, 8) in pairs
    assert len(pairs) == 1


def test_texts_without_words_are_compared_as_they_are() -> None:
    assert similarity("?!", "?!") == 1
    assert similarity("?!", ":-)") == 0


def test_long_texts_that_repeat_themselves_are_told_apart_in_bounded_work():
    sentence = "the parcel came late and the card was lost "
    assert similarity("first " + sentence * 3_000, "second " + sentence * 3_000) >= 0.97
    assert similarity(sentence * 3_000, "a wholly other thing said again " * 3_000) == 0


def test_long_texts_without_spaces_are_told_apart_in_bounded_work():
    assert similarity("字文" * 20_000 + "終", "字文" * 20_000 + "了") >= 0.97
    assert similarity("字文" * 20_000, "字典" * 20_000) == 0


def test_long_sequences_of_few_words_or_letters_are_not_alike_for_having_as_many_of_each():
    rng = np.random.default_rng(0)
    one, other = ("".join(rng.choice(list("acgt"), 20_000)) for _ in range(2))
    assert similarity(one, other) == 0
    assert similarity(" ".join(one), " ".join(other)) == 0
