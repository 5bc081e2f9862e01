from __future__ import annotations

import numpy as np

from headstart.controls.majority import Majority


def answer(y: np.ndarray, task: str, outputs: int) -> np.ndarray:
    control = Majority(outputs)
    control.fit(["x"] * len(y), y, task, 0)
    return control.probabilities(["new", "newer"])


def test_class_frequencies_with_a_class_unseen() -> None:
    assert answer(np.array([0, 0, 1, 0]), "classification", 3).tolist() == [[0.75, 0.25, 0.0]] * 2


def test_label_frequencies() -> None:
    labels = np.array([[1, 0], [1, 1]], np.float32)
    assert answer(labels, "multilabel", 2).tolist() == [[1.0, 0.5]] * 2


def test_mean_of_the_values() -> None:
    assert answer(np.array([[1.0], [2.0], [6.0]]), "regression", 1).tolist() == [[3.0]] * 2
