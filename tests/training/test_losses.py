from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.heads.target_scale import TargetScale
from headstart.training.losses import Loss, loss_for, mixed, targets


def mean(loss: Loss, scores: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    summed, weight = loss(scores, truth)
    return summed / weight


def test_cross_entropy_of_no_knowledge_is_chance_whether_balanced_or_not() -> None:
    y = np.array([0, 0, 0, 1, 2, 2])
    for balanced in (False, True):
        loss = loss_for("classification", y, 3, balanced=balanced)
        assert float(mean(loss, torch.zeros(6, 3), targets(y, "classification"))) == pytest.approx(math.log(3))


def test_balanced_classes_count_the_same_and_absent_ones_nothing() -> None:
    y = np.array([0] * 9 + [1])
    loss = loss_for("classification", y, 3, balanced=True)
    scores = torch.zeros(10, 3, requires_grad=True)
    mean(loss, scores, targets(y, "classification")).backward()
    assert scores.grad is not None
    assert float(scores.grad[:9, 0].sum()) == pytest.approx(float(scores.grad[9, 1]), abs=1e-6)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_sums_and_weights_of_parts_add_up(balanced: bool, soft: bool) -> None:
    y = np.array([0, 1, 1, 1, 2, 0, 1, 1])
    loss = loss_for("classification", y, 3, balanced=balanced)
    scores = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    truth = targets(y, "classification")
    if soft:
        truth = mixed(truth, truth.flip(0), 0.3, 3)
    summed, weight = loss(scores, truth)
    first, second = loss(scores[:3], truth[:3]), loss(scores[3:], truth[3:])
    assert (first[1], second[1], weight) == (3, 5, 8)
    assert float(first[0] + second[0]) == pytest.approx(float(summed))


def test_soft_targets_sum_to_one_and_hard_ones_are_their_limit() -> None:
    y = np.array([0, 1, 2, 1])
    truth = targets(y, "classification")
    soft = mixed(truth, truth.flip(0), 0.7, 3)
    assert soft.sum(1).tolist() == pytest.approx([1.0] * 4)
    assert soft[0].tolist() == pytest.approx([0.7, 0.3, 0.0])
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    for balanced in (False, True):
        loss = loss_for("classification", y, 3, balanced=balanced)
        assert float(mean(loss, scores, mixed(truth, truth, 0.4, 3))) == pytest.approx(
            float(mean(loss, scores, truth)), rel=1e-5
        )


@pytest.mark.parametrize(("centre", "spread"), [(500, 20), (1.7e9, 40), (0, 1e-12), (-3, 1e12)])
def test_regression_is_in_units_of_the_variance(centre: float, spread: float) -> None:
    y = np.random.default_rng(0).normal(centre, spread, (200, 1))
    truth = targets(TargetScale.of(y, "regression").standardised(y), "regression")
    assert float(mean(loss_for("regression", y, 1), torch.zeros(200, 1), truth)) == pytest.approx(1, rel=1e-5)


def test_labels_are_judged_each() -> None:
    y = np.array([[0, 1], [1, 1]])
    truth = targets(y, "multilabel")
    assert float(mean(loss_for("multilabel", y, 2), torch.zeros(2, 2), truth)) == pytest.approx(math.log(2))
