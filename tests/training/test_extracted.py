"""Rows that cannot be read are set aside with those that repeat them."""

from __future__ import annotations

import numpy as np

from headstart.training.extracted import Extracted


class Counted(np.ndarray):
    """Counts the comparisons of the whole array."""

    compared = 0

    def __eq__(self, other: object) -> np.ndarray:  # type: ignore[override]
        Counted.compared += len(self)
        return super().__eq__(other)


def test_every_row_of_the_content_is_rejected_without_comparing_all_with_all() -> None:
    keys = np.array([f"k{row % 500}" for row in range(1000)], dtype=object).view(Counted)
    found = Extracted(np.zeros((1000, 1), np.float32), None, {}, keys)
    for row in range(0, 500, 2):
        found.reject(row, "no picture")
    assert Counted.compared == 0
    assert found.kept.tolist() == [row % 2 == 1 for row in range(1000)]
    assert found.rejected[500] == "no picture"
