"""A curve carried on: it finds known curves again, and refuses what it cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.extrapolation import Extrapolation, Points, expected, extrapolate
from headstart.evaluation.extrapolation_words import Counting, goal_of, needed_sentence, said
from headstart.evaluation.learning_curve import Curve, measure, plan

ROWS = 4_000


def curve_with(score: Callable[[float], float], rows: int = ROWS, seed: int = 0) -> Curve:
    """A curve whose rows are right with probability ``score(rows learnt from)``; each row is as hard at every size."""
    hardness = np.random.default_rng(seed).random(rows)
    draws = plan(np.arange(rows) % 10, np.arange(rows), rows // 20, seed=seed)
    return measure(draws, np.arange(rows), lambda train, held: (hardness[held] < score(len(train))).astype(float))


def power(n: float) -> float:
    return 1 - 4 * n**-0.5


def mmf(n: float) -> float:
    return 1 - 0.9 / (1 + (n / 300) ** 0.8)


@pytest.mark.parametrize("score", [power, mmf])
def test_a_known_curve_is_found_again(score: Callable[[float], float]) -> None:
    ahead = extrapolate(curve_with(score), ROWS, 0.1)
    assert not ahead.refused
    assert abs(ahead.at(4).value - score(4 * ROWS)) < 0.015
    assert ahead.at(4).low <= score(4 * ROWS) <= ahead.at(4).high
    assert abs(ahead.at(1).value - score(ROWS)) < 0.015


@pytest.mark.parametrize("score", [power, mmf])
def test_fits_without_noise_are_near_exact_at_the_larger_sizes(score: Callable[[float], float]) -> None:
    sizes = np.geomspace(200, 3_200, 7)
    errors = 1 - np.array([[score(n) for n in sizes]])
    assert np.abs(expected(Points(sizes, errors, 0.005, 0.9), sizes) - errors)[0, 2:].max() < 0.01


def test_scores_do_not_fall_and_intervals_widen() -> None:
    ahead = extrapolate(curve_with(power), ROWS, 0.1)
    assert (np.diff(ahead.value) >= 0).all()
    assert (ahead.low <= ahead.value).all()
    assert (ahead.value <= ahead.high).all()
    assert ahead.high[-1] - ahead.value[-1] > ahead.high[0] - ahead.value[0]
    assert ahead.high.max() <= 1


def test_rows_for_a_goal_are_those_where_the_curve_reaches_it() -> None:
    ahead = extrapolate(curve_with(power), ROWS, 0.1)
    needed = ahead.needed(0.95)
    assert needed.low <= needed.rows
    assert not needed.high < needed.rows
    assert abs(ahead.at(needed.rows / ROWS).value - 0.95) < 1e-6
    assert needed.rows == pytest.approx(6_400, rel=0.35)  # 4 / √n = 0.05
    assert math.isnan(ahead.needed(0.999).rows)
    assert ahead.needed(0.5).rows == ROWS


def test_it_is_never_carried_further_than_four_times() -> None:
    ahead = extrapolate(curve_with(power), ROWS, 0.1)
    for times in (0.5, 4.1):
        with pytest.raises(SettingError, match="from 1 to 4 times"):
            ahead.at(times)


def refusal(score: Callable[[float], float], rows: int = ROWS) -> str:
    return extrapolate(curve_with(score, rows), rows, 0.1).refused


def test_a_flat_curve_is_refused() -> None:
    assert "does not surely rise" in refusal(lambda n: 0.8)
    assert "does not surely rise" in refusal(lambda n: 0.9 - n / 20_000)


def test_a_curve_of_few_noisy_rows_is_refused() -> None:
    assert "differ too much" in refusal(lambda n: 1 - 3 * n**-0.5, rows=80)


def test_a_curve_with_a_jump_is_refused() -> None:
    assert refusal(lambda n: 0.4 if n < 1_500 else 0.9)


def test_a_refused_curve_answers_nothing() -> None:
    ahead = extrapolate(curve_with(lambda n: 0.8), ROWS, 0.1)
    assert math.isnan(ahead.needed(0.9).rows)
    with pytest.raises(SettingError, match="not predicted"):
        ahead.at(2)


def line(low: float, value: float, high: float) -> Extrapolation:
    """From 0.9 at 1,000 rows straight to these at 4,000."""
    rows = np.linspace(1_000.0, 4_000.0, 31)
    parts = [np.linspace(0.9, end, 31) for end in (value, low, high)]
    return Extrapolation(rows, *parts, "")


def test_what_is_needed_is_said_per_class_with_its_interval() -> None:
    ahead = line(0.94, 0.96, 0.98)
    told = needed_sentence("accuracy", ahead.needed(0.93), ahead, Counting(10, 1.25)).replace("\u00a0", " ")
    assert told == "For 93 % you need about 190 more a class (90 % interval 140 to 280)."
    told = needed_sentence("accuracy", ahead.needed(0.95), ahead, Counting(10, 1.0)).replace("\u00a0", " ")
    assert told == "For 95 % you need about 250 more a class (90 % interval 190 to over 300)."


def test_what_is_out_of_reach_is_said_so() -> None:
    ahead = line(0.91, 0.92, 0.93)
    told = needed_sentence("accuracy", ahead.needed(0.95), ahead, Counting(10, 1.0)).replace("\u00a0", " ")
    assert told == "95 % is not reachable within four times the data."
    assert "reached already" in needed_sentence("accuracy", ahead.needed(0.85), ahead, Counting(1, 1.0))


def test_goals_named_unasked_are_round_and_within_reach() -> None:
    assert goal_of(None, line(0.94, 0.96, 0.98)) == 0.95
    assert goal_of(None, line(0.91, 0.92, 0.93)) is None
    assert goal_of(0.99, line(0.91, 0.92, 0.93)) == 0.99


def test_shares_are_said_in_per_cent_and_r2_is_not() -> None:
    assert said("accuracy", 0.931).replace("\u00a0", " ") == "93 %"
    assert said("accuracy", 0.973).replace("\u00a0", " ") == "97.3 %"
    assert said("r2", 0.931) == "0.931"
