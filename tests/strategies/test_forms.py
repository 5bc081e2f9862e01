"""How a training is made to fit into the time that is left; decisions are functions of predicted seconds."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.strategies.forms import LEAST_STEPS, Form, Prices, fitting, least_seconds, longest, nothing

#: 100 s of comparison, 125 s again on a quarter more rows, as much for the control, and 10 s that nothing shortens.
ONE = Prices(200, lambda s: 5 + 95 * s, lambda s: 5 + 120 * s, lambda s: 5 + 120 * s, 10.0)
#: Three folds: the comparison costs twice as much as training again.
FOLDS = Prices(200, lambda s: 9 + 300 * s, lambda s: 3 + 150 * s, lambda s: 3 + 150 * s, 10.0)


def form(prices: Prices, left: float | None, floor: float = 0.0) -> Form:
    found = fitting(prices, left, floor)
    assert found is not None
    return found


def test_all_is_whole_where_the_time_allows_it() -> None:
    for left in (None, 1e6, 100 + 125 + 125 + 10.001):
        assert form(ONE, left) == Form(1.0, True, True, 100.0, 260.0)


@pytest.mark.parametrize("prices", [ONE, FOLDS])
def test_time_that_is_short_is_used_whatever_is_given_up(prices: Prices) -> None:
    least, whole = least_seconds(prices), form(prices, None)
    for left in np.linspace(least + 1e-3, whole.compared + whole.rest, 200):
        found = form(prices, float(left))
        assert 0.85 * left <= found.compared + found.rest <= left
        assert found.share >= LEAST_STEPS / prices.steps


def test_what_follows_is_given_up_in_turn_as_time_gets_short() -> None:
    kept = [(found.again, found.control) for found in (form(ONE, left) for left in (360, 250, 160, 100, 40))]
    assert kept == [(True, True), (True, True), (True, False), (False, False), (False, False)]


def test_with_folds_training_again_is_kept_for_it_costs_little_beside_the_comparison() -> None:
    assert form(FOLDS, 200).again
    assert not form(ONE, 100).again


def test_nothing_is_tried_where_the_shortest_form_does_not_fit() -> None:
    least = least_seconds(ONE)
    assert fitting(ONE, least - 1e-6) is None
    assert form(ONE, least + 1e-6).share == pytest.approx(0.1, abs=1e-4)
    few = Prices(10, lambda s: 10 * s, lambda s: 10 * s, nothing, 0.0)  # a schedule of few steps is not cut at all
    assert fitting(few, 9.9) is None
    assert form(few, 10.1).share == 1.0


def test_what_the_best_so_far_needs_is_kept_for_it() -> None:
    found = form(ONE, 200.0, floor=150.0)
    assert found.rest >= 150
    assert found.compared + found.rest <= 200
    assert fitting(ONE, 160.0, floor=150.0) is None


def test_the_comparison_gets_what_is_spare_in_proportion() -> None:
    found = Form(0.5, True, False, 30.0, 60.0)
    assert found.allowed(90.0) == 30.0
    assert found.allowed(120.0) == 40.0
    assert found.allowed(-1.0) == 0.0


def test_the_longest_form_gives_up_what_follows_unless_all_of_it_fits() -> None:
    kept, alone = form(ONE, 160.0), longest(ONE, 160.0)
    assert kept.again
    assert alone == Form(1.0, False, False, 100.0, 10.0)
    assert alone.share > kept.share
    assert longest(ONE, 360.001) == form(ONE, 360.001)
    assert longest(ONE, least_seconds(ONE) - 1e-6) is None
    assert longest(ONE, 160.0, floor=100.0).share == pytest.approx((160 - 100 - 5) / 95, abs=1e-4)  # type: ignore[union-attr]
