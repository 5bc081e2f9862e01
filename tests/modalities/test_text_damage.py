"""Damage to texts grows with its strength, is repeatable, and is what its name says."""

from __future__ import annotations

from itertools import pairwise

import pytest

from headstart.errors import SettingError
from headstart.modalities.text.damage import AMOUNTS, KINDS, damaged_text

TEXT = "When does the next train to Kings Cross leave? Please tell me before seven, I am in a hurry. " * 12
STRENGTHS = range(1, 6)


def change(changed: str) -> float:
    """Share of the characters that are not as they were."""
    if len(changed) == len(TEXT):
        return sum(a != b for a, b in zip(changed, TEXT, strict=True)) / len(TEXT)
    return 1 - len(changed) / len(TEXT)


def wrong_words(changed: str) -> set[int]:
    return {i for i, (a, b) in enumerate(zip(changed.split(), TEXT.split(), strict=True)) if a != b}


def test_kinds() -> None:
    assert KINDS == ("typos", "case", "truncation")
    assert all(len(amounts) == 5 for amounts in AMOUNTS.values())


@pytest.mark.parametrize("kind", ["case", "truncation"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_damage_grows_with_strength(kind: str, seed: int) -> None:
    changes = [change(damaged_text(TEXT, kind, strength, seed)) for strength in STRENGTHS]
    assert changes[0] > 0
    assert changes == sorted(set(changes))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_typos_grow_with_strength(seed: int) -> None:
    wrong = [wrong_words(damaged_text(TEXT, "typos", strength, seed)) for strength in STRENGTHS]
    assert all(less < more for less, more in pairwise(wrong))
    words = [word for word in TEXT.split() if len(word.strip("?.,")) > 1]
    for found, share in zip(wrong, AMOUNTS["typos"], strict=True):
        assert len(found) / len(words) == pytest.approx(share, abs=0.08)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_damage(kind: str) -> None:
    for strength in STRENGTHS:
        assert damaged_text(TEXT, kind, strength, 4) == damaged_text(TEXT, kind, strength, 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["a", "  \n x", "?", "1234", "今日は", "no", "aa"])
def test_something_is_left_to_read(kind: str, text: str) -> None:
    for strength in STRENGTHS:
        for seed in range(30):
            assert damaged_text(text, kind, strength, seed).strip()


def test_typos_are_those_of_a_keyboard() -> None:
    seen = {damaged_text("horse", "typos", 5, seed) for seed in range(600)} - {"horse"}
    swapped = {"ohrse", "hrose", "hosre", "hores"}
    dropped = {"orse", "hrse", "hose", "hore", "hors"}
    doubled = {"hhorse", "hoorse", "horrse", "horsse", "horsee"}
    neighbours = {"gorse", "jorse", "hirse", "hprse", "hoese", "hotse", "horae", "horde", "horsw", "horsr"}
    assert seen == swapped | dropped | doubled | neighbours


def test_a_neighbour_keeps_its_case_and_others_have_none() -> None:
    assert "Wa" in {damaged_text("Qa", "typos", 5, seed) for seed in range(200)}
    assert {damaged_text("éé", "typos", 5, seed) for seed in range(200)} == {"éé", "é", "ééé"}


def test_numbers_and_single_letters_have_no_typos() -> None:
    for seed in range(50):
        assert damaged_text("I owe 12345 x", "typos", 5, seed)[-8:] == " 12345 x"


def test_case_changes_letters_in_case_alone() -> None:
    for strength in STRENGTHS:
        assert damaged_text(TEXT, "case", strength, 0).lower() == TEXT.lower()
    assert damaged_text("I'm in New York", "case", 1, 0) == "i'm in new york"
    assert damaged_text("i'm in NEW york", "case", 2, 0) == "I'm In New York"
    assert damaged_text("I'm in New York", "case", 5, 0) == "i'M IN nEW yORK"


def test_truncation_keeps_the_start() -> None:
    for strength, share in zip(STRENGTHS, AMOUNTS["truncation"], strict=True):
        cut = damaged_text(TEXT, "truncation", strength, 0)
        assert TEXT.startswith(cut)
        assert len(cut) == pytest.approx(share * len(TEXT), abs=1)


def test_what_does_not_exist() -> None:
    with pytest.raises(SettingError, match=r"'typo' is unknown.*Did you mean 'typos'"):
        damaged_text(TEXT, "typo", 1, 0)
    with pytest.raises(SettingError, match="from 1 to 5"):
        damaged_text(TEXT, "typos", 6, 0)
