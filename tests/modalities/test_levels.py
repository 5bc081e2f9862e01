from __future__ import annotations

import numpy as np
import pytest

from headstart.modalities.image.levels import levels_of
from headstart.modalities.image.pixels import levelled
from tests.modalities.arrays import bands


def test_twelve_bits_in_sixteen_use_the_whole_range() -> None:
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    ((low, high),) = levels_of([values], 1)
    assert low == pytest.approx(20, abs=2)
    assert high == pytest.approx(4075, abs=2)
    eight = levelled(values, ((low, high),))
    assert eight.min() == 0
    assert eight.max() == 255
    assert abs(float(np.median(eight)) - 128) <= 1


def test_a_darker_picture_stays_darker() -> None:
    bright, dark = bands(1, top=4000), bands(1, top=1000)
    levels = levels_of([bright, dark], 1)
    assert levelled(dark, levels).mean() < 0.4 * levelled(bright, levels).mean()


def test_each_band_has_its_own_levels_and_colours_share_one_pair() -> None:
    values = bands(5) * np.array([1, 2, 3, 4, 5], np.uint16)
    assert [round(high / levels_of([values], 5)[0][1]) for _, high in levels_of([values], 5)] == [1, 2, 3, 4, 5]
    assert len(levels_of([values[..., :3]], 3)) == 1


@pytest.mark.parametrize(("values", "expected"), [([0.1, 0.9], (0, 1)), ([0.5, 200.0], (0, 255))])
def test_fractions_in_a_usual_range_keep_it(values: list[float], expected: tuple[float, float]) -> None:
    assert levels_of([np.array([values])], 3) == (expected,)


def test_gaps_and_hot_pixels_do_not_count() -> None:
    values = np.linspace(270.0, 300.0, 4000).reshape(40, 100)
    values[0, :4] = [np.nan, np.inf, -np.inf, 1e9]
    ((low, high),) = levels_of([values], 1)
    assert 269 < low < high < 301
    eight = levelled(values, ((low, high),))
    assert list(eight[0, :4]) == [0, 255, 0, 255]


def test_one_value_everywhere_is_no_division_by_nothing() -> None:
    assert levels_of([np.full((9, 9), 7)], 1) == ((7.0, 8.0),)
    assert levels_of([np.full((9, 9), np.nan)], 1) == ((0.0, 1.0),)
