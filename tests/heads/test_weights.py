"""Weights of rows in the solved heads: a weight of 2 is a row that is there twice, one of 0 a row that is not."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.heads import lda, ridge
from headstart.heads.linear import LinearHead
from headstart.heads.rotation import rotate
from headstart.heads.scoring import balance
from headstart.heads.selecting import refit_selected, solve_selected
from headstart.heads.solve import refit, solve

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(60, 8)).astype(np.float32)
Y = (X[:, 0] + 0.8 * RANDOM.normal(size=60) > 0.4).astype(np.int64)
COUNTS = RANDOM.integers(0, 4, 60)
SETTINGS = {
    "ridge": {"alpha": 0.3},
    "lda": {"shrinkage": 0.2},
    "logistic": {"C": 2.0},
}


def head(kind: str, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None, **more: float) -> LinearHead:
    chosen = LinearHead(
        np.zeros((8, 2), np.float32),
        np.zeros(2, np.float32),
        "classification",
        kind,
        {**SETTINGS[kind], **more, "balanced": False, "factor": 1.0},
    )
    return refit(chosen, x, y, "classification", weights=weights)


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_weight_is_how_often_a_row_is_there(kind):
    repeated, rows = np.repeat(np.arange(60), COUNTS), COUNTS > 0
    # Weights have the mean 1, so that logistic regression's penalty is set against as many rows as there are.
    more = {"C": 2.0 * 60 / COUNTS.sum()} if kind == "logistic" else {}
    weighted, twice = head(kind, X, Y, COUNTS.astype(float)), head(kind, X[repeated], Y[repeated], **more)
    np.testing.assert_allclose(weighted.scores(X), twice.scores(X), atol=6e-2 if kind == "logistic" else 1e-3)
    assert np.abs(weighted.scores(X) - head(kind, X, Y).scores(X)).max() > 0.05
    if kind != "logistic":
        assert not rows.all()
        without = head(kind, X[rows], Y[rows], COUNTS[rows].astype(float))
        np.testing.assert_allclose(weighted.scores(X), without.scores(X), atol=1e-3)


@pytest.mark.parametrize("weights", [COUNTS.astype(float), balance(Y), RANDOM.uniform(0.1, 3, 60)])
def test_ridge_left_out_scores_are_those_of_fits_without_the_rows(weights):
    rotation = rotate(X, weights)
    aim = ridge.aim(rotation, ridge.code(Y, "classification", 2))
    exact = np.empty((60, 2))
    for row in range(60):
        rest = np.arange(60) != row
        part = np.array([row])
        w = rotation.weights[rest]
        rows = np.column_stack([rotation.rows[rest], np.ones(59)]).astype(np.float64)
        penalty = np.diag([*np.full(rotation.rows.shape[1], 0.3 * 60 / rotation.dim), 0])
        beta = np.linalg.solve(rows.T @ (rows * w[:, None]) + penalty, rows.T @ (aim.targets[rest] * w[:, None]))
        exact[row] = np.append(rotation.rows[row], 1) @ beta
        np.testing.assert_allclose(ridge.leave_part_out(rotation, aim, 0.3, part)[0], exact[row], atol=1e-3)
    np.testing.assert_allclose(ridge.leave_one_out(rotation, aim, 0.3), exact, atol=1e-3)
    both = ridge.leave_part_out(rotation, aim, 0.3, np.arange(20))
    assert both.shape == (20, 2)
    assert np.isfinite(both).all()


@pytest.mark.parametrize("weights", [COUNTS.astype(float), RANDOM.uniform(0.1, 3, 60)])
def test_lda_left_out_scores_are_those_of_parts_of_one_row(weights):
    rotation = rotate(X, weights)
    found = lda.classes(rotation.rows, rotation.weights, Y, 2)
    one = lda.leave_one_out(rotation, Y, found, 0.2)
    parts = np.concatenate([lda.leave_part_out(rotation, Y, 2, 0.2, np.array([row])) for row in range(60)])
    # The one keeps the shrinkage's scale, the other has that of the rows left: what is compared is the margin.
    margins = one[:, 1] - one[:, 0], parts[:, 1] - parts[:, 0]
    np.testing.assert_allclose(*margins, atol=0.02 * np.ptp(margins[1]))


def test_weights_go_through_the_whole_choice_of_a_head():
    plain, weighted = solve(X, Y, "classification"), solve(X, Y, "classification", weights=COUNTS.astype(float))
    assert np.isfinite(weighted.scores).all()
    assert np.abs(plain.head.weight - weighted.head.weight).max() > 1e-3
    values = (X[:, :1] * 3 + 1).astype(np.float64)
    values[::2] += 5  # two lines; weights say which
    even = solve(X, values, "regression", weights=(np.arange(60) % 2 == 0).astype(float)).head
    both = solve(X, values, "regression").head
    assert np.abs(even.scores(X[::2]) - values[::2]).max() < 0.5
    assert np.abs(both.scores(X[::2]) - values[::2]).mean() > 2


def test_weights_choose_columns_too():
    noise = RANDOM.normal(size=(60, 8)).astype(np.float32)
    x, weights = np.hstack([noise, X]), np.where(np.arange(60) < 30, 1.0, 0.0)
    y = np.where(np.arange(60) < 30, Y, noise[:, 0] > 0).astype(np.int64)
    found = solve_selected(x, y, "classification", parts=[8, 8], weights=weights)
    again = refit_selected(found.head, x, y, "classification", weights=weights)
    np.testing.assert_allclose(found.head.weight, again.weight, atol=1e-5)
    assert (found.head.scores(x)[:30].argmax(1) == Y[:30]).mean() > 0.7


@pytest.mark.parametrize("weights", [np.ones(59), np.zeros(60), np.full(60, np.nan), -np.ones(60)])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(SettingError, match="give each row a number from 0 on"):
        solve(X, Y, "classification", weights=weights)
