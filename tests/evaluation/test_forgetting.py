import tracemalloc

import numpy as np
import pytest

from headstart.evaluation import forgetting
from headstart.evaluation.forgetting import head_agreement, neighbour_agreement


def features(n: int, d: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def by_hand(before: np.ndarray, after: np.ndarray, k: int) -> float:
    """The definition, in plain loops."""

    def near(x: np.ndarray, i: int) -> set[int]:
        cosine = [float(x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j])) for j in range(len(x))]
        return set(sorted((j for j in range(len(x)) if j != i), key=lambda j: -cosine[j])[:k])

    return float(np.mean([len(near(before, i) & near(after, i)) / k for i in range(len(before))]))


def test_neighbours_that_stay_by_hand():
    # on a circle, in degrees: before, 0 and 10 are a pair, 90 and 100 are; after, one of each pair changed places
    def circle(*degrees: float) -> np.ndarray:
        return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)

    before, swapped = circle(0, 10, 90, 100, 200), circle(0, 90, 10, 100, 200)
    assert neighbour_agreement(before, before, k=1) == 1
    assert neighbour_agreement(before, swapped, k=1) == pytest.approx(1 / 5)  # only 200's neighbour, 100, stays


def test_the_definition_is_followed():
    before = features(40)
    after = before + 0.5 * features(40, seed=1)
    assert neighbour_agreement(before, after, k=5) == pytest.approx(by_hand(before, after, 5))
    assert 0.2 < neighbour_agreement(before, after, k=5) < 0.9


def test_scale_rotation_and_width_do_not_matter():
    before = features(60)
    turned = 7 * before @ np.linalg.qr(features(16, seed=2))[0]
    assert neighbour_agreement(before, turned) == 1
    assert neighbour_agreement(before, np.hstack([before, np.zeros((60, 3))])) == 1
    assert neighbour_agreement(before, before * 1e25) == 1  # squares beyond float32


def test_unrelated_features_agree_by_chance():
    assert neighbour_agreement(features(500), features(500, seed=1)) == pytest.approx(10 / 499, abs=0.01)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_features_that_collapsed_have_forgotten(value):
    assert neighbour_agreement(features(200), np.full((200, 16), value)) < 0.15


def test_few_inputs_can_still_disagree():
    assert neighbour_agreement(features(11), features(11, seed=1)) < 0.9  # the ten others are all neighbours of all
    assert neighbour_agreement(features(3), features(3)) == 1
    assert np.isnan(neighbour_agreement(features(2), features(2)))
    assert np.isnan(neighbour_agreement(features(0), features(0)))


def test_features_that_are_not_finite_tell_nothing():
    broken = features(20)
    broken[3, 2] = np.nan
    assert np.isnan(neighbour_agreement(features(20), broken))


def test_chunks_change_nothing_and_bound_the_memory(monkeypatch):
    before, after = features(600), features(600) + 0.3 * features(600, seed=1)
    whole = neighbour_agreement(before, after)
    monkeypatch.setattr(forgetting, "_CELLS", 600 * 7)
    assert neighbour_agreement(before, after) == whole
    monkeypatch.undo()
    large = features(5000, d=8)
    tracemalloc.start()
    neighbour_agreement(large, large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * 2**20  # all similarities at once would be 100 MiB, and their order 200


@pytest.mark.parametrize(("a", "b"), [((5, 2), (4, 2)), ((5,), (5,))])
def test_other_inputs_are_refused(a, b):
    with pytest.raises(ValueError, match="same n"):
        neighbour_agreement(np.ones(a), np.ones(b))
    with pytest.raises(ValueError, match="same n"):
        head_agreement(np.ones(a), np.ones(b))


def test_no_neighbours_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        neighbour_agreement(features(9), features(9), k=0)


def test_the_heads_answers_are_compared_not_its_scores():
    before = np.array([[2.0, 1, 0], [0, 1, 2], [0, 3, 1], [5, 4, 0]])
    after = np.array([[9.0, 1, 0], [0, 2, 1], [0, 1, 0.5], [5, 4.9, 0]])
    assert head_agreement(before, after) == 0.75
    assert head_agreement(before, before) == 1
    assert np.isnan(head_agreement(before[:0], after[:0]))
    assert np.isnan(head_agreement(before, after * np.nan))


def test_one_column_of_scores_is_no_head():
    with pytest.raises(ValueError, match="classes"):
        head_agreement(np.ones((4, 1)), np.ones((4, 1)))
