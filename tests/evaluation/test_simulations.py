"""The simulations of the benchmark with few draws: far-off promises are caught here, close ones there."""

import numpy as np
import pytest
from benchmarks.simulations import (
    SHARPNESS,
    calibration_held,
    called_different,
    risk_kept,
    rows,
    score_held,
    sets_kept,
)

DRAWS = 100  # standard error of 90 %: 3 points; of 95 % and 5 %: 2.2 points


def test_made_up_truth_follows_its_probabilities():
    made = rows(np.random.default_rng(0), 20_000, 10)
    top = made.right.max(axis=1)
    assert (made.right.argmax(axis=1) == made.y).mean() == pytest.approx(top.mean(), abs=0.01)


@pytest.mark.parametrize(("metric", "n", "k"), [("accuracy", 100, 2), ("accuracy", 300, 10), ("log_loss", 100, 2)])
def test_90_percent_intervals_hold_the_score(metric, n, k):
    assert 0.82 <= score_held(metric, n, k, DRAWS) <= 0.98


@pytest.mark.parametrize(("metric", "n", "k"), [("accuracy", 100, 2), ("balanced_accuracy", 300, 10)])
def test_equal_models_are_seldom_called_different(metric, n, k):
    assert called_different(metric, n, k, DRAWS) <= 0.11


@pytest.mark.parametrize(("n", "k"), [(20, 2), (50, 10), (300, 2)])
def test_sets_keep_their_promise(n, k):
    kept, covered, size = sets_kept(n, k, DRAWS)
    assert kept >= 0.88
    assert covered >= 0.9
    assert size == k if n < 29 else size < k


def test_a_risk_is_kept_and_rows_are_answered():
    kept, answered = risk_kept(1000, 2, 0.1, DRAWS)
    assert kept >= 0.82
    assert answered > 0.5


@pytest.mark.parametrize("name", SHARPNESS)
def test_the_calibration_error_is_held_and_the_plug_in_is_above_it(name):
    held, truth, plugged, freed = calibration_held(SHARPNESS[name], 100, 10, DRAWS)
    assert held >= 0.88
    assert plugged > truth + 0.02
    assert abs(freed - truth) < plugged - truth
