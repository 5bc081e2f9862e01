"""Whether new inputs look different: not by chance, surely when they do, and class by class."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from headstart.errors import SettingError
from headstart.evaluation.shift import class_drift, proxy_a_distance


def known(n: int, d: int = 30, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_like_rows_are_not_told_apart() -> None:
    calls = [proxy_a_distance(known(150, seed=2 * s), known(100, seed=2 * s + 1), seed=s) for s in range(20)]
    assert sum(found.shifted for found in calls) <= 2
    assert np.mean([found.value for found in calls]) < 0.2
    assert all(found.low <= found.value <= found.high for found in calls)
    assert (calls[0].reference, calls[0].n) == (150, 100)


def test_the_distance_grows_with_the_shift_up_to_two() -> None:
    reference, target = known(300), known(200, seed=1)
    target[:, 0] += 1
    near = proxy_a_distance(reference, target)
    target[:, 0] += 20
    far = proxy_a_distance(reference, target)
    assert near.shifted
    assert far.shifted
    assert 0.2 < near.value < 1.5
    assert far.value > 1.95
    assert near.null == far.null < 0.3


def test_the_optimal_error_is_found() -> None:
    """Two normals a distance of 2 apart: Φ(−1) = 0.159 of the rows are on the wrong side."""
    target = known(900, 5, seed=1)
    target[:, 0] += 2
    found = proxy_a_distance(known(900, 5), target)
    assert found.value == pytest.approx(2 * (1 - 2 * 0.1587), abs=0.1)
    assert found.low < 2 * (1 - 2 * 0.1587) < found.high


def test_rounding_of_dead_features_is_no_shift() -> None:
    reference, target = known(200), known(200, seed=1)
    reference[:, :2], target[:, :2] = 0.0, (1e-33, 0.06)
    reference[:, 1] = np.float32(np.float16(0.06))
    assert not proxy_a_distance(reference, target).shifted


def test_the_same_for_the_same_seed_and_bounded_in_rows() -> None:
    reference, target = known(1500, 5), known(1200, 5, seed=1)
    assert proxy_a_distance(reference, target, 3) == proxy_a_distance(reference, target, 3)
    assert proxy_a_distance(reference, target).n == 1000


@pytest.mark.parametrize(("m", "n"), [(9, 50), (50, 9), (5, 0)])
def test_too_few_rows_tell_nothing(m: int, n: int) -> None:
    found = proxy_a_distance(known(m), known(n, seed=1))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert not found.shifted


def test_the_class_that_moved_is_named() -> None:
    reference, y = known(200), np.repeat([0, 1], 100)
    target, given = known(80, seed=1), np.repeat([0, 1], 40)
    target[given == 1] += 0.5
    still, moved = class_drift(reference, y, target, given)
    assert (still.output, moved.output, moved.n) == (0, 1, 40)
    assert still.low < 0 < still.high
    assert moved.low > 0
    assert moved.low < 0.5**2 < moved.high  # 0.5 in each of d directions, over a variance of 1 in each


def test_drift_is_unbiased_and_its_interval_holds() -> None:
    calls = []
    for s in range(200):
        target = known(12, 20, seed=2 * s)
        target[:, 0] += 1
        calls += class_drift(known(20, 20, seed=2 * s + 1), np.zeros(20, int), target, np.zeros(12, int))
    truth = 1 / 20
    assert np.mean([d.value for d in calls]) == pytest.approx(truth, abs=0.012)
    assert np.mean([d.low <= truth <= d.high for d in calls]) > 0.88


def test_classes_of_few_rows_tell_nothing() -> None:
    few, unseen = class_drift(known(20), np.zeros(20, int), known(14, seed=1), np.repeat([0, 3], [4, 10]))
    assert np.isnan([few.value, unseen.value, unseen.low]).all()
    assert (few.n, unseen.output) == (4, 3)


def test_features_that_do_not_fit() -> None:
    with pytest.raises(SettingError, match=r"\(20, 4\) and known ones \(20, 5\) do not fit"):
        proxy_a_distance(known(20, 5), known(20, 4))
    broken = known(20)
    broken[3, 3] = np.nan
    with pytest.raises(SettingError, match="not finite"):
        class_drift(known(20), np.zeros(20, int), broken, np.zeros(20, int))


def test_drift_of_very_many_rows_holds_no_square_of_them() -> None:
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(20_000, 4)), rng.normal(size=(20_000, 4))
    tracemalloc.start()
    (drift,) = class_drift(known, np.zeros(20_000, int), new, np.zeros(20_000, int))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert drift.low < 0 < drift.high
    assert peak < 50 * known.nbytes  # rows x rows would be 20,000 times as much
    few, wide = slice(30), rng.normal(size=(30, 400))  # more features than rows: the same formula on the other side
    (drift,) = class_drift(known[few] @ wide[:4], np.zeros(30, int), new[few] @ wide[:4], np.zeros(30, int))
    assert np.isfinite([drift.low, drift.high]).all()
