"""The race on made-up answers."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.choices import races_decided

from headstart.ranking.halving import Round, levels, race, sizes, survivors

Y = np.arange(400) % 4


def answers(accuracies: dict[str, float], seen: list[tuple[str, int]], every: int = 1):
    """A base has so many of the rows right, which ones is drawn for each base; for equal shares the same."""
    lucky = {base: np.random.default_rng(int(1000 * share)).random(len(Y)) for base, share in accuracies.items()}

    def held(base: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append((base, len(rows)))
        judged = rows[rows % every == 0]
        right = lucky[base][judged] < accuracies[base]
        said = np.where(right, Y[judged], (Y[judged] + 1) % 4)
        return np.eye(4)[said] * 0.97 + 0.01, judged

    return held


def run(accuracies: dict[str, float], seen: list[tuple[str, int]] | None = None, every: int = 1) -> list[Round]:
    order = np.random.default_rng(0).permutation(len(Y))
    held = answers(accuracies, [] if seen is None else seen, every)
    return race(list(accuracies), held, Y, order, "accuracy", seed=0)


def test_the_hopeless_is_dropped_early_and_costs_no_more() -> None:
    seen: list[tuple[str, int]] = []
    rounds = run({"a": 0.9, "b": 0.85, "c": 0.3}, seen)
    assert [behind.base for behind in rounds[0].behind if behind.dropped] == ["c"]
    assert ("c", 200) not in seen
    assert ("a", 200) in seen
    assert rounds[0].leader == "a"


def test_it_ends_when_one_is_left() -> None:
    seen: list[tuple[str, int]] = []
    rounds = run({"a": 0.95, "b": 0.4}, seen)
    assert len(rounds) == 1
    assert survivors(rounds) == ["a"]
    assert max(count for _, count in seen) == 100


def test_equal_ones_stay_and_the_first_leads() -> None:
    rounds = run({"cheap": 0.8, "dear": 0.8})
    assert [one.rows for one in rounds] == [100, 200, 400]
    assert survivors(rounds) == ["cheap", "dear"]
    assert rounds[-1].behind[0].gain == 0


def test_a_small_difference_needs_more_rows() -> None:
    rounds = run({"a": 0.90, "b": 0.84})
    assert not rounds[0].behind[0].dropped
    assert rounds[-1].behind[0].dropped
    assert rounds[-1].leader == "a"
    assert rounds[-1].scores["a"] == pytest.approx(90, abs=3)


def test_bases_are_compared_on_the_rows_that_all_have_held_out() -> None:
    rounds = run({"a": 0.9, "b": 0.9}, every=2)
    assert rounds[-1].judged == 200
    assert rounds[-1].rows == 400


def test_rounds_on_too_few_rows_are_left_out() -> None:
    assert sizes(30) == [30]
    assert sizes(100) == [50, 100]
    assert sizes(2000) == [500, 1000, 2000]


def test_one_base_is_no_race() -> None:
    assert run({"a": 0.9}) == []


def test_values_are_raced_by_r2() -> None:
    y = np.random.default_rng(0).normal(size=(200, 1))

    def held(base: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return y[rows] * (1.0 if base == "good" else 0.2), rows

    rounds = race(["bad", "good"], held, y, np.arange(200), "r2", seed=0)
    assert survivors(rounds) == ["good"]
    assert rounds[0].scores["good"] == pytest.approx(100)


def test_rounds_share_the_chance_of_being_wrong() -> None:
    for rounds in (1, 2, 3):
        given = levels(rounds)
        assert len(given) == rounds
        assert sum(1 - level for level in given) == pytest.approx(0.05)
        assert given == sorted(given, reverse=True)  # most is left for the most rows


@pytest.mark.parametrize("bases", [2, 3])
def test_equal_bases_are_seldom_told_apart_and_unequal_ones_mostly_are(bases: int) -> None:
    before, now, apart = races_decided(200, bases, 250)
    assert now <= apart <= 0.09  # nominal 5 %, standard error 1.4 points
    assert before > now
    assert races_decided(200, bases, 60, ahead=0.7)[1] >= 0.75


def test_rows_of_one_group_count_once() -> None:
    """Ten copies of each of 40 rows would make a difference of four rows look like one of forty."""
    groups = np.arange(400) // 10
    y = groups % 2

    def held(base: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wrong = groups[rows] < (4 if base == "b" else 0)
        return np.eye(2)[np.where(wrong, 1 - y[rows], y[rows])], rows

    order = np.random.default_rng(0).permutation(400)
    apart = [
        len(survivors(race(["a", "b"], held, y, order, "accuracy", units=units, seed=0))) == 1
        for units in (None, groups)
    ]
    assert apart == [True, False]
