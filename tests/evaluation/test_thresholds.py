"""Thresholds: what they decide, what rows choose them, and what comes of bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import BundleError, SettingError
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.thresholds import Rule, Thresholds, crossfitted, decided, fit_thresholds, rule_of

Pair = tuple[np.ndarray, np.ndarray]


def labels(n: int, share: float = 0.1, seed: int = 0, off: float = 0.0) -> Pair:
    """Truth [n, 10] and probabilities that are too low by ``off`` in log odds for every other label."""
    rng = np.random.default_rng(seed)
    y = (rng.random((n, 10)) < share).astype(float)
    scores = 2.2 * y - 2.5 + rng.normal(size=y.shape) - off * (np.arange(10) % 2)
    return y, (1 / (1 + np.exp(-scores))).astype(np.float32)


def classes(n: int, share: float = 0.2, seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < share).astype(int)
    q = 1 / (1 + np.exp(-(2 * y - 2 + rng.normal(size=n))))
    return y, np.stack([1 - q, q], axis=1).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moved_probabilities_decide_as_the_thresholds_do_and_keep_the_order(dtype: type) -> None:
    p = labels(300)[1].astype(dtype)
    limits = Thresholds(tuple(p[:10, 0].astype(float)), None, "made up")  # ties with the threshold are among them
    moved = limits.decided(p)
    assert moved.dtype == dtype
    assert ((moved >= 0.5) == (p >= np.array(limits.values))).all()
    for column in range(10):
        assert (np.diff(moved[np.argsort(p[:, column]), column]) >= 0).all()


@pytest.mark.parametrize("positive", [0, 1])
def test_two_classes_stay_two_shares_of_one(positive: int) -> None:
    _, p = classes(200)
    value = float(p[7, positive])  # a row exactly at the threshold is given the class
    values = (value, 1 - value) if positive == 0 else (1 - value, value)
    moved = Thresholds(values, positive, "made up").decided(p)
    assert ((moved.argmax(axis=1) == positive) == (p[:, positive] >= value)).all()
    assert np.abs(moved.sum(axis=1) - 1).max() < 1e-6


def test_metrics_that_count_no_decisions_are_left_alone() -> None:
    _, p = classes(50)
    limits = Thresholds((0.8, 0.2), 1, "made up")
    assert (decided(p, limits, "log_loss") == p).all()
    assert (decided(p, limits, "auroc") == p).all()
    assert (decided(p, limits, "accuracy") != p).any()
    of_arrays = {name: one for name, one in METRICS.items() if one.tasks != ("tag",)}
    assert {name for name, metric in of_arrays.items() if metric.decides} == {
        *("accuracy", "balanced_accuracy", "f1_macro", "mcc", "top3", "top5", "f1_micro", "subset_accuracy")
    }


def test_f1_of_new_rows_rises() -> None:
    (y, p), (new_y, new_p) = labels(400), labels(2000, seed=1)
    limits = fit_thresholds(Rule("best-f1"), p, y)
    f1 = METRICS["f1_micro"].function
    assert f1(new_y, limits.decided(new_p)) > f1(new_y, new_p) + 0.05
    assert limits.after > limits.before + 0.05
    assert limits.n == 400


def test_labels_that_are_off_get_thresholds_of_their_own_and_rare_ones_the_common_one() -> None:
    y, p = labels(600, share=0.3, off=2.0)
    limits = np.array(fit_thresholds(Rule("best-f1"), p, y).values)
    assert limits[1::2].max() < limits[::2].min()
    y[:, 0] = 0
    y[0, 0] = 1  # one positive row: what it says by itself is that its own probability is the threshold
    p[0, 0] = 0.97
    rare = fit_thresholds(Rule("best-f1"), p, y)
    assert rare.values[0] < 0.6


def test_half_is_kept_where_thresholds_do_not_help() -> None:
    """Answers that are faultless at 0.5 are left as they are: thresholds set by chance would only lose."""
    y, _ = labels(60)
    limits = fit_thresholds(Rule("best-f1"), np.where(y > 0, 0.9, 0.1), y)
    assert set(limits.values) == {0.5}
    assert limits.rule.startswith("0.5 for every label")


def test_what_chose_a_threshold_does_not_judge_it() -> None:
    """On labels of chance the thresholds' own rows claim a gain; other rows' do not."""
    rng, own, crossed = np.random.default_rng(0), [], []
    f1 = METRICS["f1_macro"].function
    for seed in range(20):
        y, p = (rng.random(40) < 0.3).astype(int), rng.random(40)
        both = np.stack([1 - p, p], axis=1)
        rule = Rule("best-f1", positive=1)
        own.append(f1(y, fit_thresholds(rule, both, y, seed=seed).decided(both)) - f1(y, both))
        crossed.append(f1(y, crossfitted(rule, both, y, seed=seed)) - f1(y, both))
    assert np.mean(crossed) < np.mean(own)


def test_rows_of_a_unit_are_never_on_both_sides() -> None:
    y, p = classes(60)
    p = np.repeat(p[:20], 3, axis=0)
    y, units = np.repeat(y[:20], 3), np.repeat(np.arange(20), 3)
    moved = crossfitted(Rule("best-f1", positive=1), p, y, units=units)
    assert (moved.reshape(20, 3, 2) == moved.reshape(20, 3, 2)[:, :1]).all()  # one threshold for the three copies


@pytest.mark.parametrize(("asked", "kind"), [("precision=0.9", "precision"), ("recall=0.95", "recall")])
def test_a_target_is_reached_on_the_rows_that_choose(asked: str, kind: str) -> None:
    y, p = classes(500)
    limits = fit_thresholds(rule_of(asked, positive=1), p, y)
    given = limits.decided(p).argmax(axis=1) == 1
    hits = (given & (y == 1)).sum()
    reached = hits / given.sum() if kind == "precision" else hits / (y == 1).sum()
    assert reached >= float(asked.partition("=")[2])
    assert kind in limits.rule


def test_a_precision_that_no_threshold_reaches_is_said() -> None:
    y = np.array([0, 1] * 20)
    p = np.tile([[0.5, 0.5]], (40, 1))
    assert "not reached" in fit_thresholds(rule_of("precision=0.9", positive=1), p, y).rule


def test_a_number_is_the_threshold() -> None:
    y, p = classes(50)
    limits = fit_thresholds(rule_of("0.3", positive=0), p, y)
    assert limits.values == (0.3, 0.7)
    assert limits.n == 0
    assert (crossfitted(rule_of("0.3", positive=0), p, y) == limits.decided(p)).all()


@pytest.mark.parametrize("asked", ["best", "precision=1.2", "recall=", "0", "1.5", "nan", "precision", ""])
def test_bad_rules_are_named_with_what_is_allowed(asked: str) -> None:
    with pytest.raises(SettingError, match=r"best-f1, precision=0\.9, recall=0\.95"):
        rule_of(asked, positive=1)


def test_a_precision_is_for_two_classes() -> None:
    with pytest.raises(SettingError, match="two classes"):
        rule_of("precision=0.9", positive=None)


def test_records_come_back_whole_and_broken_ones_are_refused() -> None:
    limits = fit_thresholds(Rule("best-f1"), *labels(50)[::-1])
    assert Thresholds.from_dict(limits.to_dict()) == limits
    for change in ({"values": [2.0]}, {"values": []}, {"positive": 1}, {"n": "x"}):
        with pytest.raises(BundleError, match="thresholds"):
            Thresholds.from_dict(limits.to_dict() | change)
    with pytest.raises(SettingError, match="0 predictions"):
        fit_thresholds(Rule("best-f1"), np.zeros((0, 2)), np.zeros((0, 2)))


def test_what_is_told_of_thresholds_is_of_rows_that_chose_neither_them_nor_their_rule() -> None:
    """Where labels are pure chance the best of three rules looks better on the rows that chose it; `after` does not."""
    gains = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        y, p = (random.random((60, 6)) < 0.3).astype(float), random.random((60, 6))
        found = fit_thresholds(Rule("best-f1"), p, y, seed=seed)
        crossed = crossfitted(Rule("best-f1"), p, y, seed=seed)
        given, truth = crossed >= 0.5, y > 0.5
        assert found.after == pytest.approx(2 * (given & truth).sum() / (given.sum() + truth.sum()))
        assert fit_thresholds(Rule("best-f1"), p, y, seed=seed, crossed=crossed) == found
        gains.append(found.after)
    assert np.mean(gains) < 0.47  # of giving every label: 2 · 0.3 / 1.3
