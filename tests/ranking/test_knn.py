"""Nearest neighbours by hand and by brute force."""

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.ranking.knn import loo_knn_accuracy
from tests.ranking.blobs import blobs, turned


def votes_of(x, targets, k):
    x = x.astype(np.float64)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    scores = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        near = sorted(others, key=lambda j: -(unit[i] @ unit[j]))[:k]
        weights = np.exp([unit[i] @ unit[j] / 0.07 for j in near])
        scores.append(weights @ targets[near] / weights.sum())
    return np.array(scores)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_classes_equal_brute_force(k):
    x, y = blobs(300, spread=0.5)  # more than one block
    right = (votes_of(x, np.eye(4)[y], k).argmax(axis=1) == y).astype(float)
    found = loo_knn_accuracy(x, y, k)
    assert found.value == pytest.approx(right.mean())
    assert found.sd == pytest.approx((right.mean() * (1 - right.mean()) / 300) ** 0.5, rel=0.05)


def test_values_and_labels_equal_brute_force():
    x, _ = blobs(80)
    y = x[:, 0].astype(np.float64)
    told = votes_of(x, y, 5)
    assert loo_knn_accuracy(x, y, 5).value == pytest.approx(1 - ((told - y) ** 2).mean() / y.var(), abs=1e-4)
    labels = (x[:, :3] > 0).astype(np.float32)
    said = votes_of(x, labels, 5) > 0.5
    f1 = 2 * (said & (labels > 0)).sum() / (said.sum() + labels.sum())
    assert loo_knn_accuracy(x, labels, 5).value == pytest.approx(f1, abs=1e-6)


def test_four_rows_by_hand():
    """Directions 0°, 10°, 90°, 100°: the nearest other row has the same class, or the other class, by the labels."""
    angle = np.radians([0, 10, 90, 100])
    x = np.column_stack([np.cos(angle), np.sin(angle)]) * np.array([[1], [50], [1], [9]])
    assert loo_knn_accuracy(x, np.array([0, 0, 1, 1]), 1).value == 1
    assert loo_knn_accuracy(x, np.array([0, 1, 0, 1]), 1).value == 0


def test_turning_and_scaling_rows_change_nothing():
    x, y = blobs(spread=0.5)
    stretched = x * np.random.default_rng(0).uniform(0.1, 10, (len(x), 1)).astype(np.float32)
    for same in (turned(x), stretched):
        assert loo_knn_accuracy(same, y).value == pytest.approx(loo_knn_accuracy(x, y).value, abs=0.01)


def test_better_separated_classes_score_higher():
    scores = [loo_knn_accuracy(*blobs(spread=spread)).value for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2]


def test_rows_of_one_group_are_not_neighbours():
    rng = np.random.default_rng(0)
    x, y = np.repeat(rng.normal(size=(30, 40)), 4, axis=0), np.repeat(rng.integers(0, 2, 30), 4)
    groups = np.repeat(np.arange(30), 4)
    assert loo_knn_accuracy(x, y, 3).value == 1  # copies vouch for each other
    assert loo_knn_accuracy(x, y, 3, groups=groups).value < 0.8
    assert np.isnan(loo_knn_accuracy(x, y, groups=np.zeros(120)).value)


def test_a_perfect_score_is_not_certain():
    found = loo_knn_accuracy(*blobs(40, spread=20.0))
    assert found.value == 1
    assert 0.02 < found.sd < 0.1


def test_undefined_is_nan_and_misfits_are_refused():
    x, y = blobs(20, 5)
    for found in (loo_knn_accuracy(np.ones((20, 5)), y), loo_knn_accuracy(x, np.zeros(20, int))):
        assert np.isnan([found.value, found.sd]).all()
    with pytest.raises(SettingError, match="do not fit"):
        loo_knn_accuracy(x, y[:10])
    with pytest.raises(SettingError, match="not finite"):
        loo_knn_accuracy(np.where(x > 2, np.nan, x), y)


def test_rows_of_zeros_and_fewer_rows_than_neighbours():
    x, y = blobs(8, 5)
    x[0] = 0
    assert 0 <= loo_knn_accuracy(x, y, 50).value <= 1
