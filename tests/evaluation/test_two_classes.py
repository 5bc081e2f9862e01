"""Precision, recall, curves and areas of one class of two."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from headstart.evaluation.per_class import curves, two_classes


def made(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    return truth, np.round(1 / (1 + np.exp(-(truth + rng.normal(size=n)))), 2)


def test_values_are_those_of_their_definitions() -> None:
    truth, score = made(400)
    given = score >= 0.7
    found = two_classes(truth, score, given)
    assert found.n == truth.sum()
    assert found.precision.value == pytest.approx((truth & given).sum() / given.sum())
    assert found.recall.value == pytest.approx((truth & given).sum() / truth.sum())
    assert found.specificity.value == pytest.approx((~truth & ~given).sum() / (~truth).sum())
    assert found.f1.value == pytest.approx(2 * (truth & given).sum() / (truth.sum() + given.sum()))
    assert found.auroc.value == pytest.approx(roc_auc_score(truth, score))
    assert found.average_precision.value == pytest.approx(average_precision_score(truth, score))
    for one in (found.precision, found.recall, found.specificity, found.f1, found.auroc, found.average_precision):
        assert one.low < one.value < one.high


def test_a_thinned_curve_keeps_its_ends_and_nearly_its_area() -> None:
    truth, score = made(3000)
    score = score + np.random.default_rng(1).random(3000) / 1000  # no two alike
    roc, precision_recall = curves(truth, score)
    assert max(len(roc), len(precision_recall)) <= 100
    assert roc[0, :2].tolist() == [0, 0]
    assert roc[-1, :2].tolist() == [1, 1]
    assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(roc_auc_score(truth, score), abs=0.01)
    assert (np.diff(roc[:, 2]) <= 0).all()
    assert precision_recall[-1, 0] == 1


def test_one_class_alone_has_no_curves() -> None:
    roc, precision_recall = curves(np.ones(5, bool), np.linspace(0, 1, 5))
    assert len(roc) == len(precision_recall) == 0
    found = two_classes(np.ones(5, bool), np.linspace(0, 1, 5), np.zeros(5, bool))
    assert np.isnan([found.precision.value, found.specificity.value, found.auroc.value]).all()
    assert found.recall.value == 0


def test_copies_of_rows_make_no_interval_narrower() -> None:
    truth, score = made(60)
    plain = two_classes(truth, score, score >= 0.6)
    ten = two_classes(
        *(np.repeat(part, 10) for part in (truth, score, score >= 0.6)), units=np.repeat(np.arange(60), 10)
    )
    for one, other in ((plain.precision, ten.precision), (plain.recall, ten.recall), (plain.f1, ten.f1)):
        assert other.high - other.low > 0.8 * (one.high - one.low)
