"""What is trained on top of a base, against the formulas written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from headstart.errors import SettingError
from headstart.ragged import Ragged
from headstart.tasks import Classification, get, posed, tasks
from headstart.training.objective import OBJECTIVES, Linear, Objective, objective_of
from headstart.training.phase import Phase
from tests.training.small import base_of, job_of, linear

TASKS = ("classification", "multilabel", "regression", "tag")


def targets_of(task: str, rng: np.random.Generator) -> Any:
    """20 rows of three classes or labels, of two values far from 0, or of one to four words."""
    if task == "regression":
        return rng.normal(1.7e9, 40, (20, 2))
    if task == "multilabel":
        return rng.integers(0, 2, (20, 3)).astype(np.float32)
    if task == "tag":
        return Ragged.of([rng.integers(0, 3, 1 + i % 4) for i in range(20)])
    return rng.integers(0, 3, 20)


def mean(objective: Objective, scores: torch.Tensor, y: Any) -> torch.Tensor:
    summed, weight = objective.loss(scores, objective.truth(y))
    return summed / weight


# --- Scores, loss, gradient, answers ------------------------------------------------------------------


def loss_and_slope(task: str, scores: np.ndarray, y: Any) -> tuple[float, np.ndarray]:
    """The loss summed and its derivative by the scores, float64."""
    if posed(task).exclusive:
        classes = y.values if isinstance(y, Ragged) else y
        p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        return -np.log(p[np.arange(len(p)), classes]).sum(), p - np.eye(scores.shape[1])[classes]
    if posed(task).graded:
        p = 1 / (1 + np.exp(-scores))
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).sum(), p - y
    standard = (y - y.mean(0)) / y.std(0)
    return np.square(scores - standard).sum(), 2 * (scores - standard)


@pytest.mark.parametrize("task", TASKS)
def test_loss_and_gradient_are_the_formulas_written_out(task: str) -> None:
    rng = np.random.default_rng(0)
    y = targets_of(task, rng)
    items = len(y.values) if isinstance(y, Ragged) else len(y)
    features = rng.normal(3, 2, (items, 4)).astype(np.float32)
    outputs = 2 if task == "regression" else 3
    objective = linear(task, y, outputs, features=features)
    weight = rng.normal(0, 0.5, (4, outputs))
    with torch.no_grad():
        objective.head.weight.copy_(torch.from_numpy(weight.T))
    standard = (features - features.mean(0)) / features.std()
    scores = objective(torch.from_numpy(features))
    assert scores.detach().numpy() == pytest.approx(standard @ weight, abs=1e-5)

    expected, slope = loss_and_slope(task, standard @ weight, y)
    summed, count = objective.loss(scores, objective.truth(y))
    summed.backward()
    assert count == (items if posed(task).exclusive else items * outputs)
    assert summed.item() == pytest.approx(expected, rel=1e-5)
    assert objective.head.weight.grad.numpy() == pytest.approx((standard.T @ slope).T, abs=1e-4)
    assert objective.head.bias.grad.numpy() == pytest.approx(slope.sum(0), abs=1e-4)

    given = scores.detach().numpy()
    ragged = y.like(given) if isinstance(y, Ragged) else given
    said, by_head = objective.answers(ragged), objective.state().probabilities(features)
    assert isinstance(said, Ragged) == isinstance(y, Ragged)
    values = said.values if isinstance(said, Ragged) else said
    size = 40 if task == "regression" else 1
    assert (values - by_head) / size == pytest.approx(0, abs=1e-4), "the bundle's head answers as training did"


@pytest.mark.parametrize("task", TASKS)
def test_no_knowledge_has_the_loss_of_chance(task: str) -> None:
    y = targets_of(task, np.random.default_rng(1))
    outputs = 2 if task == "regression" else 3
    for balanced in (False, True):
        objective = linear(task, y, outputs, balanced=balanced)
        scores = objective(torch.randn(len(objective.truth(y)), 4))
        assert mean(objective, scores, y).item() == pytest.approx(objective.chance, rel=1e-5)


# --- Weights of classes, parts ------------------------------------------------------------------------


def test_balanced_classes_count_the_same_and_absent_ones_nothing() -> None:
    y = np.array([0] * 9 + [1])
    objective = linear("classification", y, 3, balanced=True)
    scores = torch.zeros(10, 3, requires_grad=True)
    mean(objective, scores, y).backward()
    assert scores.grad is not None
    assert float(scores.grad[:9, 0].sum()) == pytest.approx(float(scores.grad[9, 1]), abs=1e-6)
    assert objective.balance is not None
    assert objective.balance.tolist() == pytest.approx([10 / 18, 10 / 2, 0])
    assert "balance" not in objective.state_dict(), "it is known from the targets, and in no checkpoint"


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_sums_and_weights_of_parts_add_up(balanced: bool, soft: bool) -> None:
    y = np.array([0, 1, 1, 1, 2, 0, 1, 1])
    objective = linear("classification", y, 3, balanced=balanced)
    scores = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    truth = objective.truth(y)
    if soft:
        truth = objective.mixed(truth, truth.flip(0), 0.3)
    summed, weight = objective.loss(scores, truth)
    first, second = objective.loss(scores[:3], truth[:3]), objective.loss(scores[3:], truth[3:])
    assert (first[1], second[1], weight) == (3, 5, 8)
    assert float(first[0] + second[0]) == pytest.approx(float(summed))


# --- Mixing -------------------------------------------------------------------------------------------


def test_soft_targets_sum_to_one_and_hard_ones_are_their_limit() -> None:
    y = np.array([0, 1, 2, 1])
    scores = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    for balanced in (False, True):
        objective = linear("classification", y, 3, balanced=balanced)
        truth = objective.truth(y)
        soft = objective.mixed(truth, truth.flip(0), 0.7)
        assert soft.sum(1).tolist() == pytest.approx([1.0] * 4)
        assert soft[0].tolist() == pytest.approx([0.7, 0.3, 0.0])
        same, _ = objective.loss(scores, objective.mixed(truth, truth, 0.4))
        assert float(same) == pytest.approx(float(objective.loss(scores, truth)[0]), rel=1e-5)


def test_inputs_answered_item_by_item_are_not_mixed() -> None:
    y = targets_of("tag", np.random.default_rng(0))
    with pytest.raises(SettingError, match=r"mixup is 0\.2.*each word cannot be mixed; set it to 0"):
        linear("tag", y, 3, mixup=0.2)
    linear("tag", y, 3)


# --- The unit of values -------------------------------------------------------------------------------


@pytest.mark.parametrize(("centre", "spread"), [(500, 20), (1.7e9, 40), (0, 1e-12), (-3, 1e12)])
def test_regression_is_in_units_of_the_variance(centre: float, spread: float) -> None:
    y = np.random.default_rng(0).normal(centre, spread, (200, 1))
    objective = linear("regression", y, 1)
    assert float(mean(objective, torch.zeros(200, 1), y)) == pytest.approx(1, rel=1e-5)
    assert objective.answers(np.zeros((1, 1), np.float32)) == pytest.approx(y.mean(), rel=1e-6, abs=1e-14)


def test_labels_are_judged_each() -> None:
    y = np.array([[0, 1], [1, 1]])
    assert float(mean(linear("multilabel", y, 2), torch.zeros(2, 2), y)) == pytest.approx(math.log(2))


# --- Which one a task has -----------------------------------------------------------------------------


def test_every_task_has_one(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(one.objective in OBJECTIVES for one in tasks().values())
    job = job_of(base_of("bert", tmp_path / "bert"), Phase(thaw=0))
    assert isinstance(objective_of(job), Linear)
    monkeypatch.setattr(Classification, "objective", "sorcery")
    with pytest.raises(SettingError, match=r"'classification' has the objective 'sorcery'; it may be linear\.") as one:
        objective_of(job)
    assert "\n" not in str(one.value)
    assert get("tag").objective == "linear"
