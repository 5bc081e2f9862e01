"""LogME against the evidence as it is defined: the density of a Gaussian."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from headstart.ranking.logme import logme
from tests.ranking.blobs import blobs, turned


def log_density(x, target, alpha, beta):
    """log p(y | F) of y ~ N(0, I / β + FFᵀ / α), the weights integrated out."""
    covariance = np.eye(len(x)) / beta + x @ x.T / alpha
    return multivariate_normal.logpdf(target, np.zeros(len(x)), covariance)


#: Of log α and log β. Beyond, matrices of condition 1e12 and more are inverted, each machine in its own way.
BOUNDS = [(-12.0, 12.0)] * 2


def largest(density):
    """The largest value over log α and log β, from several starts."""
    options = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2000}
    return max(
        -minimize(lambda v: -density(*np.exp(v)), start, method="Nelder-Mead", bounds=BOUNDS, options=options).fun
        for start in ([0, 0], [2, 4], [4, 2], [-2, 2])
    )


def best_log_density(x, target):
    """The largest of it over α and β, a row."""
    return largest(lambda alpha, beta: log_density(x, target, alpha, beta)) / len(x)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (12, 12), (12, 40), (10, 200)])
@pytest.mark.parametrize("spread", [0.2, 1.0])
def test_classes_equal_the_best_density(n, d, spread):
    x, y = blobs(n, d, k=3, spread=spread)
    wide = x.astype(np.float64)
    brute = np.mean([best_log_density(wide, (y == c).astype(float)) for c in range(3)])
    assert logme(x, y) == pytest.approx(brute, abs=2e-4)


@pytest.mark.parametrize(("n", "d"), [(30, 5), (12, 40)])
def test_the_determinant_counts_every_dimension(n, d):
    """The formula of the papers term by term, at the best α and β, with all d eigenvalues of FᵀF."""
    x, y = blobs(n, d, k=2)
    wide, target = x.astype(np.float64), (y == 1).astype(float)

    def paper(alpha, beta):
        a = alpha * np.eye(d) + beta * wide.T @ wide
        m = beta * np.linalg.solve(a, wide.T @ target)
        energy = beta * ((wide @ m - target) ** 2).sum() + alpha * (m**2).sum()
        logs = d * np.log(alpha) + n * np.log(beta) - n * np.log(2 * np.pi)
        return (logs - energy - np.linalg.slogdet(a)[1]) / (2 * n)

    for alpha, beta in ((0.7, 3.0), (20.0, 5.0)):
        assert paper(alpha, beta) == pytest.approx(log_density(wide, target, alpha, beta) / n)
    both = [largest(paper), best_log_density(wide, (y == 0).astype(float))]
    assert logme(x, y) == pytest.approx(np.mean(both), abs=2e-4)


def test_one_feature_by_hand():
    """F = (1, -1, 0, 0), so σ = 2 along one of four axes; y = (3, -1, 1, 1) standardised is (2, -2, 0, 0) / √2.

    All of y lies in that axis: no residual is left, and with the floor the evidence is huge. With y = (1, 1, -1, -1)
    none does: the weights go to 0 and the evidence is that of plain noise of variance 1.
    """
    x = np.array([[1.0], [-1], [0], [0]])
    plain = -0.5 * (1 + np.log(2 * np.pi))
    assert logme(x, np.array([1.0, 1, -1, -1])) == pytest.approx(plain, abs=1e-6)
    assert logme(x, np.array([3.0, -1, 1, 1])) > plain + 5


def test_regression_is_the_evidence_of_standardised_values_whatever_their_unit():
    x, _ = blobs(25, 6)
    y = x[:, 0] + 0.5 * np.random.default_rng(1).normal(size=25)
    brute = best_log_density(x.astype(np.float64), (y - y.mean()) / y.std())
    assert logme(x, y) == pytest.approx(brute, abs=2e-4)
    assert logme(x, 1000 + 50 * y[:, None]) == pytest.approx(logme(x, y), abs=1e-6)


def test_labels_are_columns_and_constant_ones_are_left_out():
    x, y = blobs(40, 6, k=2)
    labels = np.column_stack([y == 1, y == 0]).astype(np.float32)
    assert logme(x, labels) == pytest.approx(logme(x, y))
    always = np.column_stack([labels, np.ones(40), np.zeros(40)])
    assert logme(x, always) == pytest.approx(logme(x, y))


@pytest.mark.parametrize("shape", [(60, 8), (30, 80)])
def test_turning_and_scaling_change_nothing(shape):
    x, y = blobs(*shape)
    assert logme(turned(x), y) == pytest.approx(logme(x, y), abs=1e-4)
    for scale in (1e-4, 1e4):
        assert logme(x * np.float32(scale), y) == pytest.approx(logme(x, y), abs=1e-4)


@pytest.mark.parametrize("shape", [(120, 12), (60, 200)])
def test_better_separated_classes_score_higher(shape):
    scores = [logme(*blobs(*shape, spread=spread)) for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2]


def test_undefined_is_nan():
    x, y = blobs(20, 5)
    assert np.isnan(logme(np.ones((20, 5)), y))
    assert np.isnan(logme(x, np.zeros(20, int)))


def test_features_of_low_rank_or_repeated_do_not_break_it():
    x, y = blobs(20, 5)
    assert logme(np.hstack([x, x]), y) == pytest.approx(logme(x, y), abs=1e-3)
    assert np.isfinite(logme(np.hstack([x, np.zeros((20, 30))]), y))
    assert np.isfinite(logme(np.repeat(x[:2], 10, axis=0), np.repeat([0, 1], 10)))


def test_of_two_peaks_the_higher_counts():
    """From the mean eigenvalue alone the fixed point ends 0.02 below."""
    rng = np.random.default_rng(1769)
    x = rng.normal(size=(20, 40)) * np.geomspace(1, 1e-3, 40)
    y = (rng.random(20) < 0.4).astype(int)
    brute = np.mean([best_log_density(x.astype(np.float32).astype(float), (y == c).astype(float)) for c in (0, 1)])
    assert logme(x, y) == pytest.approx(brute, abs=2e-3)
