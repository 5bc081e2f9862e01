"""Precision and recall of each class, against scikit-learn, with intervals on the rows they rest on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from headstart.evaluation.per_class import per_class
from headstart.evaluation.proportions import wilson
from tests.evaluation.simulate import soft


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_it_agrees_with_the_library(task):
    rng = np.random.default_rng(0)
    if task == "classification":
        y = np.concatenate([np.arange(5), rng.integers(0, 5, 195)])
        p = soft(rng, y, 5, 1.0)
        answers = p.argmax(axis=1)
    else:
        y = (rng.random((200, 5)) < 0.3).astype(np.float32)
        p = np.clip(0.35 * y + 0.8 * rng.random((200, 5)), 0, 1)
        answers = p >= 0.5
    precision, recall, _, support = precision_recall_fscore_support(y, answers)
    found = per_class(y, p)
    assert [one.output for one in found] == [0, 1, 2, 3, 4]
    assert [one.n for one in found] == support.tolist()
    assert [one.precision.value for one in found] == pytest.approx(precision)
    assert [one.recall.value for one in found] == pytest.approx(recall)
    for one in found:
        assert one.recall.low < one.recall.value < one.recall.high
        assert (one.recall.low, one.recall.high) == wilson(one.recall.value, one.n, 0.95)


def test_a_class_without_rows_or_answers_has_no_value():
    found = per_class(np.array([0, 0, 1]), np.eye(3)[[0, 0, 0]])
    assert np.isnan(found[2].recall.value)
    assert np.isnan(found[1].precision.value)
    assert (found[1].recall.value, found[1].n, found[2].n) == (0.0, 1, 0)
    assert found[0].precision.value == pytest.approx(2 / 3)
    assert found[0].precision.n == 3
