"""The accuracy estimated without labels: exact on the held-out rows, near under shifts, honest about its samples."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.estimate import estimate_accuracy, negative_entropy, thresholded

from .simulate import soft


def rows(rng: np.random.Generator, n: int, k: int = 5, strength: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(0, k, n)
    return y, soft(rng, y, k, strength)


def accuracy(y: np.ndarray, p: np.ndarray) -> float:
    return float((p.argmax(axis=1) == y).mean())


def test_it_is_exact_on_the_held_out_rows() -> None:
    y, p = rows(np.random.default_rng(0), 300)
    found = estimate_accuracy(p, y, p)
    assert found.value == pytest.approx(accuracy(y, p), abs=1e-12)
    assert found.plain == pytest.approx(accuracy(y, p))
    assert (found.n, found.held) == (300, 300)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("k", [2, 5, 40])
def test_it_is_right_where_there_are_more_hard_rows(k: int) -> None:
    rng = np.random.default_rng(k)

    def mixed(n: int, hard: float) -> tuple[np.ndarray, np.ndarray]:
        easy_y, easy_p = rows(rng, round(n * (1 - hard)), k, 12.0)
        hard_y, hard_p = rows(rng, round(n * hard), k, 0.0)
        return np.concatenate([easy_y, hard_y]), np.concatenate([easy_p, hard_p])

    held_y, held_p = mixed(3000, 0.1)
    for hard in (0.3, 0.7):
        y, p = mixed(3000, hard)
        found = estimate_accuracy(held_p, held_y, p)
        assert abs(found.plain - accuracy(y, p)) > 0.08
        assert found.value == pytest.approx(accuracy(y, p), abs=0.04)


def test_the_interval_holds_the_accuracy_where_nothing_has_changed() -> None:
    rng = np.random.default_rng(1)
    truth = accuracy(*rows(rng, 200_000))
    held = [rows(rng, 100) for _ in range(300)]
    found = [estimate_accuracy(p, y, rows(rng, 80)[1]) for y, p in held]
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert 0.93 <= covered <= 1.0
    assert np.mean([e.high - e.low for e in found]) < 0.35


@pytest.mark.parametrize("right", [0, 1])
def test_all_right_and_all_wrong_keep_an_interval(right: int) -> None:
    rng = np.random.default_rng(2)
    y, p = rows(rng, 60, 3)
    y = p.argmax(axis=1) if right else (p.argmax(axis=1) + 1) % 3
    found = estimate_accuracy(p, y, p)
    assert found.value == right
    assert found.high - found.low > 0.03


def test_a_model_that_always_says_the_same_is_expected_to_stay() -> None:
    y = np.repeat([0, 1], [70, 30])
    p = np.tile([0.7, 0.3], (100, 1))
    assert estimate_accuracy(p, y, p[:40]).value == pytest.approx(0.7)


def test_equal_values_count_in_part() -> None:
    held = np.array([3.0, 2.0, 2.0, 1.0])
    assert thresholded(held, 0.5, np.array([2.0, 2.0])) == pytest.approx(0.5)
    assert thresholded(held, 0.25, np.array([2.0, 3.0])) == pytest.approx(0.5)
    assert thresholded(held, 0.0, held) == 0
    assert thresholded(held, 1.0, held) == 1


def test_negative_entropy_goes_from_nothing_known_to_sure() -> None:
    assert negative_entropy(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx([-np.log(2), 0.0])


@pytest.mark.parametrize(
    ("held_p", "held_y", "p", "said"),
    [
        (np.ones((2, 3)) / 3, np.zeros(2, int), np.ones((2, 2)) / 2, "do not fit"),
        (np.ones((2, 2)) / 2, np.zeros((2, 2), int), np.ones((2, 2)) / 2, "do not fit"),
        (np.ones((2, 2)) / 2, np.zeros(2, int), np.ones((0, 2)), "from 2 held-out and 0 new rows"),
        (np.ones((2, 2)) / 2, np.zeros(2, int), np.full((1, 2), np.nan), "not finite"),
    ],
)
def test_what_cannot_be_estimated(held_p: np.ndarray, held_y: np.ndarray, p: np.ndarray, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        estimate_accuracy(held_p, held_y, p)
