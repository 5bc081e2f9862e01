import tracemalloc

import numpy as np
import pytest

from headstart.errors import ColumnError
from headstart.evaluation.bootstrap import score_interval
from headstart.evaluation.metrics import METRICS, get
from headstart.evaluation.slices import SliceScore, by_slice, slice_metric

CAMERA = np.array(["old"] * 10 + ["new"] * 20 + ["spare"] * 4)
Y = np.zeros(34, int)
P = np.eye(2)[[1] * 5 + [0] * 5 + [0] * 20 + [1] * 4]  # right: old 5 of 10, new 20 of 20, spare 0 of 4


def test_groups_are_scored_worst_first_and_small_ones_after_them():
    found = by_slice("accuracy", Y, P, {"camera": CAMERA})
    assert [(s.value, s.n, s.interval.value) for s in found] == [
        ("old", 10, 0.5),
        ("new", 20, 1.0),
        ("spare", 4, 0.0),
    ]
    assert {s.column for s in found} == {"camera"}


def test_a_groups_interval_is_that_of_its_rows():
    found = by_slice("accuracy", Y, P, {"camera": CAMERA})
    assert found[0].interval == score_interval("accuracy", Y[:10], P[:10], level=0.975)
    assert np.isnan([found[-1].interval.low, found[-1].interval.high]).all()


def test_intervals_widen_with_the_slices_looked_at():
    found = by_slice("accuracy", Y, P, {"camera": CAMERA})
    assert {s.looked_at for s in found} == {2}  # the third is too small for an interval
    more = by_slice("accuracy", Y, P, {"camera": CAMERA, "row": np.arange(34) % 3})
    assert {s.looked_at for s in more} == {5}
    old, wider = found[0], next(s for s in more if s.value == "old")
    assert wider.interval.level == pytest.approx(0.99)
    assert wider.interval.low < old.interval.low
    assert wider.interval.value == old.interval.value
    alone = by_slice("accuracy", Y, P, {"all": np.zeros(34)})
    assert alone[0].interval == score_interval("accuracy", Y, P)


def surely_worse(scores: list[SliceScore], metric: str, overall: float) -> list[SliceScore]:
    """Of ``scores``, in their order, those whose whole interval lies on the bad side of the score of all rows."""
    if get(metric).higher_is_better:
        return [score for score in scores if score.interval.high < overall]
    return [score for score in scores if score.interval.low > overall]


def test_of_many_equal_slices_none_is_surely_worse():
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(150):
        right = rng.random(600) < 0.85
        p = np.eye(2)[(~right).astype(int)]
        columns = {str(i): rng.integers(0, 5, 600) for i in range(4)}
        found = by_slice("accuracy", np.zeros(600, int), p, columns)
        named += bool(surely_worse(found, "accuracy", 0.85))
    assert named / 150 <= 0.07  # one-sided: 2.5 % and then some


def test_a_slice_that_is_worse_is_found_among_many():
    rng = np.random.default_rng(0)
    night = rng.random(800) < 0.15
    p = np.eye(2)[(rng.random(800) < np.where(night, 0.4, 0.05)).astype(int)]
    columns = {"hour": np.where(night, "night", "day"), **{str(i): rng.integers(0, 5, 800) for i in range(4)}}
    found = by_slice("accuracy", np.zeros(800, int), p, columns)
    worse = surely_worse(found, "accuracy", float((p[:, 0] == 1).mean()))
    assert [(s.column, s.value) for s in worse] == [("hour", "night")]
    loss = surely_worse(by_slice("brier", np.zeros(800, int), p, columns, draws=100), "brier", float(p[:, 1].mean()))
    assert [(s.column, s.value) for s in loss] == [("hour", "night")]


def test_a_loss_has_its_highest_first():
    p = np.where(P == 1, 0.9, 0.1)
    assert [s.value for s in by_slice("log_loss", Y, p, {"camera": CAMERA}, draws=100)][:2] == ["old", "new"]


def test_several_columns_are_ranked_together_and_undefined_groups_come_last():
    y = np.arange(34) % 2
    side = np.where(y == 0, "left", "right")
    found = by_slice("auroc", y, np.eye(2)[y] * 0.6 + 0.2, {"side": side, "camera": CAMERA}, draws=100)
    assert [s.column for s in found[-2:]] == ["side", "side"]
    assert all(np.isnan(s.interval.value) for s in found[-2:])


def test_no_columns_give_no_slices():
    assert by_slice("accuracy", Y, P, {}) == []


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ColumnError, match="'camera' has 3 rows"):
        by_slice("accuracy", Y, P, {"camera": CAMERA[:3]})


def test_a_column_of_very_many_values_is_told_in_one_line_and_holds_no_matrix():
    n = 50_000
    p = np.eye(2)[np.r_[np.ones(100, int), np.zeros(n - 100, int)]]
    number = np.array([*range(n - 10), *["all"] * 10], dtype=object)
    tracemalloc.start()
    found = by_slice("accuracy", np.zeros(n, int), p, {"number": number})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(s.value, s.n) for s in found] == [("49,990 values of fewer than 5 rows each", n - 10), ("all", 10)]
    assert found[0].interval.value == 1 - 100 / (n - 10)
    assert found[0].looked_at == 2
    assert peak < 500 * n  # a bool a row and value would be 50,000 a row


def test_a_hundred_small_groups_are_still_told_one_by_one():
    found = by_slice("accuracy", np.zeros(100, int), np.eye(2)[np.zeros(100, int)], {"row": np.arange(100)})
    assert len(found) == 100


@pytest.mark.parametrize(
    ("metric", "task", "said"),
    [
        ("accuracy", "classification", "accuracy"),
        ("balanced_accuracy", "classification", "accuracy"),
        ("auroc", "classification", "accuracy"),
        ("log_loss", "classification", "log_loss"),
        ("f1_macro", "multilabel", "subset_accuracy"),
        ("r2", "regression", "mae"),
        ("rmse", "regression", "mae"),
    ],
)
def test_slices_are_scored_by_what_means_the_same_in_each(metric: str, task: str, said: str) -> None:
    assert slice_metric(metric, task) == said


def test_equal_errors_make_no_third_worse_than_all_rows() -> None:
    """Of a target that rises with the slice R² is far lower within each third, with errors that are the same."""
    rng = np.random.default_rng(0)
    y = np.sort(rng.uniform(0, 100, 600))[:, None]
    p = y + rng.normal(0, 10, y.shape)
    thirds = {"third": np.repeat(["low", "middle", "high"], 200)}
    whole = METRICS["r2"].function(y, p)
    assert all(one.interval.high < whole for one in by_slice("r2", y, p, thirds))
    named = slice_metric("r2", "regression")
    whole = METRICS[named].function(y, p)
    assert not any(one.interval.low > whole for one in by_slice(named, y, p, thirds))
