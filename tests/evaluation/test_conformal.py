"""What a set must hold, what it must promise, and how it travels."""

import json

import numpy as np
import pytest

from headstart.errors import BundleError, SettingError
from headstart.evaluation.conformal import (
    Conformal,
    bounds,
    coverage,
    fit_conformal,
    fit_residuals,
    mean_size,
    sets,
)
from tests.evaluation.simulate import soft


def held(n: int = 400, k: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    return soft(rng, y, k), y


def test_sets_hold_the_truth_as_often_as_promised_in_nine_of_ten_draws():
    p_new, y_new = held(20_000, seed=1)
    reached = []
    for seed in range(200):
        p, y = held(100, seed=seed + 2)
        reached.append(coverage(fit_conformal(p, y), p_new, y_new).value >= 0.9)
    assert np.mean(reached) >= 0.9  # promised: 0.95 or more, less 3 standard errors
    assert np.mean(reached) < 1


def test_the_rank_is_never_below_the_marginal_one():
    p, y = held(99)
    conformal = fit_conformal(p, y, 0.9, confidence=0.01)
    assert conformal.threshold == np.sort(p[np.arange(99), y])[::-1][90 - 1]


def test_a_higher_level_makes_larger_sets():
    p, y = held()
    sizes = [mean_size(fit_conformal(p, y, level), p) for level in (0.6, 0.9, 0.99)]
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize(("n", "promises"), [(1, False), (28, False), (29, True)])
def test_few_rows_get_full_sets_instead_of_a_promise(n, promises):
    p, y = held(n)
    conformal = fit_conformal(p, y)
    assert conformal.promises is promises
    assert bool(sets(conformal, p).all()) is not promises
    assert conformal.n == n


def test_no_set_is_empty_and_the_most_probable_label_is_in_it():
    p, _ = held()
    conformal = Conformal(0.5, 0.99, "labels", 0.9, 100)
    assert (sets(conformal, p).sum(axis=1) >= 1).all()
    assert sets(conformal, p)[np.arange(len(p)), p.argmax(axis=1)].all()


def test_coverage_counts_the_rows_whose_set_holds_the_truth():
    p = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.5, 0.1, 0.4], [0.2, 0.1, 0.7]])
    conformal = Conformal(0.9, 0.3, "labels", 0.9, 100)
    found = coverage(conformal, p, np.array([0, 1, 1, 2]))
    assert found.value == 0.75
    assert found.low < 0.75 < found.high
    assert mean_size(conformal, p) == 7 / 4


def test_multilabel_sets_hold_all_labels_of_a_row():
    rng = np.random.default_rng(0)
    y = (rng.random((2000, 4)) < 0.3).astype(np.float32)
    p = np.clip(0.5 * y + 0.5 * rng.random(y.shape), 0, 1)
    conformal = fit_conformal(p[:500], y[:500])
    found = coverage(conformal, p[500:], y[500:])
    assert found.value > 0.88
    assert mean_size(conformal, p, multilabel=True) < 3
    all_of_it = sets(conformal, p[500:], multilabel=True) | (y[500:] == 0)
    assert found.value == all_of_it.all(axis=1).mean()


def test_intervals_of_numbers_hold_them():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(1500, 1))
    predicted = (y + rng.normal(size=y.shape)).astype(np.float32)
    conformal = fit_residuals(predicted[:500], y[:500])
    low, high = bounds(conformal, predicted)
    assert low.shape == high.shape == y.shape
    assert coverage(conformal, predicted[500:], y[500:]).value > 0.88
    assert mean_size(conformal, predicted) == pytest.approx(2 * 1.645, rel=0.15)


def test_few_numbers_get_no_bounds():
    conformal = fit_residuals(np.zeros((10, 1)), np.ones((10, 1)))
    assert not conformal.promises
    assert np.isinf(bounds(conformal, np.zeros((1, 1)))[1]).all()


@pytest.mark.parametrize("conformal", [fit_conformal(*held()), fit_residuals(np.zeros((5, 1)), np.ones((5, 1)))])
def test_it_comes_back_from_json(conformal):
    assert Conformal.from_dict(json.loads(json.dumps(conformal.to_dict(), allow_nan=False))) == conformal


@pytest.mark.parametrize(
    "change", [{"threshold": -1}, {"method": "guess"}, {"level": "high"}, {"n": None}, {"threshold": float("nan")}]
)
def test_a_broken_record_is_refused(change):
    with pytest.raises(BundleError, match="save the bundle anew"):
        Conformal.from_dict(fit_conformal(*held()).to_dict() | change)


def test_a_record_that_lacks_something_is_refused():
    with pytest.raises(BundleError, match="threshold"):
        Conformal.from_dict({"level": 0.9})


@pytest.mark.parametrize(
    ("p", "y", "settings"),
    [
        (np.ones((3, 1)), np.zeros(3, int), {"level": 1.0}),
        (np.ones((3, 1)), np.zeros(3, int), {"confidence": 0}),
        (np.ones((3, 1)), np.zeros(2, int), {}),
        (np.ones((0, 1)), np.zeros(0, int), {}),
        (np.array([[np.nan, 1]]), np.zeros(1, int), {}),
    ],
)
def test_what_makes_no_sense_is_refused(p, y, settings):
    with pytest.raises(SettingError):
        fit_conformal(p, y, **settings)


def test_a_threshold_for_numbers_makes_no_sets():
    with pytest.raises(SettingError, match="residuals"):
        sets(fit_residuals(np.zeros((50, 1)), np.ones((50, 1))), np.ones((1, 2)))


def test_no_rows_have_no_coverage():
    conformal = fit_conformal(*held())
    assert np.isnan(coverage(conformal, np.zeros((0, 5)), np.zeros(0, int)).value)
    assert np.isnan(mean_size(conformal, np.zeros((0, 5))))
