"""LEEP by hand and by its definition; N-LEEP by what it must do."""

import numpy as np
import pytest

from headstart.ranking.n_leep import leep, n_leep
from tests.ranking.blobs import blobs, turned


def test_leep_by_hand():
    y = np.array([0, 0, 1, 1])
    sure = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    assert leep(sure, y) == pytest.approx(0)
    assert leep(np.full((4, 2), 0.5), y) == pytest.approx(-np.log(2))
    # One of four rows speaks for the wrong source: P(0 | z=0) = 2/3, P(1 | z=0) = 1/3, P(1 | z=1) = 1.
    one_wrong = np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    assert leep(one_wrong, y) == pytest.approx((2 * np.log(2 / 3) + np.log(1 / 3)) / 4)


def test_leep_equals_its_definition():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(5), size=30), rng.integers(0, 3, 30)
    logs = []
    for i in range(30):
        expected = 0
        for z in range(5):
            joint = sum(p[j, z] for j in range(30) if y[j] == y[i]) / 30
            expected += joint / (p[:, z].sum() / 30) * p[i, z]
        logs.append(np.log(expected))
    assert leep(p, y) == pytest.approx(np.mean(logs))
    assert leep(np.hstack([p, np.zeros((30, 1))]), y) == pytest.approx(np.mean(logs))  # a source nobody names


@pytest.mark.parametrize("shape", [(200, 12), (60, 200)])
def test_better_separated_classes_score_higher(shape):
    scores = [n_leep(*blobs(*shape, spread=spread)) for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2] <= 0
    assert scores[2] > -0.1


def test_turning_scaling_and_moving_change_nothing():
    x, y = blobs(200)
    for same in (turned(x), x * np.float32(1e-5), x * np.float32(1e5), x + 3):
        assert n_leep(same, y) == pytest.approx(n_leep(x, y), abs=0.02)


def test_the_same_seed_gives_the_same_value():
    x, y = blobs(200, spread=0.4)
    assert n_leep(x, y, seed=1) == n_leep(x, y, seed=1)


def test_undefined_is_nan():
    x, y = blobs(20, 5)
    assert np.isnan(n_leep(np.ones((20, 5)), y))
    assert np.isnan(n_leep(x, np.zeros(20, int)))
    assert np.isnan(n_leep(x, x[:, 0]))


def test_few_rows_and_few_different_rows():
    x, y = blobs(6, 5, k=2)
    assert n_leep(x, y) <= 0
    assert n_leep(np.repeat(x[:2], 30, axis=0), np.repeat([0, 1], 30)) == pytest.approx(0, abs=1e-6)
