"""H-score by hand, by its definition, and what may not change it."""

import numpy as np
import pytest

from headstart.ranking.hscore import h_score
from tests.ranking.blobs import blobs, turned


def by_definition(x, y):
    x = x.astype(np.float64)
    means = np.stack([x[y == y_i].mean(axis=0) for y_i in y])
    return np.trace(np.linalg.pinv(np.cov(x, rowvar=False)) @ np.cov(means, rowvar=False))


def shrunk_by_definition(x, y):
    from sklearn.covariance import LedoitWolf

    x = x.astype(np.float64)
    fitted = LedoitWolf().fit(x)
    means = np.stack([x[y == y_i].mean(axis=0) for y_i in y])
    between = np.cov(means, rowvar=False, bias=True)
    return (1 - fitted.shrinkage_) * np.trace(np.linalg.solve(fitted.covariance_, between))


def test_one_feature_by_hand():
    """0, 2 | 4, 6 round 3: variance (9 + 1 + 1 + 9) / 4 = 5, of the means 1 and 5 it is 4; 4 / 5."""
    assert h_score(np.array([[0.0], [2], [4], [6]]), np.array([0, 0, 1, 1]), shrunk=False) == pytest.approx(0.8)


@pytest.mark.parametrize("shape", [(120, 12), (40, 5), (30, 60)])
def test_both_equal_their_definitions(shape):
    x, y = blobs(*shape)
    if shape[0] > shape[1]:
        assert h_score(x, y, shrunk=False) == pytest.approx(by_definition(x, y), rel=1e-3)
    assert h_score(x, y) == pytest.approx(shrunk_by_definition(x, y), rel=1e-3)


def test_more_dimensions_than_rows_saturate_the_plain_score_only():
    noise, y = blobs(30, 60, spread=0.0)
    assert h_score(noise, y, shrunk=False) == pytest.approx(3, abs=1e-3)
    assert h_score(noise, y) < 1


def test_what_changes_nothing():
    x, y = blobs()
    mixed = x @ np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32)
    assert h_score(mixed, y, shrunk=False) == pytest.approx(h_score(x, y, shrunk=False), rel=1e-3)
    for same in (turned(x), x * np.float32(1e-6), x * np.float32(1e6), x + 10):
        assert h_score(same, y) == pytest.approx(h_score(x, y), rel=1e-3)
    assert h_score(x, 3 - y) == pytest.approx(h_score(x, y))


@pytest.mark.parametrize("shape", [(120, 12), (60, 200)])
def test_better_separated_classes_score_higher(shape):
    scores = [h_score(*blobs(*shape, spread=spread)) for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2] <= 3


def test_undefined_is_nan():
    x, y = blobs(20, 5)
    assert np.isnan(h_score(np.ones((20, 5)), y))
    assert np.isnan(h_score(x, np.zeros(20, int)))
    assert np.isnan(h_score(x, x[:, 0].astype(float)))


def test_a_class_that_is_absent_and_features_that_do_not_vary():
    x, y = blobs()
    assert h_score(x, y * 2) == pytest.approx(h_score(x, y))
    assert np.isfinite(h_score(np.hstack([x, np.zeros((len(x), 3), np.float32)]), y))
