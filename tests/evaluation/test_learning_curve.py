"""Nested draws and the curve that they give."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import LabelError
from headstart.evaluation.learning_curve import FEWEST_SIZES, LEAST_RANGE, measure, plan


def test_draws_are_nested_and_hold_out_each_row_as_often() -> None:
    y = np.arange(2_000) % 10
    draws = plan(y, np.arange(2_000), 20)
    assert len(draws) == 5
    held = np.bincount(np.concatenate([draw.held for draw in draws]), minlength=2_000)
    assert (held == 1).all()
    for draw in draws:
        assert len(draw.train) >= FEWEST_SIZES
        assert len(draw.train[-1]) >= LEAST_RANGE * len(draw.train[0])
        for smaller, larger in zip(draw.train, draw.train[1:], strict=False):
            assert set(smaller) < set(larger)
        assert not set(draw.held) & set(draw.train[-1])


def test_every_size_is_balanced_over_the_strata() -> None:
    y = np.repeat([0, 1, 2], [100, 300, 600])
    for draw in plan(y, np.arange(1_000), 20):
        for rows in draw.train:
            share = np.bincount(y[rows], minlength=3) / len(rows)
            assert np.abs(share - [0.1, 0.3, 0.6]).max() < 0.1


def test_units_are_never_parted() -> None:
    units = np.arange(900) // 3
    for draw in plan(np.zeros(900, int), units, 20):
        for rows in (draw.held, *draw.train):
            assert (np.bincount(units[rows])[np.unique(units[rows])] == 3).all()


def test_the_seed_decides() -> None:
    y = np.arange(400) % 4
    one, same, other = (plan(y, np.arange(400), 16, seed=seed)[0].train[0] for seed in (1, 1, 2))
    assert (one == same).all()
    assert set(one) != set(other)


def test_too_few_units_are_refused() -> None:
    with pytest.raises(LabelError, match="400 rows, in 4 independent groups, leave 3 for training"):
        plan(np.arange(400) % 2, np.arange(400) % 4, 10)
    with pytest.raises(LabelError, match=r"^60 rows leave 48 for training"):
        plan(np.arange(60) % 20, np.arange(60), 20)


def test_a_curve_has_the_mean_and_spread_of_its_draws() -> None:
    y = np.arange(1_200) % 2
    curve = measure(plan(y, np.arange(1_200), 20), np.arange(1_200), lambda train, held: np.full(len(held), len(train)))
    assert np.allclose(curve.mean, curve.sizes)
    assert np.allclose(curve.sd, 0)
    assert curve.by_draw.shape == (5, len(curve.sizes))
