"""Every two of several models told apart, at levels that allow for their number."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.proportions import normal_quantile
from headstart.evaluation.significance import most_equal, tell_apart


def test_how_many_pairs_can_be_equal() -> None:
    """Shaffer (1986), table 2: of four models 6, 3, 2 or 1 pairs; of five 10, 6, 4, 3, 2 or 1."""
    assert [most_equal(3, pairs) for pairs in (3, 2, 1)] == [3, 1, 1]
    assert [most_equal(4, pairs) for pairs in (6, 5, 4, 3, 2, 1)] == [6, 3, 3, 3, 2, 1]
    assert [most_equal(5, pairs) for pairs in (10, 9, 7, 6, 5, 4, 3)] == [10, 6, 6, 6, 4, 4, 3]
    assert most_equal(2, 1) == 1


def told(means: list[float]) -> dict[tuple[int, int], Interval]:
    def judged(a: int, b: int, level: float) -> Interval:
        gain, half = means[a] - means[b], normal_quantile(level) * 2**0.5
        return Interval(gain, gain - half, gain + half, level, 100)

    return tell_apart(len(means), judged, 0.95)


def test_the_clearest_pair_comes_first_and_the_others_gain_by_it() -> None:
    gains = told([3.6, 0.6, 0.0])
    assert gains[0, 2].level == pytest.approx(1 - 0.05 / 3)
    assert gains[0, 1].level == gains[1, 2].level == pytest.approx(0.95)
    assert gains[0, 1].low > 0  # it would not be at the level of the first
    assert gains[1, 2].low < 0


def test_none_told_apart_leaves_all_at_the_strictest_level() -> None:
    levels = [gain.level for gain in told([1.0, 0.5, 0.0]).values()]
    assert levels == pytest.approx([1 - 0.05 / 3] * 3)


def test_undefined_gains_are_untold() -> None:
    gains = tell_apart(3, lambda a, b, level: Interval(float("nan"), float("nan"), float("nan"), level, 9), 0.95)
    assert len(gains) == 3


@pytest.mark.parametrize("models", [3, 4])
def test_equal_models_are_told_apart_as_seldom_as_is_said(models: int) -> None:
    rng = np.random.default_rng(models)
    wrong = sum(any(not g.low <= 0 <= g.high for g in told(list(rng.normal(size=models))).values()) for _ in range(500))
    assert wrong / 500 <= 0.08
