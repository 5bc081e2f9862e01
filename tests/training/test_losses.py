from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headstart.training.losses import loss_for, mixed, targets


def test_cross_entropy_of_no_knowledge_is_chance_whether_balanced_or_not() -> None:
    y = np.array([0, 0, 0, 1, 2, 2])
    for balanced in (False, True):
        loss = loss_for("classification", y, 3, balanced=balanced)
        assert float(loss(torch.zeros(6, 3), targets(y, "classification"))) == pytest.approx(math.log(3))


def test_balanced_classes_count_the_same_and_absent_ones_nothing() -> None:
    y = np.array([0] * 9 + [1])
    loss = loss_for("classification", y, 3, balanced=True)
    scores = torch.zeros(10, 3, requires_grad=True)
    loss(scores, targets(y, "classification")).backward()
    assert scores.grad is not None
    assert float(scores.grad[:9, 0].sum()) == pytest.approx(float(scores.grad[9, 1]), abs=1e-6)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_a_loss_is_the_mean_of_its_parts(balanced: bool, soft: bool) -> None:
    y = np.array([0, 1, 1, 1, 2, 0, 1, 1])
    loss = loss_for("classification", y, 3, balanced=balanced)
    scores = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    truth = targets(y, "classification")
    if soft:
        truth = mixed(truth, truth.flip(0), 0.3, 3)
    whole = loss(scores, truth)
    parts = (loss(scores[:3], truth[:3]) * 3 + loss(scores[3:], truth[3:]) * 5) / 8
    assert float(parts) == pytest.approx(float(whole))


def test_soft_targets_sum_to_one_and_hard_ones_are_their_limit() -> None:
    y = np.array([0, 1, 2, 1])
    truth = targets(y, "classification")
    soft = mixed(truth, truth.flip(0), 0.7, 3)
    assert soft.sum(1).tolist() == pytest.approx([1.0] * 4)
    assert soft[0].tolist() == pytest.approx([0.7, 0.3, 0.0])
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    for balanced in (False, True):
        loss = loss_for("classification", y, 3, balanced=balanced)
        assert float(loss(scores, mixed(truth, truth, 0.4, 3))) == pytest.approx(float(loss(scores, truth)), rel=1e-5)


def test_regression_is_in_units_of_the_variance() -> None:
    y = np.random.default_rng(0).normal(500, 20, (200, 1))
    loss = loss_for("regression", y, 1)
    assert float(loss(torch.full((200, 1), float(y.mean())), targets(y, "regression"))) == pytest.approx(1, rel=1e-3)
    constant = loss_for("regression", np.ones((3, 1)), 1)
    assert float(constant(torch.zeros(3, 1), torch.ones(3, 1))) == 1.0


def test_labels_are_judged_each() -> None:
    y = np.array([[0, 1], [1, 1]])
    assert float(loss_for("multilabel", y, 2)(torch.zeros(2, 2), targets(y, "multilabel"))) == pytest.approx(
        math.log(2)
    )
