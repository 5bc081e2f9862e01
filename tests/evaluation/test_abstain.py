"""When "I don't know" is the answer, and whether the risk is kept."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from headstart.errors import BundleError, SettingError
from headstart.evaluation.abstain import NEVER, Abstain, answered, answered_error, fit_abstain, sureness
from tests.evaluation.simulate import soft


def held(n: int = 1000, k: int = 4, seed: int = 0, strength: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    return soft(rng, y, k, strength), y


def test_the_risk_is_kept_in_nine_of_ten_draws_and_much_is_answered():
    p_new, y_new = held(20_000, seed=1)
    kept, shares = [], []
    for seed in range(100):
        found = fit_abstain(*held(300, seed=seed + 2), risk=0.05)
        error = answered_error(found, p_new, y_new)
        kept.append(not error.value > 0.05)
        shares.append(error.n / len(y_new))
    assert np.mean(kept) >= 0.9
    assert np.mean(shares) > 0.6


def test_the_bound_is_the_exact_binomial_one():
    p, y = held()
    found = fit_abstain(p, y, 0.05, confidence=0.9)
    chosen = answered(found, p)
    wrong = int((p.argmax(axis=1) != y)[chosen].sum())
    exact = binomtest(wrong, int(chosen.sum())).proportion_ci(1 - 2 * 0.1 / 4, "exact").high
    assert found.high == pytest.approx(exact)
    assert found.error == pytest.approx(wrong / chosen.sum())
    assert found.answered == pytest.approx(chosen.mean())
    assert found.error < found.high <= 0.05


def test_a_lower_risk_answers_less():
    p, y = held(3000, strength=2.0)
    shares = [fit_abstain(p, y, risk).answered for risk in (0.02, 0.05, 0.1, 0.5)]
    assert shares[0] <= shares[1] < shares[2] < shares[3] == 1


@pytest.mark.parametrize("n", [1, 20])
def test_few_rows_are_never_answered_rather_than_promised_too_much(n):
    y = np.zeros(n, int)
    found = fit_abstain(np.tile([1.0, 0.0], (n, 1)), y, 0.05)
    assert (found.threshold, found.answered) == (NEVER, 0)
    assert np.isnan(found.error)
    assert not answered(found, np.array([[1.0, 0.0]])).any()
    assert np.isnan(answered_error(found, np.array([[1.0, 0.0]]), np.zeros(1, int)).value)


def test_confidence_that_tells_nothing_cannot_keep_a_risk():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 2000)
    assert fit_abstain(soft(rng, rng.integers(0, 2, 2000), 2), y, 0.1).threshold == NEVER


def test_rows_of_equal_confidence_are_answered_together():
    p = np.tile([0.9, 0.1], (300, 1))
    y = (np.arange(300) >= 298).astype(int)  # the wrong ones come last
    found = fit_abstain(p, y, 0.05)
    assert (found.answered, found.error) == (1.0, pytest.approx(2 / 300))
    assert fit_abstain(p, y, 0.01).threshold == NEVER


def test_multilabel_rows_are_as_sure_as_their_least_sure_label():
    p = np.array([[0.9, 0.2, 0.05], [0.5, 1.0, 1.0]])
    assert sureness(p, multilabel=True) == pytest.approx([0.8, 0.5])
    rng = np.random.default_rng(0)
    y = (rng.random((2000, 3)) < 0.4).astype(np.float32)
    p = np.clip(y * 0.5 + 0.55 * rng.random(y.shape), 0, 1)
    found = fit_abstain(p[:1000], y[:1000], 0.05)
    assert 0.1 < found.answered < 1
    assert answered_error(found, p[1000:], y[1000:]).value < 0.05


@pytest.mark.parametrize("n", [10, 500])
def test_it_comes_back_from_json(n):
    found = fit_abstain(*held(n), risk=0.05)
    back = Abstain.from_dict(json.loads(json.dumps(found.to_dict(), allow_nan=False)))
    assert back.to_dict() == found.to_dict()
    assert back.threshold == found.threshold


@pytest.mark.parametrize("change", [{"threshold": None}, {"threshold": 3}, {"risk": "low"}, {"n": None}])
def test_a_broken_record_is_refused(change):
    with pytest.raises(BundleError, match="save the bundle anew"):
        Abstain.from_dict(fit_abstain(*held(), risk=0.05).to_dict() | change)


@pytest.mark.parametrize(
    ("p", "y", "settings"),
    [
        (np.ones((3, 1)), np.zeros(3, int), {"risk": 0.0}),
        (np.ones((3, 1)), np.zeros(3, int), {"risk": 0.05, "confidence": 1.0}),
        (np.ones((3, 1)), np.zeros(2, int), {"risk": 0.05}),
        (np.ones((0, 1)), np.zeros(0, int), {"risk": 0.05}),
        (np.array([[np.nan, 1]]), np.zeros(1, int), {"risk": 0.05}),
    ],
)
def test_what_makes_no_sense_is_refused(p, y, settings):
    with pytest.raises(SettingError):
        fit_abstain(p, y, **settings)
