"""What other tasks say of bases."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.ranking.prior import Recorded, belief, shipped


def recorded(scores, data=None, first=0):
    """[tasks, bases] as records; nan where there is none."""
    return [
        Recorded(
            f"d{t if data is None else data[t]}", f"t{t + first}", "image", "classification", f"b{b}", float(value)
        )
        for t, row in enumerate(scores)
        for b, value in enumerate(row)
        if np.isfinite(value)
    ]


def prior_of(records, bases):
    return belief(records, bases, modality="image", kind="classification")


def test_hand_worked() -> None:
    """Two bases on four data sets, ahead by 2, 6, 2 and 6 points."""
    found = prior_of(recorded([[52.0, 50.0], [86.0, 80.0], [72.0, 70.0], [46.0, 40.0]]), ["b0", "b1"])
    # centred: ±1, ±3, ±1, ±3; means ±2; within = (8 · 1) / 3 degrees of freedom = 8/3
    # spread = 4 · (4 + 4) / 1 = 32; between = (32 - 8/3) / 4 = 22/3; share = (22/3) / (22/3 + 8/3 / 4) = 11/12
    assert found.mean == pytest.approx([22 / 12, -22 / 12])
    # of Student's t with 3 degrees of freedom: 3 / (3 - 2) times
    assert found.variance == pytest.approx([3 * (8 / 3 + 1 / (3 / 22 + 4 * 3 / 8))] * 2)


def test_two_data_sets_that_happen_to_agree_are_not_believed() -> None:
    agreeing = prior_of(recorded([[52.0, 50.0], [86.0, 83.9]]), ["b0", "b1"])
    assert np.isinf(agreeing.variance).all()


def test_levels_of_tasks_do_not_matter_and_units_are_points() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(6, 1)) * 30 + np.array([2.0, 0.0, -2.0]) + rng.normal(size=(6, 3)) * 0.3
    found = prior_of(recorded(scores), ["b0", "b1", "b2"])
    assert found.mean == pytest.approx([2, 0, -2], abs=0.4)
    assert prior_of(recorded(scores + 11), ["b0", "b1", "b2"]).mean == pytest.approx(found.mean)


def test_noise_is_shrunk_to_nothing() -> None:
    """Bases that change places from task to task: what is left of a mean is little beside it."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(8, 4)) * 3
    found = prior_of(recorded(scores), [f"b{i}" for i in range(4)])
    plain = scores.mean(axis=0) - scores.mean()
    assert np.abs(found.mean).max() < 0.5 * np.abs(plain).max()
    assert (found.variance > 4).all()


def test_a_task_without_the_weak_base_does_not_favour_the_others() -> None:
    nan = np.nan
    scores = np.array([[90.0, 80.0, 70.0], [60.0, 50.0, 40.0], [nan, 90.0, 80.0], [80.0, 70.0, nan]])
    found = prior_of(recorded(scores), ["b0", "b1", "b2"])
    assert found.mean == pytest.approx([10, 0, -10], abs=0.01)


def test_cuts_of_one_data_set_count_once() -> None:
    sets = [[1.0, -1.0], [-2.0, 2.0], [3.0, -1.0], [2.0, 0.0]]
    once = prior_of(recorded(sets), ["b0", "b1"])
    cuts = prior_of(recorded([sets[0], sets[0], *sets], data=[0, 0, 0, 1, 2, 3]), ["b0", "b1"])
    assert np.isfinite(once.variance).all()
    assert cuts.mean == pytest.approx(once.mean)
    assert cuts.variance == pytest.approx(once.variance)


def test_an_unknown_base_is_like_any_other_and_less_sure() -> None:
    rng = np.random.default_rng(2)
    scores = np.array([4.0, 0.0, -4.0]) + rng.normal(size=(5, 3))
    found = prior_of(recorded(scores), ["b0", "new"])
    assert found.mean[1] == 0
    assert found.variance[1] > 3 * found.variance[0]


@pytest.mark.parametrize("scores", [[], [[1.0, 2.0]], [[1.0], [2.0]]])
def test_too_little_says_nothing(scores) -> None:
    found = prior_of(recorded(scores), ["b0", "b1"])
    assert found.mean.tolist() == [0, 0]
    assert np.isinf(found.variance).all()


def test_other_modalities_and_kinds_do_not_count() -> None:
    records = recorded([[1.0, 2.0], [3.0, 5.0], [1.0, 0.0]])
    assert np.isinf(belief(records, ["b0"], modality="text", kind="classification").variance).all()
    assert np.isinf(belief(records, ["b0"], modality="image", kind="regression").variance).all()


def test_shipped_results_can_be_used() -> None:
    assert all(0 <= record.score <= 100 for record in shipped())
    found = belief(shipped(), ["efficientnet_lite0", "efficientnet_lite2"], modality="image", kind="classification")
    assert np.isfinite(found.mean).all()
    assert (found.variance > 0).all()
