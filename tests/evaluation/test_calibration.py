import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from headstart.errors import SettingError
from headstart.evaluation.calibration import calibration_error, temperature


def drawn(n: int = 4000, k: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose softmax is exactly right, and truth drawn from it."""
    rng = np.random.default_rng(0)
    scores = 2 * rng.normal(size=(n, k))
    y = (softmax(scores, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return scores, y


@pytest.mark.parametrize("factor", [0.05, 1.0, 40.0])
def test_it_finds_the_factor_the_scores_were_multiplied_by(factor):
    scores, y = drawn()
    assert temperature(scores * factor, y) == pytest.approx(factor, rel=0.06)


def test_it_is_the_minimum_of_the_log_loss():
    scores, y = drawn(300)
    rows = np.arange(len(y))
    best = minimize_scalar(lambda t: -log_softmax(scores / np.exp(t), axis=1)[rows, y].mean(), bounds=(-5, 5))
    assert temperature(scores, y) == pytest.approx(np.exp(best.x), rel=2e-3)


def test_it_mends_multilabel_scores_too():
    rng = np.random.default_rng(1)
    scores = 2 * rng.normal(size=(3000, 3))
    y = (rng.random(scores.shape) < expit(scores)).astype(np.float32)
    assert temperature(scores * 3, y) == pytest.approx(3, rel=0.08)


def test_scores_beyond_doubt_and_beyond_use_end_at_the_limits():
    y = np.arange(40) % 2
    sure = np.eye(2)[y] * 5
    assert temperature(sure, y) == pytest.approx(1e-3, rel=0.01)
    assert temperature(sure[::-1], y) == pytest.approx(1e3, rel=0.01)


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.array([[1.0, np.nan]])])
def test_nothing_to_learn_from_is_refused(scores):
    with pytest.raises(SettingError, match="temperature"):
        temperature(scores, np.zeros(len(scores), int))


def test_right_probabilities_have_little_error_and_overconfident_ones_much():
    scores, y = drawn()
    right = calibration_error(y, softmax(scores, axis=1))
    assert right < 0.03
    assert calibration_error(y, softmax(scores * 5, axis=1)) > right + 0.1


def test_it_is_the_gap_where_all_are_equally_confident():
    p = np.tile([0.9, 0.1], (10, 1))
    y = np.array([0] * 6 + [1] * 4)
    assert calibration_error(y, p) == pytest.approx(0.3)
    assert calibration_error(y[::-1], p) == pytest.approx(0.3)


def test_bins_hold_like_numbers_of_rows():
    confidence = np.array([0.6, 0.7, 0.8, 0.9])
    p = np.stack([confidence, 1 - confidence], axis=1)
    y = np.array([0, 1, 0, 0])
    assert calibration_error(y, p, bins=2) == pytest.approx((abs(0.65 - 0.5) + abs(0.85 - 1.0)) / 2)
    assert calibration_error(y, p, bins=1) == pytest.approx(0)


def test_multilabel_counts_every_cell():
    p = np.array([[0.8, 0.8], [0.8, 0.8]])
    assert calibration_error(np.array([[1, 1], [1, 0]]), p) == pytest.approx(0.05)


def test_no_rows_have_no_error_to_tell():
    assert np.isnan(calibration_error(np.zeros(0, int), np.zeros((0, 2))))


def test_no_bins_are_refused():
    with pytest.raises(SettingError):
        calibration_error(np.zeros(1, int), np.ones((1, 2)), bins=0)
