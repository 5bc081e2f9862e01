import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from headstart.errors import SettingError
from headstart.evaluation.calibration import (
    calibration_error,
    calibration_interval,
    logits,
    reliability,
    temperature,
)


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


# --- the error with its interval ---


def sampled(n: int, sharpness: float, seed: int, k: int = 5) -> tuple[np.ndarray, np.ndarray, float]:
    """Truth, probabilities that are too sharp by a factor, and their true error on rows like these."""
    rng = np.random.default_rng(seed)
    scores = 2 * rng.normal(size=(n, k))
    right = softmax(scores, axis=1)
    y = (right.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(0, k - 1)
    p = softmax(sharpness * scores, axis=1)
    return y, p, float(np.abs(p.max(axis=1) - right[np.arange(n), p.argmax(axis=1)]).mean())


@pytest.mark.parametrize("sharpness", [1.0, 1.3, 2.0, 0.6])
@pytest.mark.parametrize("n", [100, 400, 2000])
def test_the_interval_holds_the_true_error(sharpness, n):
    held = []
    for seed in range(60):
        y, p, true = sampled(n, sharpness, seed)
        found = calibration_interval(y, p, seed=seed)
        held.append(found.low - 1e-3 <= true <= found.high + 1e-3)
    assert np.mean(held) >= 0.88  # 0.95 less 2.5 standard errors


def test_chance_alone_is_taken_off():
    plugged, freed = [], []
    for seed in range(40):
        y, p, _ = sampled(200, 1.0, seed)
        plugged.append(calibration_error(y, p))
        freed.append(calibration_interval(y, p).value)
    assert np.mean(freed) < 0.4 * np.mean(plugged)
    assert np.median(freed) < 0.02


def test_a_large_error_is_left_as_it_is():
    y, p, _ = sampled(4000, 2.0, 0)
    found = calibration_interval(y, p)
    assert found.value == pytest.approx(calibration_error(y, p), abs=0.002)
    assert found.low > 0.1
    assert found.high - found.low < 0.04
    assert found.n == 4000


def test_a_higher_level_is_wider_and_the_same_seed_gives_the_same():
    y, p, _ = sampled(500, 1.5, 0)
    inner, outer = calibration_interval(y, p, level=0.8), calibration_interval(y, p, level=0.99)
    assert outer.low < inner.low < inner.high < outer.high
    assert calibration_interval(y, p, seed=4) == calibration_interval(y, p, seed=4)


def test_sure_answers_that_are_all_right_are_not_certain():
    y, p = np.zeros(50, int), np.tile([1.0, 0.0], (50, 1))
    found = calibration_interval(y, p)
    assert (found.value, found.low) == (0, 0)
    assert 0.02 < found.high < 0.15


def test_labels_that_go_together_are_not_taken_for_many_rows():
    rng = np.random.default_rng(0)
    p = np.repeat(rng.random((150, 1)), 6, axis=1)
    together = np.repeat(rng.random((150, 1)) < p[:, :1], 6, axis=1).astype(np.float32)
    apart = (rng.random(p.shape) < p).astype(np.float32)
    wide, narrow = (calibration_interval(y, p) for y in (together, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.low == 0


def test_no_rows_have_no_interval():
    assert np.isnan(calibration_interval(np.zeros(0, int), np.zeros((0, 2))).high)
    with pytest.raises(SettingError, match="level"):
        calibration_interval(np.zeros(1, int), np.ones((1, 2)), level=95)


# --- the diagram, and scores from probabilities ---


def test_the_diagram_has_bins_of_like_numbers_whose_gaps_make_the_error():
    y, p, _ = sampled(1000, 1.5, 0)
    points = reliability(y, p, bins=10)
    assert [point.n for point in points] == [100] * 10
    assert np.all(np.diff([point.confidence for point in points]) > 0)
    assert all(point.low <= point.right <= point.high for point in points)
    gaps = sum(abs(point.right - point.confidence) * point.n for point in points) / 1000
    assert gaps == pytest.approx(calibration_error(y, p, bins=10))


def test_equal_confidences_are_one_point_and_no_rows_none():
    p = np.tile([0.9, 0.1], (10, 1))
    (point,) = reliability(np.array([0] * 6 + [1] * 4), p)
    assert (point.confidence, point.right, point.n) == (pytest.approx(0.9), 0.6, 10)
    assert reliability(np.zeros(0, int), np.zeros((0, 2))) == []


def test_logs_of_probabilities_give_the_same_temperature_as_their_scores():
    y, p, _ = sampled(2000, 2.0, 0)
    assert temperature(logits(p), y) == pytest.approx(2.0, rel=0.1)
    assert np.isfinite(logits(np.array([[1.0, 0.0]], dtype=np.float32))).all()
    assert logits(np.array([[0.5, 0.9]]), multilabel=True) == pytest.approx(np.array([[0, np.log(9)]]))
