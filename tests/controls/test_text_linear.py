from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from headstart.controls.text_features import TextFeatures, _count_words
from headstart.controls.text_linear import TextLinear, _rounds

TEXTS = ["Where is my card?", "the CARD  is lost", "!!!", "😀 😀", "今日は", "a"]


def test_characters_counted_once_a_word_are_the_usual_counts() -> None:
    usual = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    expected = usual.fit_transform(TEXTS).toarray()
    occurrences, words = _count_words(TEXTS)
    assert np.array_equal((occurrences @ usual.transform(words)).toarray(), expected)


def test_every_text_has_features_of_length_one() -> None:
    x = TextFeatures(outputs=2).fit(TEXTS)
    assert np.allclose(np.sqrt(x.multiply(x).sum(axis=1)), 1, atol=1e-5)


def test_unknown_words_and_scripts_get_an_answer() -> None:
    control = TextLinear(2)
    control.fit(TEXTS, np.array([0, 0, 1, 1, 1, 1]), "classification", 0)
    p = control.probabilities(["zzz qqq", "привет", "?"])
    assert np.allclose(p.sum(axis=1), 1)


def test_noise_is_met_with_a_stronger_penalty() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice([f"w{i}" for i in range(40)], 6)) for _ in range(400)]
    noisy, clean = TextLinear(2), TextLinear(2)
    noisy.fit(texts, rng.integers(0, 2, 400), "classification", 0)
    clean.fit(texts, np.array([int("w1 " in t + " ") for t in texts]), "classification", 0)
    assert noisy.strength < clean.strength


def test_one_class_only() -> None:
    control = TextLinear(3)
    control.fit(TEXTS, np.full(6, 1), "classification", 0)
    assert control.probabilities(["card"]).tolist() == [[0.0, 1.0, 0.0]]


def rows(path: Path) -> tuple[list[str], list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    return [r["text"] for r in found], [r["category"] for r in found]


@pytest.mark.slow
def test_banking77(real_data: Callable[[str], Path]) -> None:
    folder = real_data("banking77")
    (texts, labels), (test_texts, test_labels) = rows(folder / "train.csv"), rows(folder / "test.csv")
    names, y = np.unique(labels, return_inverse=True)
    control = TextLinear(len(names))
    control.fit(texts, y, "classification", 0)
    assert (names[control.probabilities(test_texts).argmax(axis=1)] == np.array(test_labels)).mean() >= 0.86


def test_many_rows_are_passed_over_less_often() -> None:
    assert [_rounds(n) for n in (100, 1_000, 4_000, 40_000, 100_000, 1_000_000)] == [100, 20, 5, 5, 2, 1]
