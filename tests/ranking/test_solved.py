"""The cross-validated heads: held out for real, and what they cannot know stays unknown."""

import numpy as np
import pytest

from headstart.heads.folds import deal
from headstart.ranking.estimate import of_scores
from headstart.ranking.solved import solved_score
from tests.ranking.blobs import blobs, turned


def test_classes_score_as_heads_fitted_without_the_part():
    """LDA of the reference library on the same parts, over the shrinkages tried, is no better and hardly worse."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    x, y = blobs(200, 15, spread=0.5)
    right = {g: np.zeros(200) for g in (0.01, 0.05, 0.2, 0.5, 1.0)}
    for part in deal(y, "classification", 5, seed=0):
        train = np.setdiff1d(np.arange(200), part)
        for shrinkage, rows in right.items():
            fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(x[train], y[train])
            rows[part] = fitted.predict(x[part]) == y[part]
    assert solved_score(x, y).value == pytest.approx(max(rows.mean() for rows in right.values()), abs=0.03)


def test_a_regression_is_r2_of_ridge():
    x, _ = blobs(150, 6)
    noise = np.random.default_rng(1).normal(size=150)
    exact = solved_score(x, 1000 + 50 * x[:, 0].astype(np.float64))
    assert exact.value > 0.999
    half = solved_score(x, x[:, 0] / x[:, 0].std() + noise / noise.std())
    assert half.value == pytest.approx(0.5, abs=0.12)
    assert abs(solved_score(x, noise[:, None]).value) < 0.1
    assert 0 < exact.sd < half.sd < 0.2


def test_labels():
    x, _ = blobs(200)
    assert solved_score(x, (x[:, :3] > 0).astype(np.float32)).value > 0.9


def test_noise_scores_as_guessing_and_the_standard_error_holds_it():
    wide = np.random.default_rng(2).normal(size=(300, 400)).astype(np.float32)
    found = solved_score(wide, np.arange(300) % 3)
    assert abs(found.value - 1 / 3) < 4 * found.sd
    assert found.sd == pytest.approx((2 / 9 / 300) ** 0.5, rel=0.1)


def test_better_separated_classes_score_higher_and_turning_changes_nothing():
    scores = [solved_score(*blobs(spread=spread)).value for spread in (0.0, 0.5, 2.0)]
    assert scores[0] < scores[1] < scores[2]
    x, y = blobs(spread=0.5)
    for same in (turned(x), x * np.float32(1e-4) + 7, x * np.float32(1e4)):
        assert solved_score(same, y).value == pytest.approx(scores[1], abs=0.03)


def test_groups_are_held_out_whole():
    rng = np.random.default_rng(0)
    x, y = np.repeat(rng.normal(size=(40, 60)), 4, axis=0), np.repeat(rng.integers(0, 2, 40), 4)
    groups = np.repeat(np.arange(40), 4)
    assert solved_score(x, y).value > 0.95
    assert solved_score(x, y, groups=groups).value < 0.75
    assert np.isnan(solved_score(x, y, groups=np.zeros(160)).value)


def test_another_metric():
    x, y = blobs(100)
    y = np.where(np.arange(100) < 80, 0, y)
    plain, even = solved_score(x, y), solved_score(x, y, metric="balanced_accuracy")
    assert even.value < plain.value


@pytest.mark.parametrize("sizes", [(90, 10), (51, 49)])
def test_the_error_of_a_mean_of_recalls_is_that_of_the_recalls(sizes):
    y = np.repeat([0, 1], sizes)
    scores = np.eye(2)[y]
    assert 0.003 < of_scores(scores, y, "classification", "balanced_accuracy").sd < 0.06  # all right is not certain
    scores[:45], scores[-sizes[1] // 5 :] = [0, 1], [1, 0]
    recall = [1 - 45 / sizes[0], 1 - sizes[1] // 5 / sizes[1]]
    by_hand = sum(r * (1 - r) / n for r, n in zip(recall, sizes, strict=True)) ** 0.5 / 2
    found = of_scores(scores, y, "classification", "balanced_accuracy")
    assert found.value == pytest.approx(np.mean(recall), abs=0.02)
    assert found.sd == pytest.approx(by_hand, rel=0.15)


def test_undefined_is_nan():
    x, y = blobs(20, 5)
    for found in (solved_score(np.ones((20, 5)), y), solved_score(x, np.zeros(20, int)), solved_score(x[:1], y[:1])):
        assert np.isnan([found.value, found.sd]).all()
