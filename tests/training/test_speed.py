"""What a recipe is said to take, from a speed that is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.settings import TrainingSettings
from headstart.strategies.names import STRATEGIES
from headstart.strategies.training import told
from headstart.training.options import TrainOptions
from headstart.training.recipe import Recipe
from headstart.training.speed import Speed

SPEED = Speed(
    forward=0.01,
    step=0.03,
    below=(0.0, 0.25, 0.5, 0.75),
    weights=1_000,
    memory=0,
    norm=0.7,
    adapter=0.8,
    held=(100, 200, 300, 400),
    decode=0.001,
    augment=0.002,
    loading=0.0,
    states=(0, 4_000, 2_000, 1_000),
    saved=50_000,
)
OPTIONS = TrainOptions(metric="accuracy", batch=20)


def recipe(strategy: str) -> Recipe:
    return told(STRATEGIES[strategy], TrainingSettings())


def seconds(strategy: str, speed: Speed = SPEED, train: int = 1_000, held: int = 0) -> float:
    return speed.seconds(recipe(strategy), train, held, OPTIONS)


def test_full_training_is_every_step_and_every_reading() -> None:
    steps = 3 * 1_000 / 20
    assert seconds("full") == pytest.approx(steps * 20 * (0.03 + 0.001))


def test_looks_come_on_top() -> None:
    more = seconds("full", held=100) - seconds("full")
    assert more == pytest.approx(7 * 100 * (0.01 + 0.001) + 256 * (0.01 + 0.001))


def test_what_lies_below_is_paid_once() -> None:
    plain = seconds("partial")
    assert plain < 5 * 1_000 * 0.03 / 2
    once = 1_000 * 0.01 * 0.75
    assert plain > once


def test_states_cost_disk_and_time() -> None:
    assert SPEED.kept(recipe("partial"), 1_000, OPTIONS) == 1_000 * 1_000
    large = replace(SPEED, states=(0, 4_000_000, 2_000_000, 1_000_000))
    assert seconds("partial", large) > seconds("partial")
    assert SPEED.kept(recipe("full"), 1_000, OPTIONS) == 0
    assert SPEED.kept(recipe("lora"), 1_000, OPTIONS) == 0


def test_few_moving_weights_cost_less_than_all() -> None:
    assert seconds("norm") < seconds("full")


def test_a_sweep_of_rates_is_counted() -> None:
    swept, alone = recipe("lora"), replace(recipe("lora"), rates=(1.0,))
    ratio = SPEED.seconds(swept, 1_000, 0, OPTIONS) / SPEED.seconds(alone, 1_000, 0, OPTIONS)
    assert ratio == pytest.approx(1 + 3 * 0.25, rel=0.01)


def test_the_optimiser_costs_by_the_weights_that_move() -> None:
    slow = replace(SPEED, update=1e-3)
    assert seconds("full", slow) - seconds("full") == pytest.approx(150 * 1_000 * 1e-3)
    assert seconds("norm", slow) == pytest.approx(seconds("norm"))


def test_a_wider_phase_keeps_more_for_the_way_back() -> None:
    assert SPEED.share_saved(recipe("full")) == 1.0
    assert SPEED.share_saved(recipe("partial")) == pytest.approx(0.25)


def test_few_rows_make_many_looks_and_training_stops_before_its_end() -> None:
    (made,), (kept,) = SPEED.usual(recipe("full"), 40, OPTIONS)
    assert kept < made < 1
    assert SPEED.seconds(recipe("full"), 40, 10, OPTIONS, (made,)) < SPEED.seconds(recipe("full"), 40, 10, OPTIONS)
    assert SPEED.usual(recipe("full"), 4_000, OPTIONS) == ((1.0,), (1.0,))


def test_training_in_vain_stops_when_patience_is_out() -> None:
    (vain,) = SPEED.vain(recipe("full"), 40, OPTIONS)
    assert vain == pytest.approx(OPTIONS.patience * 4 / 80)
