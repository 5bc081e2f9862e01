"""The chance of taking a rung for nothing, shared out over the rungs."""

from __future__ import annotations

import pytest
from benchmarks.choices import rungs_taken

from headstart.strategies.spending import Spending


def test_shares_are_equal_and_those_of_rungs_taken_are_passed_on() -> None:
    spending = Spending(0.1, 2)
    assert spending.level == pytest.approx(0.95)
    spending.spent(freely=True)
    assert spending.level == pytest.approx(0.9)
    spending = Spending(0.09, 3)
    spending.spent(freely=False)
    assert spending.level == pytest.approx(0.97)
    spending.spent(freely=True)
    assert spending.level == pytest.approx(0.94)


def test_a_single_rung_has_all_of_it() -> None:
    assert Spending(0.1, 1).level == pytest.approx(0.9)
    assert Spending(0.1, 0).level == pytest.approx(0.9)


@pytest.mark.parametrize("freely", [False, True])
def test_further_tries_share_half_a_rung_and_what_was_passed_on_however_many_there_are(freely: bool) -> None:
    spending, spent = Spending(0.1, 2, further=True), 0.0
    for passed in (False, freely):
        spent += 0.0 if passed else 1 - spending.level
        spending.spent(freely=passed)
    tries = [1 - spending.once_more() for _ in range(9)]
    assert tries == sorted(tries, reverse=True)
    assert tries[0] == pytest.approx(0.75 * (0.02 + (0.04 if freely else 0.0)))
    assert 0.099 < spent + sum(tries) <= 0.1


def test_without_a_share_of_theirs_further_tries_have_what_was_passed_on_alone() -> None:
    spending = Spending(0.1, 2)
    spending.spent(freely=False)
    assert spending.once_more() == 1.0


@pytest.mark.parametrize("parts", [1, 3])
def test_a_ladder_without_a_gain_is_seldom_climbed(parts: int) -> None:
    assert rungs_taken(400, parts, (6, 0.7), 200) <= 0.16  # nominal 10 %; before: a third to three quarters


def test_gains_are_climbed() -> None:
    assert rungs_taken(400, 1, (6, 0.7), 60, gain=0.4) >= 0.85
