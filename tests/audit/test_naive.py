"""The naive split flatters where copies are many, and is not said to where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.audit.naive import naive_split
from tests.audit.tables import clouds


def copied(classes: int = 2, contents: int = 60, times: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random features and labels, each content ``times`` times: only memory can tell the label."""
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(contents), times)
    x = rng.normal(size=(contents, 200)).astype(np.float32)[unit]
    return x, rng.integers(0, classes, contents)[unit], unit


def test_copies_flatter_a_naive_split() -> None:
    x, y, units = copied()
    found = naive_split(x, y, "classification", 2, units)
    assert found is not None
    assert found.naive > 0.95
    assert found.honest < 0.7
    assert found.low > 0.2
    assert found.matters
    assert "would flatter" in found.sentence
    assert found.together == len(y)


def test_harmless_pairs_are_not_said_to_matter() -> None:
    x, y = clouds(60)
    units = np.r_[np.zeros(2, int), np.arange(1, len(y) - 1)]
    found = naive_split(x, y, "classification", 3, units)
    assert found is not None
    assert not found.matters
    assert found.low < 0 < found.high


def test_the_interval_rests_on_units_not_on_rows() -> None:
    few, many = (naive_split(*copied(contents=n)[:2], "classification", 2, copied(contents=n)[2]) for n in (20, 80))
    assert few is not None
    assert many is not None
    assert few.high - few.low > 1.5 * (many.high - many.low)


def test_nothing_to_keep_together() -> None:
    x, y = clouds(10)
    assert naive_split(x, y, "classification", 3, np.arange(30)) is None
    assert naive_split(x, y, "classification", 3, np.zeros(30, int)) is None


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_other_tasks(task: str) -> None:
    x, y, units = copied()
    targets = np.eye(2)[y] if task == "multilabel" else y[:, None].astype(float)
    found = naive_split(x, targets, task, targets.shape[1], units)
    assert found is not None
    assert found.matters


def test_many_rows_are_drawn_by_whole_units() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(6_000), 2)
    x = rng.normal(size=(12_000, 4)).astype(np.float32)
    found = naive_split(x, rng.integers(0, 2, 12_000), "classification", 2, units)
    assert found is not None
    assert found.n == found.together == 3_000
