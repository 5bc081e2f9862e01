"""Each solver against brute force or the reference library, on the same plain features."""

import numpy as np
import pytest

from headstart.heads import lda, logistic, ridge
from headstart.heads.logistic import Problem
from headstart.heads.rotation import rotate


def mixture(n=90, d=7, k=3, seed=0, spread=1.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    x = spread * rng.normal(size=(k, d))[y] + rng.normal(size=(n, d)) * np.geomspace(1, 3, d) + 4
    return x.astype(np.float32), y


def weights_of(y, balanced):
    return len(y) / (len(np.unique(y)) * np.bincount(y)[y]) if balanced else np.ones(len(y))


def plain_ridge(x, targets, weights, penalty):
    """Weight and bias of penalised least squares with a free intercept, by the normal equations."""
    a = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    penalties = np.diag([penalty] * x.shape[1] + [0.0])
    return np.linalg.solve(a.T * weights @ a + penalties, a.T * weights @ targets)


def scale_of(x, weights):
    """The mean squared length of the centred rows, by which `Rotation` scales penalties."""
    centred = x - np.average(x, axis=0, weights=weights)
    return float(np.average((centred.astype(np.float64) ** 2).sum(axis=1), weights=weights))


@pytest.mark.parametrize("shape", [(60, 7), (30, 50)])
@pytest.mark.parametrize("balanced", [False, True])
def test_leaving_out_one_row_or_a_part_equals_fitting_without(shape, balanced):
    x, y = mixture(*shape)
    y = np.where(np.arange(len(y)) < 9, 0, y)  # uneven classes
    weights, alpha = weights_of(y, balanced), 0.3
    rotation = rotate(x, weights)
    aim = ridge.aim(rotation, ridge.code(y, "classification", 3))
    penalty = alpha * len(y) / x.shape[1] * scale_of(x, weights)

    def without(rows):
        keep = np.setdiff1d(np.arange(len(y)), rows)
        solution = plain_ridge(x[keep], aim.targets[keep], weights[keep], penalty)
        return x[rows] @ solution[:-1] + solution[-1]

    brute = np.concatenate([without(np.array([i])) for i in range(len(y))])
    np.testing.assert_allclose(ridge.leave_one_out(rotation, aim, alpha), brute, atol=2e-4)
    part = np.arange(3, len(y), 4)
    np.testing.assert_allclose(ridge.leave_part_out(rotation, aim, alpha, part), without(part), atol=2e-4)


def test_ridge_solves_several_outputs_at_once_as_the_reference_does():
    from sklearn.linear_model import Ridge

    x, _ = mixture()
    targets = np.random.default_rng(1).normal(size=(len(x), 4)).astype(np.float32)
    rotation = rotate(x)
    found = ridge.fit(rotation, ridge.aim(rotation, targets), 0.1)
    head = rotation.head(found.weight, found.bias, "regression", "ridge", {})
    reference = Ridge(alpha=0.1 * len(x) / 7 * scale_of(x, np.ones(len(x)))).fit(x, targets)
    np.testing.assert_allclose(head.weight.T, reference.coef_, atol=1e-4)
    np.testing.assert_allclose(head.scores(x), reference.predict(x), atol=1e-4)


@pytest.mark.parametrize("shape", [(90, 7), (40, 60)])
def test_shrinkage_equals_the_ledoit_wolf_of_the_reference(shape):
    from sklearn.covariance import ledoit_wolf_shrinkage

    x, y = mixture(*shape)
    within = x - np.stack([x[y == c].mean(axis=0) for c in range(3)])[y]
    rotation = rotate(x)
    found = lda.classes(rotation.rows, rotation.weights, y, 3)
    expected = ledoit_wolf_shrinkage(within.astype(np.float64), assume_centered=True)
    assert lda.ledoit_wolf(rotation, y, found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("shape", [(90, 7), (40, 60)])
@pytest.mark.parametrize("balanced", [False, True])
def test_lda_equals_the_reference_at_the_same_shrinkage(shape, balanced):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = mixture(*shape)
    y = np.where(np.arange(len(y)) < 9, 0, y)
    rotation = rotate(x, weights_of(y, balanced))
    found = lda.classes(rotation.rows, rotation.weights, y, 3)
    head = rotation.head(*lda.fit(rotation, found, 0.2), "classification", "lda", {})
    priors = [1 / 3] * 3 if balanced else None
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2, priors=priors).fit(x, y)
    np.testing.assert_allclose(head.probabilities(x), reference.predict_proba(x), atol=1e-3)


def test_lda_decides_nearly_as_the_reference_with_automatic_shrinkage():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = mixture(300, 20, spread=1.5)
    rotation = rotate(x)
    found = lda.classes(rotation.rows, rotation.weights, y, 3)
    gamma = lda.ledoit_wolf(rotation, y, found)
    head = rotation.head(*lda.fit(rotation, found, gamma), "classification", "lda", {})
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)
    # The reference shrinks each class by itself, after standardising; the pooled form shares one shrinkage.
    assert (head.scores(x).argmax(axis=1) == reference.predict(x)).mean() > 0.95


@pytest.mark.parametrize("shape", [(60, 7), (30, 50)])
def test_lda_leaving_out_equals_fitting_without(shape):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = mixture(*shape)
    n, gamma = len(y), 0.2
    rotation = rotate(x)
    found = lda.classes(rotation.rows, rotation.weights, y, 3)

    def without(rows, floor=None):
        keep = np.setdiff1d(np.arange(n), rows)
        means = np.stack([x[keep][y[keep] == c].mean(axis=0) for c in range(3)]).astype(np.float64)
        inner = x[keep] - means[y[keep]]
        scatter = inner.T @ inner
        floor = gamma * np.trace(scatter) / x.shape[1] if floor is None else floor
        inverse = len(keep) * np.linalg.inv((1 - gamma) * scatter + floor * np.eye(x.shape[1]))
        shift = x[rows] - x.mean(axis=0)
        means = means - x.mean(axis=0)
        prior = np.log(np.bincount(y[keep]) / len(keep))
        return shift @ inverse @ means.T - 0.5 * np.einsum("ij,jk,ik->i", means, inverse, means) + prior

    def log_share(scores):
        return scores - scores.max(axis=1, keepdims=True)

    inner = x - np.stack([x[y == c].mean(axis=0) for c in range(3)])[y]
    floor = gamma * float((inner.astype(np.float64) ** 2).sum()) / x.shape[1]
    brute = np.concatenate([without(np.array([i]), floor) for i in range(n)])
    found_scores = lda.leave_one_out(rotation, y, found, gamma)
    np.testing.assert_allclose(log_share(found_scores), log_share(brute), atol=2e-2)
    part = np.arange(2, n, 4)
    part_scores = lda.leave_part_out(rotation, y, 3, gamma, part)
    np.testing.assert_allclose(log_share(part_scores), log_share(without(part)), atol=5e-3)
    keep = np.setdiff1d(np.arange(n), part)
    reference = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=gamma).fit(x[keep], y[keep])
    assert (part_scores.argmax(axis=1) == reference.predict(x[part])).all()


@pytest.mark.parametrize("shape", [(90, 7), (40, 60)])
@pytest.mark.parametrize("balanced", [False, True])
def test_logistic_equals_the_reference(shape, balanced):
    from sklearn.linear_model import LogisticRegression

    x, y = mixture(*shape)
    y = np.where(np.arange(len(y)) < 9, 0, y)
    weights, c = weights_of(y, balanced), 5.0
    rotation = rotate(x, weights)
    problem = Problem(rotation.rows, rotation.weights, y, 3)
    solution = logistic.fit(problem, c, problem.start(), 1e-9)
    head = rotation.head(solution[:-1], solution[-1], "classification", "logistic", {})
    plain_c = c / scale_of(x, weights)
    reference = LogisticRegression(C=plain_c, tol=1e-8, max_iter=10_000)
    reference.fit(x - x.mean(axis=0), y, sample_weight=weights)
    np.testing.assert_allclose(head.weight.T, reference.coef_, atol=2e-3)
    np.testing.assert_allclose(head.probabilities(x), reference.predict_proba(x - x.mean(axis=0)), atol=2e-3)


def test_logistic_in_the_span_of_few_rows_equals_the_direct_solution():
    x, y = mixture(30, 50)
    rotation = rotate(x)
    assert rotation.rows.shape[1] < 30
    direct = Problem((x - x.mean(axis=0)) / scale_of(x, np.ones(30)) ** 0.5, np.ones(30), y, 3)
    rotated = Problem(rotation.rows, np.ones(30), y, 3)
    plain = logistic.scores(direct.rows, logistic.fit(direct, 20.0, direct.start(), 1e-9))
    spanned = logistic.scores(rotated.rows, logistic.fit(rotated, 20.0, rotated.start(), 1e-9))
    np.testing.assert_allclose(plain, spanned, atol=5e-3)


def test_sigmoids_equal_one_reference_a_label():
    from sklearn.linear_model import LogisticRegression

    x, _ = mixture(120)
    labels = (x[:, :3] + np.random.default_rng(2).normal(size=(120, 3)) > 4).astype(np.int64)
    rotation = rotate(x)
    problem = Problem(rotation.rows, rotation.weights, labels, 3)
    solution = logistic.fit(problem, 5.0, problem.start(), 1e-9)
    for label in range(3):
        reference = LogisticRegression(C=5.0, tol=1e-8, max_iter=10_000).fit(rotation.rows, labels[:, label])
        np.testing.assert_allclose(solution[:-1, label], reference.coef_[0], atol=5e-3)
