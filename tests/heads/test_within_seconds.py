"""Heads and controls within a time: what is tried less, and that it is said."""

from __future__ import annotations

import numpy as np

from headstart.controls.text_linear import TextLinear, fits, fitting_rounds
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


def test_rounds_that_fit() -> None:
    assert fitting_rounds(10, one=1.0, seconds=10 * fits(100), rows=100) == (10, True)
    assert fitting_rounds(10, one=1.0, seconds=10.0, rows=100) == (10, False)
    assert fitting_rounds(10, one=1.0, seconds=4.5, rows=100) == (4, False)
    assert fitting_rounds(10, one=1.0, seconds=-3.0, rows=100) == (1, False)


def test_a_control_cut_short_says_what_it_left_out() -> None:
    texts = [f"{word} again" for word in ("red", "green") * 40]
    control = TextLinear(2)
    control.fit(texts, np.arange(80) % 2, "classification", 0, seconds=0.0)
    assert control.left_out == "the strength of its penalty was not chosen, and 1 of 100 rounds were made"
    control = TextLinear(2)
    control.fit(texts, np.arange(80) % 2, "classification", 0)
    assert control.left_out == ""
