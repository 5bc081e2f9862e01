"""Rows near one another share a cell, and the work does not grow with the square of the rows."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.audit import cells as module
from headstart.audit.cells import cells
from headstart.audit.near_features import candidates


def units(n: int, width: int = 8, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def compared(rows: np.ndarray) -> int:
    return sum(len(some) * len(others) for some, others in cells(rows))


def test_few_rows_are_all_compared_with_all() -> None:
    seen = np.zeros((3000, 3000), bool)
    for some, others in cells(units(3000)):
        seen[np.ix_(some, others)] = True
    assert (seen | seen.T).all()


def test_the_work_does_not_grow_with_the_square_of_the_rows() -> None:
    few, many = compared(units(20_000)), compared(units(80_000))
    assert many < 9 * few  # 4 ** 1.5 is 8, 4 ** 2 is 16
    assert many < 80_000**2 / 10


def test_rows_that_nothing_tells_apart_are_compared_with_some() -> None:
    alike = np.ones((40_000, 4), np.float32) / 2
    assert compared(alike) <= 40_000 * 3 * module._STRIP
    half = units(40_000, 4)
    half[::2] = half[0]
    assert compared(half) < 40_000**2 / 3


def test_near_duplicates_among_many_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WHOLE", 500)
    rng = np.random.default_rng(0)
    rows = units(4000, 64)
    copies = rows[::20] + rng.normal(0, 0.05, (200, 64)).astype(np.float32)  # cosine about 0.93
    near = candidates(np.concatenate([rows, copies]), neighbours=3)
    found = set(zip(near.first.tolist(), near.second.tolist(), strict=True))
    assert np.mean([(20 * i, 4000 + i) in found for i in range(200)]) >= 0.99


def test_rows_all_alike_do_not_make_every_pair_a_candidate() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 16))
    rows[::3] = rows[0] + rng.normal(0, 1e-6, (1000, 16))  # a third: 500,000 pairs
    near = candidates(rows, neighbours=3)
    assert len(near) <= 3 * 3000
    assert {*near.first.tolist(), *near.second.tolist()} >= set(range(0, 3000, 3))
