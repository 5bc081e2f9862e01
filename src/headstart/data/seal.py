"""The test part under seal: nothing reads it by accident, and every opening is counted."""

from __future__ import annotations

from typing import final

import numpy as np

from headstart.data.table import PARTS, Table
from headstart.errors import SealError


@final
class SealedTest:
    """The test rows; only their number is known until they are opened for a reason."""

    __slots__ = ("__openings", "__table")

    def __init__(self, table: Table) -> None:
        self.__table = table
        self.__openings: list[str] = []

    def __len__(self) -> int:
        return len(self.__table)

    def __repr__(self) -> str:
        return f"SealedTest({len(self)} rows, opened {len(self.__openings)} times)"

    @property
    def openings(self) -> list[str]:
        """The reasons given so far, one an opening (a copy)."""
        return list(self.__openings)

    def open(self, reason: str, *, again: bool = False) -> Table:
        """The test rows; the opening is counted under ``reason``.

        Raises:
            SealError: no reason is given, or the seal was broken before and ``again`` is not set.
        """
        if not reason.strip():
            raise SealError("the test set is read for a stated reason only.")
        if self.__openings and not again:
            raise SealError(
                f"the test set was already evaluated ({self.__openings[-1]}); once more ({reason}) needs again=True."
            )
        self.__openings.append(reason)
        return self.__table


def seal(table: Table) -> tuple[Table, SealedTest]:
    """The working rows (train and valid) and the test rows under seal.

    Raises:
        SealError: a row belongs to no part, or there is no test row.
    """
    loose = int((~np.isin(table.split, PARTS)).sum())
    if loose:
        raise SealError(f"{loose} rows belong to no split; assign the split before sealing.")
    is_test = table.split == "test"
    if not is_test.any():
        raise SealError("there is no test row to seal; assign the split before sealing.")
    return table.take(~is_test), SealedTest(table.take(is_test))
