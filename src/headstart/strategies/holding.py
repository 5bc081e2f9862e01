"""Which rows candidates are compared on: one validation part, or every working row in turn where rows are few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.errors import SplitError
from headstart.heads.folds import deal
from headstart.ragged import joined

#: Fewer validation rows than this tell little; where the split was ours to make, every row is held out once instead. On
#: 308 of banking77's rows training came out 1.3 points behind the probe, on its test part 1.5 ahead (docs/log.md, 37).
FEW = 500
FOLDS = 3  # training costs as many times as much
FEWEST = 4  # validation rows, under which nothing can be compared


@dataclass(frozen=True)
class Holding:
    """Held-out parts of the working rows.

    Attributes:
        parts: (training rows, held-out rows) [n] int each, into the working rows.
        rows: [h] int, the held-out rows of all parts, in order.
        how: for people.
    """

    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    rows: np.ndarray
    how: str

    def collect(self, answers: Callable[[int, np.ndarray, np.ndarray], Any]) -> Any:
        """[h, outputs] in the order of ``rows``, from ``answers(part, training rows, held-out rows)`` of each part."""
        return joined([answers(i, train, held) for i, (train, held) in enumerate(self.parts)])

    def first(self, parts: int) -> Holding:
        """The first ``parts`` of its parts alone."""
        if parts >= len(self.parts):
            return self
        kept = self.parts[:parts]
        return Holding(kept, np.concatenate([held for _, held in kept]), f"{parts} of {self.how}")


def hold(
    train: int,
    valid: int,
    y: Any,
    task: str,
    units: np.ndarray,
    *,
    folds: int | None,
    always: bool = False,
    seed: int,
    fewest: int = FEWEST,
) -> Holding:
    """The parts of ``train`` + ``valid`` working rows, training rows first.

    Args:
        units: [n] rows of one unit (equal contents, groups) are never parted.
        folds: times that every row is held out in turn where the validation part is small; None: never, as where
            the user gave the validation part.
        always: hold out in folds whatever the size of the validation part.
        fewest: validation rows that will do; 1 where there is nothing to compare.

    Raises:
        SplitError: too few rows to compare anything on.
    """
    rows = np.arange(train + valid)
    if folds and (always or valid < FEW):
        parts = deal(y, task, folds, seed=seed, groups=units)
        if len(parts) == folds and all(len(part) >= FEWEST for part in parts):
            split = tuple((np.setdiff1d(rows, part), part) for part in parts)
            return Holding(split, np.concatenate(parts), f"{folds} folds")
        if always:
            raise SplitError(
                f"--folds {folds} would hold out {min(map(len, parts))} rows at a time, in {len(parts)} folds; at "
                f"least {FEWEST} are needed. Ask for fewer folds, or add labelled rows."
            )
    if valid < fewest:
        raise SplitError(
            f"the validation set has {valid} rows; comparing strategies takes at least {fewest}. Add labelled rows, "
            "or raise --valid-size."
        )
    return Holding(((rows[:train], rows[train:]),), rows[train:], "the validation set")
