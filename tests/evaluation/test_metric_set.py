"""All metrics at once, fast, with the reason where there is no value."""

from __future__ import annotations

import time

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import evaluate_with_intervals, score_interval
from headstart.evaluation.metrics import evaluate, undefined
from tests.evaluation.simulate import soft


def sample(n: int = 120, k: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % k
    return y, soft(rng, y, k)


def test_every_metric_has_its_value_and_interval():
    y, p = sample()
    found = evaluate_with_intervals("classification", y, p, draws=300)
    assert {name: one.value for name, one in found.items()} == evaluate("classification", y, p)
    assert all(one.low < one.value < one.high for one in found.values())
    assert found["accuracy"] == score_interval("accuracy", y, p)


def test_77_classes_of_3080_rows_take_no_time():
    y, p = sample(3080, 77)
    evaluate_with_intervals("classification", y[:200], p[:200])  # libraries are imported once
    start = time.process_time()
    evaluate_with_intervals("classification", y, p)
    assert time.process_time() - start < 1.5


def test_what_cannot_be_judged_is_refused():
    y, p = sample()
    with pytest.raises(SettingError, match="do not sum to one"):
        evaluate_with_intervals("classification", y, p * 2 / 3)
    with pytest.raises(SettingError, match="not finite"):
        evaluate_with_intervals("classification", y, p * np.nan)


def test_a_test_set_of_one_class_leaves_metrics_undefined_and_says_why():
    p = sample()[1]
    y = np.zeros(len(p), int)
    said = undefined("classification", y, p)
    assert set(said) == {"mcc", "auroc", "average_precision"}
    assert all("one class" in reason for reason in said.values())
    found = evaluate_with_intervals("classification", y, p, draws=100)
    assert {name for name, one in found.items() if np.isnan(one.value)} == set(said)


SAME = np.tile([0.6, 0.4], (4, 1))
HALF = np.full((4, 2), 0.4)
REASONS = [
    ("classification", np.array([0, 1, 0, 1]), SAME, "mcc", "given the same class"),
    ("classification", np.zeros(0, int), np.zeros((0, 2)), "accuracy", "no row"),
    ("multilabel", np.zeros((4, 2)), HALF, "average_precision", "no row has a label$"),
    ("multilabel", np.zeros((4, 2)), HALF, "f1_macro", "none is predicted"),
    ("multilabel", np.tile([0, 1], (4, 1)), HALF, "auroc", "for all rows or for none"),
    ("regression", np.ones((4, 1)), np.arange(4.0)[:, None], "r2", "all targets are the same"),
    ("regression", np.arange(4.0)[:, None], np.ones((4, 1)), "spearman", "all predictions are the same"),
    ("regression", np.ones((1, 1)), np.ones((1, 1)), "r2", "one row"),
]


@pytest.mark.parametrize(("task", "y", "p", "name", "reason"), REASONS)
def test_the_reason_is_what_is_missing(task, y, p, name, reason):
    import re

    said = undefined(task, y, p)
    assert re.search(reason, said[name])
    assert set(said) == {metric for metric, value in evaluate(task, y, p).items() if np.isnan(value)}


def test_nothing_is_undefined_on_rows_of_all_classes():
    assert undefined("classification", *sample()) == {}
