"""A regression's unit and zero are taken out before anything is solved, and put back into what is answered."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.scoring import row_scores
from headstart.heads.selecting import refit_selected, solve_selected
from headstart.heads.solve import refit, solve
from headstart.heads.target_scale import TargetScale

#: (constant added, factor): a Unix time, money in cents of a state's budget, metres to a cell's membrane.
UNITS = [(10.0, 1.0), (1.7e9, 1.0), (-1e12, 1.0), (0.0, 1e5), (0.0, 1e-4), (0.0, 1e-30), (5.0, 1e30), (-1e6, 1e-3)]
PARTS = (6, 4)


def rows(outputs: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(2, 1, (80, 10)).astype(np.float32)
    return x, x[:, :outputs].astype(np.float64) * 3 + x[:, -1:] - rng.normal(0, 1, (80, outputs))


def moved(y: np.ndarray, by: float, factor: float) -> np.ndarray:
    return y * factor + by


def back(values: np.ndarray, by: float, factor: float) -> np.ndarray:
    return (values.astype(np.float64) - by) / factor


def near(by: float, factor: float) -> float:
    """What float64 leaves of values so far from 0, and float32 of values of 1."""
    return 1e-4 + 4 * abs(by) / factor * np.finfo(np.float64).eps


@pytest.mark.parametrize(("by", "factor"), UNITS)
def test_values_come_back_as_they_were(by: float, factor: float) -> None:
    y = moved(rows(2)[1], by, factor)
    unit = TargetScale.of(y, "regression")
    standard = unit.standardised(y)
    assert standard.mean(axis=0) == pytest.approx([0, 0], abs=1e-3)
    assert standard.std(axis=0) == pytest.approx([1, 1], rel=1e-8)
    assert back(unit.values(standard), by, factor) == pytest.approx(back(y, by, factor), abs=near(by, factor))


def test_what_does_not_vary_is_only_centred() -> None:
    y = np.column_stack([np.full(7, 0.1), np.arange(7.0)])
    unit = TargetScale.of(y, "regression")
    assert (unit.centre[0], unit.scale[0]) == (0.1, 1.0)
    assert (unit.standardised(y)[:, 0] == 0).all()


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_classes_and_labels_are_left_alone(task: str) -> None:
    y = np.array([[0, 1], [1, 1]], np.float32)
    unit = TargetScale.of(y, task)
    assert unit.standardised(y) is y
    assert unit.values(y) is y


@pytest.mark.parametrize(("by", "factor"), UNITS)
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("how", ["solve", "refit", "solve_selected", "refit_selected"])
def test_a_solved_head_knows_neither_unit_nor_zero(how: str, outputs: int, by: float, factor: float) -> None:
    x, y = rows(outputs)

    def answers(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict]:
        selected = how.endswith("selected")
        found = solve_selected(x, y, "regression", parts=PARTS) if selected else solve(x, y, "regression")
        again = refit_selected if selected else refit
        head = again(found.head, x[::2], y[::2], "regression") if how.startswith("refit") else found.head
        return head.scores(x), found.scores, head.settings

    (plain, held, settings), (given, moved_held, other) = answers(y), answers(moved(y, by, factor))
    assert given.dtype == np.float64
    assert other == settings
    assert back(given, by, factor) == pytest.approx(plain, abs=near(by, factor))
    assert back(moved_held, by, factor) == pytest.approx(held, abs=near(by, factor), nan_ok=True)


def test_each_of_several_targets_has_a_unit_of_its_own() -> None:
    x, y = rows(2)
    by, factor = np.array([1.7e9, -5.0]), np.array([1e3, 1e-6])
    plain, given = solve(x, y, "regression"), solve(x, y * factor + by, "regression")
    assert given.head.settings == plain.head.settings
    assert (given.head.scores(x) - by) / factor == pytest.approx(plain.head.scores(x), abs=1e-4)


def test_a_metric_of_the_callers_own_is_asked_about_values_in_the_targets_unit() -> None:
    x, y = rows()
    seen: list[np.ndarray] = []

    def metric(values: np.ndarray, truth: np.ndarray) -> float:
        seen.append(truth)
        return -float(np.abs(values - truth).mean())

    found = solve(x, moved(y, 1e6, 100), "regression", metric=metric)
    assert all(abs(truth.mean() - 1e6) < 1e4 for truth in seen)
    assert 0 < -found.tried[0].valid_score < 300
    assert row_scores(found.scores, moved(y, 1e6, 100), "regression", "r2").mean() > 0.8
