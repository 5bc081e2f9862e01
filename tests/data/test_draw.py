"""Drawing rows: a row of every label stays, and many rare labels cost no more than few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from headstart.data.draw import _leave_one_each


class Counted(list[tuple[str, ...]]):
    """Counts the rows that are looked at."""

    looked = 0

    def __getitem__(self, place: Any) -> Any:
        self.looked += 1
        return super().__getitem__(place)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        self.looked += len(self)
        return super().__iter__()


def test_every_row_is_looked_at_a_few_times_however_many_labels_are_rare() -> None:
    labels = Counted((f"label {row}",) for row in range(2000))
    held = _leave_one_each(np.ones(2000, bool), np.arange(2000), labels)
    assert not held.any()
    assert labels.looked <= 3 * 2000


def test_the_smallest_unit_comes_back_and_brings_its_other_labels() -> None:
    labels = [("a",), ("a",), ("a",), ("b",), ("a", "b"), ("c",)]
    held = _leave_one_each(np.array([True] * 5 + [False]), np.array([0, 0, 0, 1, 1, 2]), labels)
    assert held.tolist() == [True, True, True, False, False, False]
