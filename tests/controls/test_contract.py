"""What every control must do, for every task: valid probabilities of the right form, the same for the same seed."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from headstart.controls.control import Control, ControlState
from headstart.controls.features_linear import FeaturesLinear
from headstart.controls.majority import Majority
from headstart.controls.panel import restore
from headstart.controls.text_linear import TextLinear
from headstart.tasks import get

CONTROLS: list[type[Control]] = [Majority, TextLinear, FeaturesLinear]
TASKS = ("classification", "multilabel", "regression")
OUTPUTS = 3
KINDS = np.array(["bread", "train", "cloud"])
N = 90

Case = tuple[Control, Any, np.ndarray, str]


def inputs_for(kind: type[Control], classes: np.ndarray) -> Any:
    """Texts or features that tell the class, with noise."""
    rng = np.random.default_rng(1)
    if kind is FeaturesLinear:
        return (np.eye(OUTPUTS)[classes] @ rng.normal(size=(OUTPUTS, 12)) + 0.1).astype(np.float32) + rng.normal(
            0, 0.3, (len(classes), 12)
        ).astype(np.float32)
    return [f"the {KINDS[c]} no {rng.integers(50)}" for c in classes]


def targets_for(task: str, classes: np.ndarray) -> np.ndarray:
    if task == "classification":
        return classes
    if task == "multilabel":
        return np.stack([classes == 0, classes > 0, classes == 2], axis=1).astype(np.float32)
    return (1000 + 10 * classes[:, None]).astype(np.float64)


@pytest.fixture(params=CONTROLS, ids=lambda c: c.__name__)
def kind(request: pytest.FixtureRequest) -> type[Control]:
    return request.param


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return request.param


Fit = Callable[..., tuple[Control, Any, np.ndarray]]


@pytest.fixture
def fit(kind: type[Control], task: str) -> Fit:
    def run(classes: np.ndarray, seed: int = 0) -> tuple[Control, Any, np.ndarray]:
        control = kind(1 if task == "regression" else OUTPUTS)
        inputs, y = inputs_for(kind, classes), targets_for(task, classes)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            control.fit(inputs, y, task, seed)
        return control, inputs, y

    return run


def checked(control: Control, inputs: Any, task: str) -> np.ndarray:
    p = control.probabilities(inputs)
    assert p.shape == (len(inputs), 1 if task == "regression" else OUTPUTS)
    assert np.isfinite(p).all()
    if task != "regression":
        assert p.min() >= 0
        assert p.max() <= 1 + 1e-6
    if task == "classification":
        assert np.allclose(p.sum(axis=1), 1, atol=1e-5)
    return p


def test_form(fit: Fit, task: str) -> None:
    control, inputs, _ = fit(np.arange(N) % OUTPUTS)
    p = checked(control, inputs, task)
    assert np.allclose(checked(control, inputs[:1], task), p[:1], atol=1e-5)
    assert control.name


def test_same_seed_same_answer(fit: Fit) -> None:
    (one, inputs, _), (other, _, _) = fit(np.arange(N) % OUTPUTS, 3), fit(np.arange(N) % OUTPUTS, 3)
    assert np.array_equal(one.probabilities(inputs), other.probabilities(inputs))


def test_learns_what_can_be_learnt(fit: Fit, kind: type[Control], task: str) -> None:
    if kind is Majority:
        pytest.skip("the majority looks at no input")
    control, inputs, y = fit(np.arange(N) % OUTPUTS)
    p = control.probabilities(inputs)
    if task == "classification":
        assert (p.argmax(axis=1) == y).mean() > 0.95
    elif task == "multilabel":
        assert ((p > 0.5) == y).mean() > 0.95
    else:
        assert np.abs(p - y).mean() < 2


@pytest.mark.parametrize(("by", "factor"), [(1.7e9, 40.0), (-5.0, 1e5), (0.0, 1e-4), (0.0, 1e-30)])
def test_values_come_out_alike_in_every_unit(kind: type[Control], by: float, factor: float) -> None:
    classes = np.arange(N) % OUTPUTS
    inputs, y = inputs_for(kind, classes), targets_for("regression", classes) - 1000
    answers = []
    for moved in (y, by + factor * y):
        control = kind(1)
        control.fit(inputs, moved, "regression", 0)
        answers.append(control.probabilities(inputs))
        again = kind.from_state(1, control.state()).probabilities(inputs)
        assert np.array_equal(answers[-1], again)
    assert answers[1].dtype == np.float64
    assert (answers[1] - by) / factor == pytest.approx(answers[0], abs=1e-2)


def test_a_class_that_is_missing(fit: Fit, kind: type[Control], task: str) -> None:
    control, inputs, _ = fit(np.arange(N) % 2)  # class 2 and its label never occur
    p = checked(control, inputs, task)
    if task == "classification":
        assert p[:, 2].max() < 0.2


def test_few_rows(fit: Fit, task: str) -> None:
    control, inputs, _ = fit(np.arange(20) % OUTPUTS)
    checked(control, inputs, task)


def test_plain_data_bring_it_back_exactly(fit: Fit, kind: type[Control], task: str) -> None:
    control, inputs, _ = fit(np.arange(N) % 2)  # a class that is missing is kept as such
    state = control.state()
    values = json.loads(json.dumps(state.values))
    tensors = load(save({name: np.asarray(array, order="C") for name, array in state.tensors.items()}))
    again = kind.from_state(control.outputs, ControlState(tensors, values))
    new = inputs_for(kind, np.arange(40) % 3)
    if kind is TextLinear:
        new = [*new, "Unknown CLOUDS, ça va? 今日は", "!!!"]
    assert np.array_equal(again.probabilities(inputs), control.probabilities(inputs))
    assert np.array_equal(again.probabilities(new), control.probabilities(new))
    restored = restore(
        "pixels + linear" if kind is FeaturesLinear else control.name,
        "image" if kind is FeaturesLinear else "text",
        get(task),
        control.outputs,
        again.state(),
    )
    assert np.array_equal(restored.probabilities(new), control.probabilities(new))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", CONTROLS)
def test_rows_count_by_their_weights(kind, task):
    classes, outputs = np.arange(N) % OUTPUTS, 1 if task == "regression" else OUTPUTS
    inputs, y = inputs_for(kind, classes), targets_for(task, classes)
    right = np.arange(N) % 5 < 2
    wrong = np.where(right if y.ndim == 1 else right[:, None], y, np.roll(y, 1, axis=0))  # of three rows in five

    def error(weights: np.ndarray | None) -> float:
        control = kind(outputs)
        control.fit(inputs, wrong, task, 0, weights=weights)
        answers = control.probabilities(inputs)
        truth = np.eye(OUTPUTS)[y] if task == "classification" else y
        return float(((answers - truth) ** 2).mean())

    if kind is Majority:
        one = kind(outputs)
        one.fit(inputs, y, task, 0, weights=(classes == 0).astype(float))
        aim = np.eye(OUTPUTS)[0] if task == "classification" else y[classes == 0].mean(axis=0)
        np.testing.assert_allclose(one.probabilities(inputs)[0], aim)
    else:
        assert error(right * 2.5) < 0.9 * error(None)
