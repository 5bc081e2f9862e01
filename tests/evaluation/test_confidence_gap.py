import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.calibration import confidence_gap


def draw(rng: np.random.Generator, n: int, sure: float, right: float) -> tuple[np.ndarray, np.ndarray]:
    """Answers of confidence about ``sure`` that are right in a ``right`` share of the rows."""
    confidence = rng.uniform(sure - 0.05, sure + 0.05, n)
    p = np.column_stack([confidence, 1 - confidence])
    return (rng.random(n) >= right).astype(int), p


def test_the_gap_is_signed():
    rng = np.random.default_rng(0)
    assert confidence_gap(*draw(rng, 500, 0.9, 0.6)).low > 0.2
    assert confidence_gap(*draw(rng, 500, 0.6, 0.9)).high < -0.2


@pytest.mark.parametrize(("n", "share"), [(30, 0.95), (200, 0.8), (500, 0.95)])
def test_the_interval_holds_the_truth_95_times_in_100(n, share):
    rng = np.random.default_rng(1)
    intervals = [confidence_gap(*draw(rng, n, 0.85, share)) for _ in range(600)]
    held = np.mean([one.low <= 0.85 - share <= one.high for one in intervals])
    assert 0.93 <= held <= (0.99 if n > 100 else 1.0)  # few rows, most of them right: too wide rather than too narrow


def test_answers_that_are_all_right_are_not_certain():
    p = np.tile([0.99, 0.01], (20, 1))
    gap = confidence_gap(np.zeros(20, int), p)
    assert gap.value == pytest.approx(-0.01)
    assert gap.high > 0.05
    assert gap.low <= gap.value


def test_few_rows_have_no_bounds_and_what_is_no_number_no_value():
    p = np.tile([0.9, 0.1], (5, 1))
    assert np.isnan(confidence_gap(np.zeros(5, int), p).low)
    assert np.isnan(confidence_gap(np.zeros(0, int), p[:0]).value)
    assert np.isnan(confidence_gap(np.zeros(5, int), np.full((5, 2), np.nan)).value)
    with pytest.raises(SettingError, match="level is 95"):
        confidence_gap(np.zeros(5, int), p, level=95)
