"""Near duplicates of both modalities, with and without features, on small sets and on real ones."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks import planting

from headstart.audit.clusters import clusters
from headstart.audit.duplicates import Pairs, near_duplicates
from tests.audit.test_near_images import picture

TEXTS = [
    "Why was my transfer to Spain declined?",
    "How do I change my PIN?",
    "why was my transfer to spain declined",
    "Where is my new card?",
    "How do I change my PIN?",
    "How do I change my PIN?",
]


def rows(pairs: Pairs) -> dict[tuple[int, int], str]:
    return dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.how, strict=True))


def keys_of(values: list) -> np.ndarray:
    return np.array([repr(value) for value in values], dtype=object)


def test_equal_contents_are_chained_and_near_ones_join_their_first() -> None:
    found = near_duplicates(TEXTS, "text", keys_of(TEXTS), None)
    assert rows(found) == {(1, 4): "content", (4, 5): "content", (0, 2): "words"}
    assert clusters(found, 6).tolist() == [0, 1, 0, 2, 1, 1]


def test_labels_of_any_kind_are_taken() -> None:
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    labels = np.empty(6, object)
    labels[:] = [("a", "b"), (), ("a",), (), ("b",), ()]
    assert (0, 2) in rows(near_duplicates(TEXTS, "text", keys_of(TEXTS), vectors, labels))


def test_rows_that_cannot_be_read_are_no_duplicates_of_one_another() -> None:
    found = near_duplicates(["a b", "c d", "a b"], "text", np.array(["", "", ""], object), np.ones((3, 2)))
    assert len(found) == 0


def test_other_modalities_have_equal_contents_only(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SimpleNamespace(tokenised=False, classical=None)
    monkeypatch.setattr(sys.modules["headstart.audit.duplicates"], "get", lambda name: other)
    assert rows(near_duplicates([1, 2, 1], "smell", np.array(["a", "b", "a"]), None)) == {(0, 2): "content"}


def test_time_that_is_up_is_told() -> None:
    found = near_duplicates(TEXTS, "text", keys_of(TEXTS), None, seconds=-1.0)
    assert set(found.how) == {"content"}
    assert found.unlooked > 0


@pytest.mark.parametrize("featured", [True, False])
def test_pictures_are_found_with_and_without_features(featured: bool) -> None:
    inputs = [picture(seed) for seed in range(10)]
    inputs += [inputs[3].resize((120, 90)), inputs[7].crop((5, 4, 235, 175))]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 16))
    vectors[10:] = vectors[[3, 7]] + rng.normal(0, 0.1, (2, 16))
    found = near_duplicates(inputs, "image", np.arange(12).astype(str), vectors if featured else None)
    assert set(rows(found)) == {(3, 10), (7, 11)}


def test_planted_texts_among_real_ones(real_data: Callable[[str], Path]) -> None:
    """Of the rows of 12 look-alike intents, without features: recall and precision at the goals."""
    with (real_data("banking77") / "test.csv").open(newline="", encoding="utf-8") as file:
        given = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    texts, labels = [text for text, _ in given], [label for _, label in given]
    rng, origin = np.random.default_rng(0), list(range(len(texts)))
    for kind, change in planting.TEXTS.items():
        for row in rng.permutation(len(given))[:60].tolist():
            if kind != "reworded":
                texts.append(change(texts[row], rng))
                labels.append(labels[row])
                origin.append(row)
    found = near_duplicates(texts, "text", keys_of(texts), None)
    pairs = rows(found)
    recalled = [(origin[row], row) in pairs for row in range(len(given), len(texts))]
    right = [
        origin[a] == origin[b] or (labels[a] == labels[b] and planting.genuine(texts[a], texts[b])) for a, b in pairs
    ]
    assert np.mean(recalled) >= 0.95
    assert np.mean(right) >= 0.98


def test_planted_photos_among_real_ones(real_data: Callable[[str], Path]) -> None:
    """A copy of each kind of 24 photos, without features."""
    photos = sorted((real_data("hymenoptera") / "val").glob("*/*.jpg"))[::6]
    rng = np.random.default_rng(0)
    inputs, origin = [str(path) for path in photos], list(range(len(photos)))
    for kind in planting.PICTURES:
        inputs += [planting.copied(path, kind, rng) for path in photos]
        origin += list(range(len(photos)))
    found = rows(near_duplicates(inputs, "image", np.arange(len(inputs)).astype(str), None))
    assert all(origin[a] == origin[b] for a, b in found)
    recalled = [(origin[row], row) in found for row in range(len(photos), len(inputs))]
    assert np.mean(recalled) >= 0.95
