"""Heads and controls within a time: what is tried less, and that it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.controls import text_linear
from headstart.controls.features_linear import FeaturesLinear
from headstart.controls.text_linear import TextLinear
from headstart.heads.solve import solve


def test_ridge_is_always_solved_and_the_others_while_there_is_time() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = (rng.normal(size=(60, 8)) + 2 * np.eye(8)[y]).astype(np.float32)
    short, whole = solve(x, y, "classification", seconds=0.0), solve(x, y, "classification")
    assert {one.kind for one in short.tried} == {"ridge"}
    assert short.left_out == ("lda", "logistic")
    assert {one.kind for one in whole.tried} == {"ridge", "lda", "logistic"}
    assert whole.left_out == ()


class Clock:
    """Time that passes by the second given with each round, and not otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, one: float) -> None:
        self.now, fitted, again = 0.0, text_linear._fitted, text_linear._another_round

        def fit(*given: Any) -> Any:
            self.now += one
            return fitted(*given)

        def more(*given: Any) -> None:
            self.now += one
            again(*given)

        monkeypatch.setattr(text_linear, "_fitted", fit)
        monkeypatch.setattr(text_linear, "_another_round", more)
        monkeypatch.setattr(text_linear.time, "perf_counter", lambda: self.now)


@pytest.mark.parametrize("task", ["classification", "multilabel"])
@pytest.mark.parametrize(("seconds", "said"), [(0.0, "1 of 100 rounds"), (4.5, "4 of 100 rounds"), (100.5, "")])
def test_a_control_makes_the_rounds_that_fit_and_says_so(
    monkeypatch: pytest.MonkeyPatch, task: str, seconds: float, said: str
) -> None:
    clock = Clock(monkeypatch, 1.0)
    texts = [f"{word} again" for word in ("red", "green") * 40]
    y = np.arange(80) % 2
    control = TextLinear(2)
    control.fit(texts, y if task == "classification" else np.eye(2, dtype=np.int64)[y], task, 0, seconds=seconds)
    rounds = f"for {said} and " if said else ""
    assert control.left_out == f"was fitted {rounds}without choosing its penalty"
    assert clock.now <= max(1.0, seconds)
    assert (control.probabilities(["red now", "green now"]).argmax(1) == [0, 1]).all()


def test_a_control_with_enough_time_is_the_one_without_a_limit() -> None:
    texts, y = [f"{word} again" for word in ("red", "green") * 40], np.arange(80) % 2
    whole, timed = TextLinear(2), TextLinear(2)
    whole.fit(texts, y, "classification", 0)
    timed.fit(texts, y, "classification", 0, seconds=1e6)
    assert whole.left_out == timed.left_out == ""
    assert (whole.probabilities(texts) == timed.probabilities(texts)).all()


def test_a_control_of_pictures_says_which_heads_were_not_tried() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    control = FeaturesLinear(3)
    control.fit(rng.normal(size=(60, 8)) + 2 * np.eye(8)[y], y, "classification", 0, seconds=0.0)
    assert control.left_out == "was fitted without trying lda and logistic to the end"
