"""Which rows candidates are compared on."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import SplitError
from headstart.strategies.holding import FEW, FOLDS, Holding, hold


def held(train: int, valid: int, *, folds: bool = True, units: np.ndarray | None = None, classes: int = 3) -> Holding:
    n = train + valid
    y = np.arange(n) % classes
    return hold(
        train,
        valid,
        y,
        "classification",
        np.arange(n) if units is None else units,
        folds=FOLDS if folds else None,
        seed=0,
    )


def check(holding: Holding, rows: int) -> None:
    for train, out in holding.parts:
        assert len(train)
        assert not np.intersect1d(train, out).size
    assert np.array_equal(holding.rows, np.concatenate([out for _, out in holding.parts]))
    assert len(np.unique(holding.rows)) == len(holding.rows) == rows


def test_few_rows_are_held_out_in_turn() -> None:
    holding = held(80, 20)
    check(holding, 100)
    assert (len(holding.parts), holding.how) == (FOLDS, "3 folds")
    assert all(len(train) + len(out) == 100 for train, out in holding.parts)
    for _, out in holding.parts:
        assert np.ptp(np.bincount(out % 3)) <= 1  # classes are spread evenly


def test_many_rows_are_compared_on_the_validation_part() -> None:
    holding = held(800, FEW)
    check(holding, FEW)
    assert holding.how == "the validation set"
    assert np.array_equal(holding.parts[0][0], np.arange(800))
    assert np.array_equal(holding.rows, np.arange(800, 800 + FEW))
    assert len(held(800, FEW - 1).parts) == FOLDS


def test_the_users_validation_part_is_honoured() -> None:
    holding = held(80, 20, folds=False)
    check(holding, 20)
    assert np.array_equal(holding.rows, np.arange(80, 100))


@pytest.mark.parametrize("sizes", [(2, 2, 3), (1, 5, 9), (30, 1, 1)])
def test_units_are_never_parted(sizes: tuple[int, ...]) -> None:
    units = np.repeat(np.arange(40), np.resize(sizes, 40))
    units = np.random.default_rng(0).permutation(units)
    holding = held(len(units) - 10, 10, units=units)
    check(holding, len(units))
    for train, out in holding.parts:
        assert not np.intersect1d(units[train], units[out]).size


def test_two_units_cannot_be_dealt_into_folds() -> None:
    holding = held(30, 10, units=np.repeat([0, 1], [30, 10]))
    check(holding, 10)
    assert holding.how == "the validation set"


@pytest.mark.parametrize("folds", [True, False])
def test_too_few_rows(folds: bool) -> None:
    with pytest.raises(SplitError) as error:
        held(7, 3, folds=folds)
    assert str(error.value) == (
        "the validation set has 3 rows; comparing strategies takes at least 4. Add labelled rows, or raise "
        "--valid-size."
    )


def test_answers_come_in_the_order_of_the_held_out_rows() -> None:
    holding = held(50, 10)
    collected = holding.collect(lambda part, train, out: np.column_stack([out, np.full(len(out), part)]))
    assert np.array_equal(collected[:, 0], holding.rows)
    assert np.array_equal(np.unique(collected[:, 1]), np.arange(FOLDS))


def test_the_seed_deals_the_folds() -> None:
    def parts(seed: int) -> list[bytes]:
        dealt = hold(50, 10, np.arange(60) % 2, "classification", np.arange(60), folds=FOLDS, seed=seed).parts
        return [out.tobytes() for _, out in dealt]

    assert parts(0) == parts(0)
    assert parts(0) != parts(1)
