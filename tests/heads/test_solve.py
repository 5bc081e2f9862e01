"""Choosing a head: what is chosen, what it is chosen on, and what is refused."""

import subprocess
import sys

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.heads.folds import held_out
from headstart.heads.linear import LinearHead
from headstart.heads.scoring import best_factor, choose, row_scores
from headstart.heads.solve import refit, solve
from headstart.tasks import Classification, Multilabel, get


def mixture(n=200, d=20, k=4, seed=0, spread=2.0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    centres = np.random.default_rng(99).normal(size=(k, d)) * spread
    return (centres[y] + rng.normal(size=(n, d)) * 2).astype(np.float32), y


def test_classes_are_learnt_and_scores_come_from_fits_without_the_row():
    x, y = mixture()
    noise = np.random.default_rng(1).permutation(y)
    solved = solve(x, y, "classification")
    fresh, truth = mixture(seed=5)
    assert (solved.head.scores(fresh).argmax(axis=1) == truth).mean() > 0.9
    assert np.isfinite(solved.scores).all()
    wide = np.random.default_rng(2).normal(size=(200, 400)).astype(np.float32)
    chance = solve(wide, noise, "classification").scores.argmax(axis=1)
    assert (chance == noise).mean() < 0.45  # fitted scores would be right on every row


def test_every_kind_is_tried_and_the_best_or_a_tie_is_chosen():
    x, y = mixture(spread=0.7)
    solved = solve(x, y, "classification")
    assert {t.kind for t in solved.tried} == {"ridge", "lda", "logistic"}
    best = max(t.valid_score for t in solved.tried)
    chosen = next(t for t in solved.tried if (t.kind, t.settings) == (solved.head.kind, solved.head.settings))
    assert best - chosen.valid_score < 0.05


@pytest.mark.parametrize("size", [(50, 5), (60, 200)])
def test_the_same_seed_gives_the_same_head(size):
    x, y = mixture(*size)
    first, second = solve(x, y, "classification", seed=3), solve(x, y, "classification", seed=3)
    np.testing.assert_array_equal(first.head.weight, second.head.weight)
    np.testing.assert_array_equal(first.scores, second.scores)


def test_balanced_gives_a_rare_class_its_due():
    rng = np.random.default_rng(0)
    y = (np.arange(400) < 20).astype(np.int64)
    x = (rng.normal(size=(400, 5)) + 1.2 * y[:, None]).astype(np.float32)
    plain = solve(x, y, "classification").head.scores(x).argmax(axis=1)
    even = solve(x, y, "classification", balanced=True).head
    assert (even.scores(x).argmax(axis=1)[y == 1]).mean() > (plain[y == 1]).mean() + 0.1
    assert even.settings["balanced"] is True


def test_features_shift_and_scale_do_not_change_decisions():
    x, y = mixture(spread=1.0)
    moved = solve((x * 100 + 1000).astype(np.float32), y, "classification")
    plain = solve(x, y, "classification")
    agree = moved.head.scores(x * 100 + 1000).argmax(axis=1) == plain.head.scores(x).argmax(axis=1)
    assert agree.mean() > 0.98


def test_multilabel():
    x, _ = mixture(300)
    y = (x[:, :3] > 0).astype(np.int64)
    solved = solve(x, y, "multilabel")
    said = solved.head.probabilities(x) > 0.5
    assert (said == y).mean() > 0.95
    assert solved.scores.shape == (300, 3)


def test_multilabel_with_a_label_that_never_occurs():
    x, _ = mixture(100)
    y = np.column_stack([x[:, 0] > 0, np.zeros(100)]).astype(np.int64)
    solved = solve(x, y, "multilabel")
    assert (solved.head.probabilities(x)[:, 1] < 0.5).all()


def test_regression_recovers_a_line_and_keeps_its_unit():
    x, _ = mixture(150, 6)
    y = (1000 + 50 * x[:, :1] - 20 * x[:, 1:2]).astype(np.float64)
    solved = solve(x, y, "regression")
    np.testing.assert_allclose(solved.head.scores(x), y, rtol=1e-2)
    assert solved.tried[0].valid_score > 0.999


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "log_loss"])
def test_named_metrics(metric):
    x, y = mixture(60, 5)
    assert solve(x, y, "classification", metric=metric).head.weight.shape == (5, 4)


def test_a_metric_of_the_callers_own_decides():
    x, y = mixture(60, 5)
    seen = []

    def metric(scores, truth):
        seen.append(scores.shape)
        return -float(np.abs(scores).max())  # the smallest scores win, whatever they say

    solved = solve(x, y, "classification", metric=metric)
    assert seen
    assert solved.head.settings in [t.settings for t in solved.tried]
    assert max(t.valid_score for t in solved.tried) == next(
        t.valid_score for t in solved.tried if t.settings == solved.head.settings
    )


def test_refit_on_more_rows_keeps_the_choice():
    x, y = mixture(200)
    solved = solve(x[:150], y[:150], "classification", outputs=4)
    head = refit(solved.head, x, y, "classification")
    assert (head.kind, head.settings) == (solved.head.kind, solved.head.settings)
    assert not np.array_equal(head.weight, solved.head.weight)
    same = refit(solved.head, x[:150], y[:150], "classification")
    agree = same.scores(x).argmax(axis=1) == solved.head.scores(x).argmax(axis=1)
    assert agree.mean() > 0.98
    for tried in solved.tried:
        assert refit(tried, x, y, "classification").kind == tried.kind


def test_many_rows_are_judged_on_one_held_out_part():
    x, y = mixture(2500, 5, spread=0.5)
    (part,) = held_out(y, "classification", seed=0)
    assert len(part) == 500
    assert np.bincount(y[part]).tolist() == [125] * 4
    solved = solve(x, y, "classification")
    covered = np.isfinite(solved.scores).all(axis=1).sum()
    assert covered == (500 if solved.head.kind == "logistic" else 2500)


def test_groups_are_held_out_whole():
    y = np.arange(120) % 3
    groups = np.arange(120) // 4
    parts = held_out(y, "classification", seed=0, groups=groups)
    owners = [set(groups[p]) for p in parts]
    assert sum(len(o) for o in owners) == len(set().union(*owners)) == 30
    assert sum(len(p) for p in parts) == 120


def test_groups_keep_copies_from_vouching_for_each_other():
    rng = np.random.default_rng(0)
    base, labels = rng.normal(size=(40, 60)).astype(np.float32), rng.integers(0, 2, 40)
    x, y, groups = np.repeat(base, 3, axis=0), np.repeat(labels, 3), np.repeat(np.arange(40), 3)
    apart = solve(x, y, "classification", groups=groups)
    assert (apart.scores.argmax(axis=1) == y).mean() < 0.75
    assert (solve(x, y, "classification").scores.argmax(axis=1) == y).mean() > 0.9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "y"),
    [
        (np.random.default_rng(0).normal(size=(2, 5)), [0, 1]),
        (np.random.default_rng(0).normal(size=(3, 5)), [0, 1, 1]),
        (np.random.default_rng(0).normal(size=(8, 1)), [0, 1] * 4),
        (np.random.default_rng(0).normal(size=(30, 4)), [0] * 15 + [1] * 14 + [2]),
        (np.random.default_rng(0).normal(size=(30, 80)), [0] * 15 + [1] * 13 + [2] * 2),
        (np.random.default_rng(0).normal(size=(9, 3)), range(9)),
        (np.ones((20, 6)), [0, 1] * 10),
        (np.repeat(np.eye(4), 10, axis=0), [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10),
        (np.column_stack([np.arange(20.0), np.full(20, 7.3)]), [0] * 10 + [1] * 10),
        (np.random.default_rng(0).normal(size=(20, 3)), [1] * 20),
    ],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_degenerate_rows_still_give_a_finite_head(rows, y, balanced):
    y = np.array(list(y))
    solved = solve(rows.astype(np.float32), y, "classification", balanced=balanced, outputs=y.max() + 3)
    assert solved.head.weight.shape == (rows.shape[1], y.max() + 3)
    assert np.isfinite(solved.head.weight).all()
    assert np.isfinite(solved.head.bias).all()
    assert np.isfinite(solved.scores).all()
    if len(y) >= 20:
        assert (solved.head.scores(rows).argmax(axis=1) <= y.max()).all()  # absent classes are not predicted


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.array([[np.nan, 1], [2, 3]], np.float32)}, "not finite, the first is row 0"),
        ({"task": "clasification"}, "Did you mean 'classification'"),
        ({"y": np.array([0, 1, 2])}, "do not fit"),
        ({"y": np.array([0.5, 1.0])}, "whole numbers"),
        ({"outputs": 1}, "from 0 to 1 - 1"),
        ({"metric": "acuracy"}, "Did you mean 'accuracy'"),
        ({"x": np.ones((1, 2), np.float32), "y": np.array([0])}, "at least 2 rows"),
        ({"y": np.eye(2), "task": "multilabel", "balanced": True}, "balanced is for classification"),
        ({"groups": np.array(["a", "a"])}, "at least 2 groups"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_words(change, words):
    given = {"x": np.eye(2, dtype=np.float32), "y": np.array([0, 1]), "task": "classification", **change}
    with pytest.raises(SettingError, match=words):
        solve(given.pop("x"), given.pop("y"), given.pop("task"), **given)


def test_scaled_divides_scores_and_refuses_nonsense():
    head = LinearHead(np.eye(2, dtype=np.float32), np.ones(2, np.float32), "classification", "ridge")
    x = np.array([[1.0, 3.0]], np.float32)
    np.testing.assert_allclose(head.scaled(2.0).scores(x), head.scores(x) / 2)
    np.testing.assert_allclose(head.probabilities(x).sum(axis=1), 1, rtol=1e-6)
    for bad in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(SettingError, match="temperature"):
            head.scaled(bad)
    with pytest.raises(SettingError, match=r"takes \[n, 2\]"):
        head.scores(np.ones((1, 3), np.float32))


def test_probabilities_stay_finite_for_huge_scores():
    huge = np.array([[1e4, -1e4]], np.float32)
    np.testing.assert_allclose(Classification.probabilities(huge), [[1, 0]])
    np.testing.assert_allclose(Multilabel.probabilities(huge), [[1, 0]])


def test_micro_f1_by_rows_has_f1_as_its_mean():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(50, 4)), rng.integers(0, 2, (50, 4))
    rows = row_scores(scores, y, "multilabel", "f1_micro")
    assert rows.mean() == pytest.approx(f1_score(y, scores > 0, average="micro"))


def test_the_best_factor_has_the_lowest_loss():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    scores = (0.1 * (2 * np.eye(3)[y] + rng.normal(size=(300, 3)))).astype(np.float32)
    factor = best_factor(scores, y, "classification")
    losses = [Classification.row_losses(scores * f, y).mean() for f in (factor * 0.95, factor, factor * 1.05)]
    assert losses[1] < min(losses[0], losses[2])


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_a_few_rows_that_are_all_right_do_not_make_the_factor_huge(task):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1030)
    truth = y if task == "classification" else np.eye(3)[y]
    scores = (0.1 * (2 * np.eye(3)[y] - 1 + 0.3 * rng.normal(size=(1030, 3)))).astype(np.float32)
    scores[:30] += (0.1 * (np.eye(3)[y[:30]] - 0.5)).astype(np.float32)  # the rows that it is found on are clear
    wrong = np.arange(30, 60)  # and of the others three in a hundred are mistakes
    scores[wrong] *= -1
    factor = best_factor(scores[:30], truth[:30], task)
    assert get(task).row_losses(factor * scores[30:], truth[30:]).mean() < 0.5
    said = factor * np.sort(scores[:30], axis=1)
    assert np.median(said[:, -1] - said[:, -2]) > 2  # it still says what it is sure of


def test_near_ties_go_to_the_lower_loss_and_clear_wins_do_not():
    coin = np.random.default_rng(0).integers(0, 2, 400).astype(float)
    near = coin.copy()
    near[np.flatnonzero(coin == 1)[0]] = 0
    assert choose([coin, near], [1.0, 0.5]) == 1
    far = coin.copy()
    far[np.flatnonzero(coin == 1)[:40]] = 0
    assert choose([coin, far], [1.0, 0.5]) == 0


def test_solving_imports_no_heavy_library():
    code = "import sys, headstart.heads.solve; print(sorted({'sklearn', 'torch', 'scipy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
