"""Candidates are the nearest pairs, whatever the size of the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.audit import near_features
from headstart.audit.near_features import candidates


def planted(n: int, width: int, seed: int = 0) -> np.ndarray:
    """[n + 20, width]: random rows, then the first 20 once more with a little noise."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, width)).astype(np.float32)
    return np.concatenate([rows, rows[:20] + rng.normal(0, 0.1, (20, width)).astype(np.float32)])


def found(vectors: np.ndarray, labels: np.ndarray | None = None, neighbours: int = 20) -> set[tuple[int, int]]:
    near = candidates(vectors, labels, neighbours)
    return set(zip(near.first.tolist(), near.second.tolist(), strict=True))


def test_planted_pairs_are_candidates_and_come_nearest_first() -> None:
    vectors = planted(200, 64)
    near = candidates(vectors)
    assert {(i, 200 + i) for i in range(20)} <= set(
        zip(near.first[:20].tolist(), near.second[:20].tolist(), strict=True)
    )
    assert (np.diff(near.cosine) <= 0).all()
    assert (near.first < near.second).all()


def test_blocks_and_projection_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = planted(300, 400)
    whole = found(vectors)
    monkeypatch.setattr(near_features, "_ELEMENTS", 5000)
    assert found(vectors) == whole
    assert {(i, 300 + i) for i in range(20)} <= whole


def test_features_that_all_rows_share_do_not_make_them_near() -> None:
    assert found(planted(200, 64) + 100) == found(planted(200, 64))


def test_classes_teach_what_is_no_duplicate() -> None:
    """Rows in crowded directions: without labels each has many near ones; across classes the same are met."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(10, 32))
    vectors = np.repeat(centres, 30, axis=0) + rng.normal(0, 0.3, (300, 32))
    labels = np.arange(300) % 2  # every direction holds both classes
    assert len(found(vectors, labels)) < len(found(vectors)) / 2


def test_pairs_are_no_more_than_asked_for() -> None:
    assert len(found(np.ones((50, 4)) + np.eye(50, 4), neighbours=2)) <= 100


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_have_no_pairs(n: int) -> None:
    assert len(candidates(np.ones((n, 4)))) == 0


def test_rows_without_features_are_no_pairs() -> None:
    assert len(candidates(np.zeros((5, 4)))) == 0
