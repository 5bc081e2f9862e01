"""Random changes of texts: repeatable, never blank, and as many as was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headstart.errors import SettingError
from headstart.modalities.text.augment import TextAugmentation, augmented_text
from headstart.modalities.types import Unreadable

TEXT = "please tell me when the next train leaves for the airport today"
WORDS = TEXT.split()
SEEDS = range(200)


@pytest.mark.parametrize("how", [TextAugmentation(), TextAugmentation(0.5, 0.5, damage=True)])
def test_same_seed_same_text(how: TextAugmentation) -> None:
    seen = [augmented_text(TEXT, how, seed) for seed in range(20)]
    assert seen == [augmented_text(TEXT, how, seed) for seed in range(20)]
    assert len(set(seen)) > 5


def test_words_are_left_out_as_often_as_asked() -> None:
    left = 0
    for seed in SEEDS:
        words = augmented_text(TEXT, TextAugmentation(0.25), seed).split()
        rest = iter(WORDS)
        assert all(word in rest for word in words)  # the others in their order
        left += len(words)
    assert left / len(SEEDS) / len(WORDS) == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("text", ["a", "one", "?", " \n a b c", "今日は晴れ", TEXT, "é" * 3])
@pytest.mark.parametrize("how", [TextAugmentation(0.99), TextAugmentation(0.99, 1.0, damage=True)])
def test_never_blank(text: str, how: TextAugmentation) -> None:
    assert all(augmented_text(text, how, seed).strip() for seed in SEEDS)


def test_the_word_that_stays_is_any() -> None:
    assert {augmented_text("a b c", TextAugmentation(0.999), seed) for seed in SEEDS} >= {"a", "b", "c"}


def test_no_augmentation_is_the_text() -> None:
    text = "  two  spaces\nand a line\n"
    assert all(augmented_text(text, TextAugmentation(0.0), seed) == text for seed in SEEDS)


def test_typos_come_as_often_as_asked() -> None:
    how = TextAugmentation(0.0, typos=0.3)
    wrong = sum(a != b for seed in SEEDS for a, b in zip(augmented_text(TEXT, how, seed).split(), WORDS, strict=True))
    assert wrong / len(SEEDS) / len(WORDS) == pytest.approx(0.3, abs=0.04)


def test_every_second_text_is_damaged() -> None:
    how = TextAugmentation(0.0, damage=True)
    long = f"{TEXT.capitalize()}. " * 10  # long enough for a typo at every strength
    same = sum(augmented_text(long, how, seed) == long for seed in SEEDS)
    assert 0.4 < same / len(SEEDS) < 0.6


@pytest.mark.parametrize("bad", ["", " \n", None, 3, "half \ud83d"])
def test_what_cannot_be_read_is_unreadable(bad: Any) -> None:
    with pytest.raises(Unreadable):
        augmented_text(bad, TextAugmentation(), 0)


@pytest.mark.parametrize("options", [{"drop": 1.0}, {"drop": -0.1}, {"typos": 1.5}])
def test_settings_that_are_not_allowed(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        TextAugmentation(**options)


def test_settings_are_plain_json() -> None:
    how = TextAugmentation(0.2, 0.1, damage=True)
    assert TextAugmentation.from_dict(json.loads(json.dumps(how.to_dict()))) == how
