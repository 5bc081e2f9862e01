"""A head on chosen columns of all stages: what it finds, what it leaves out, and that no score tells of itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.heads.columns import LAST, SHARES, rank
from headstart.heads.ridge import code
from headstart.heads.selecting import refit_selected, solve_selected
from headstart.heads.solve import solve

PARTS = (40, 200, 80)


def planted(n=240, k=4, seed=0, signal=8):
    """Classes told by the first ``signal`` columns of the first stage; the rest is noise of very different scales."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    x = rng.normal(size=(n, sum(PARTS)))
    x[:, :signal] += 1.5 * np.random.default_rng(99).normal(size=(k, signal))[y]
    scales = np.repeat([0.01, 1.0, 50.0], PARTS)
    return (x * scales + 3 * scales).astype(np.float32), y


def test_what_stands_in_an_early_stage_only_is_found():
    (x, y), (fresh, truth) = planted(), planted(seed=5)
    solved = solve_selected(x, y, "classification", parts=PARTS)
    pooled = solve(x[:, -PARTS[-1] :], y, "classification")
    right = (solved.head.scores(fresh).argmax(1) == truth).mean()
    assert right > 0.85
    assert (pooled.head.scores(fresh[:, -PARTS[-1] :]).argmax(1) == truth).mean() < 0.4
    assert (solved.scores.argmax(1) == y).mean() == pytest.approx(right, abs=0.08)


def test_noise_is_left_out_and_the_settings_say_what_was_kept():
    x, y = planted()
    head = solve_selected(x, y, "classification", parts=PARTS).head
    used = np.flatnonzero(np.abs(head.weight).sum(1))
    assert head.settings["columns"] == "1/16"
    assert len(used) == round(sum(PARTS) / 16)
    assert set(range(8)) <= set(used)
    assert head.settings["stages"] == list(PARTS)
    edges = np.cumsum((0, *PARTS))
    assert head.settings["kept"] == np.histogram(used, edges)[0].tolist()
    assert head.weight.shape == (sum(PARTS), 4)


def test_where_the_last_stage_tells_all_it_is_taken_alone_or_no_worse():
    x, y = planted()
    moved = np.roll(x, PARTS[-1], axis=1)  # signal and its scales now open the last stage
    moved = np.concatenate([moved[:, PARTS[-1] :], moved[:, : PARTS[-1]]], axis=1)
    tried = solve_selected(moved, y, "classification", parts=PARTS).tried
    assert {t.settings["columns"] for t in tried} == {*SHARES, LAST}
    alone = [t.valid_score for t in tried if t.settings["columns"] == LAST]
    plain = solve(moved[:, -PARTS[-1] :], y, "classification").tried
    assert max(alone) == pytest.approx(max(t.valid_score for t in plain), abs=0.03)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_labels_at_random_give_chance_scores(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(150, 3000)).astype(np.float32), rng.permutation(np.arange(150) % 3)
    solved = solve_selected(x, y, "classification", parts=(1000, 1500, 500), seed=seed)
    assert (solved.scores.argmax(1) == y).mean() < 1 / 3 + 0.13  # the best of some 30 candidates, 3 standard errors
    assert max(t.valid_score for t in solved.tried) < 1 / 3 + 0.13
    columns = rank(x, code(y, "classification", 3), np.ones(150), (1000, 1500, 500)).columns("1/16")
    leaked = solve(x[:, columns], y, "classification").scores.argmax(1)
    assert (leaked == y).mean() > 0.6  # what columns chosen on all rows would pretend


def test_many_rows_are_judged_on_one_part():
    x, y = planted(2500)
    solved = solve_selected(x, y, "classification", parts=PARTS)
    assert np.isfinite(solved.scores).all(1).sum() == 500


def test_groups_are_held_out_whole():
    rng = np.random.default_rng(0)
    one, labels = rng.normal(size=(40, 60)).astype(np.float32), rng.integers(0, 2, 40)
    x, y, groups = np.repeat(one, 3, axis=0), np.repeat(labels, 3), np.repeat(np.arange(40), 3)
    apart = solve_selected(x, y, "classification", parts=(20, 40), groups=groups)
    assert (apart.scores.argmax(1) == y).mean() < 0.75


def test_refit_on_more_rows_keeps_the_choice():
    x, y = planted(300)
    solved = solve_selected(x[:200], y[:200], "classification", parts=PARTS, outputs=4)
    same = refit_selected(solved.head, x[:200], y[:200], "classification", outputs=4)
    np.testing.assert_array_equal(same.weight, solved.head.weight)
    more = refit_selected(solved.head, x, y, "classification")
    assert {**more.settings, "kept": 0} == {**solved.head.settings, "kept": 0}
    assert not np.array_equal(more.weight, same.weight)
    for tried in solved.tried:
        head = refit_selected(tried, x, y, "classification")
        assert (head.kind, head.settings["columns"]) == (tried.kind, tried.settings["columns"])


def test_the_head_is_the_one_that_the_scales_were_folded_into():
    x, y = planted()
    head = solve_selected(x, y, "classification", parts=PARTS).head
    used = np.flatnonzero(np.abs(head.weight).sum(1))
    rest = np.setdiff1d(np.arange(x.shape[1]), used)
    changed = x.copy()
    changed[:, rest] = 1e6
    np.testing.assert_allclose(head.scores(changed), head.scores(x), rtol=1e-4)


def test_multilabel_and_regression():
    x, y = planted()
    labels = np.eye(4, dtype=np.int64)[y][:, :3]
    said = solve_selected(x, labels, "multilabel", parts=PARTS)
    assert ((said.head.probabilities(x) > 0.5) == labels).mean() > 0.9
    values = 1000 + 500 * x[:, :1] * 100 - 200 * x[:, 1:2] * 100
    line = solve_selected(x, values.astype(np.float64), "regression", parts=PARTS)
    assert line.head.kind == "ridge"
    assert max(t.valid_score for t in line.tried) > 0.9
    assert line.scores.shape == (240, 1)


def test_balanced_gives_a_rare_class_its_due():
    rng = np.random.default_rng(0)
    y = (np.arange(400) < 20).astype(np.int64)
    x = rng.normal(size=(400, 30)).astype(np.float32)
    x[:, :5] += 1.2 * y[:, None]
    plain = solve_selected(x, y, "classification", parts=(20, 10)).head.scores(x).argmax(1)
    even = solve_selected(x, y, "classification", parts=(20, 10), balanced=True).head
    assert even.scores(x).argmax(1)[y == 1].mean() > plain[y == 1].mean() + 0.1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "y"),
    [
        (np.random.default_rng(0).normal(size=(2, 5)), [0, 1]),
        (np.random.default_rng(0).normal(size=(30, 4)), [0] * 15 + [1] * 14 + [2]),
        (np.random.default_rng(0).normal(size=(9, 3)), range(9)),
        (np.ones((20, 6)), [0, 1] * 10),
        (np.column_stack([np.full((20, 4), 7.3), np.arange(20.0)]), [0] * 10 + [1] * 10),
        (np.column_stack([np.arange(20.0), np.full((20, 4), 7.3)]), [0] * 10 + [1] * 10),
        (np.random.default_rng(0).normal(size=(20, 3)), [1] * 20),
    ],
)
@pytest.mark.parametrize("balanced", [False, True])
def test_degenerate_rows_still_give_a_finite_head(rows, y, balanced):
    y, width = np.array(list(y)), rows.shape[1]
    found = solve_selected(
        rows.astype(np.float32), y, "classification", parts=(1, width - 1), balanced=balanced, outputs=y.max() + 3
    )
    assert found.head.weight.shape == (width, y.max() + 3)
    assert np.isfinite(found.head.weight).all()
    assert np.isfinite(found.head.bias).all()
    assert np.isfinite(found.scores).all()


def test_one_stage_is_all_there_is():
    x, y = planted()
    solved = solve_selected(x[:, :40], y, "classification", parts=(40,))
    assert {t.settings["columns"] for t in solved.tried} == {"all"}


@pytest.mark.parametrize("parts", [(40, 200), (40, 200, 81), (), (0, 320)])
def test_stages_of_another_base_are_refused(parts):
    x, y = planted()
    with pytest.raises(SettingError, match="both must be of one base"):
        solve_selected(x, y, "classification", parts=parts)


def test_solving_imports_no_heavy_library():
    code = "import sys, headstart.heads.selecting; print(sorted({'sklearn', 'torch', 'scipy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
