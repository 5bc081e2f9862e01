"""How a score grows with rows: nested draws of growing size, each judged on rows that none of them holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.errors import LabelError

FEWEST_SIZES = 5
MOST_SIZES = 7
FOLDS = 5  # a draw holds a fifth of the rows out
#: Largest size over the smallest, under which a curve tells nothing of its shape.
LEAST_RANGE = 4.0
#: Rows from which three of the five folds are drawn, and up to which all five are drawn twice: many rows need fewer
#: draws, and cost more.
MANY, FEW = 6_000, 1_000


@dataclass(frozen=True)
class Draw:
    """One draw.

    Attributes:
        held: [h] int, rows that are held out.
        train: rows of each size, each holding all of the one before.
    """

    held: np.ndarray
    train: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Curve:
    """Scores by size.

    Attributes:
        sizes: [s] float, rows learnt from, the mean over draws.
        values: a draw each [s, h]: one value a held-out row, whose mean is the score.
        held: a draw each [h] int: which rows these are.
        units: [n] int: rows that belong together, and are resampled together.
    """

    sizes: np.ndarray
    values: tuple[np.ndarray, ...]
    held: tuple[np.ndarray, ...]
    units: np.ndarray

    @property
    def by_draw(self) -> np.ndarray:
        """[draws, s] scores."""
        return np.stack([values.mean(axis=1) for values in self.values])

    @property
    def mean(self) -> np.ndarray:
        """[s] mean score over draws."""
        found: np.ndarray = self.by_draw.mean(axis=0)
        return found

    @property
    def sd(self) -> np.ndarray:
        """[s] standard deviation over draws."""
        found: np.ndarray = self.by_draw.std(axis=0, ddof=1)
        return found


def plan(strata: np.ndarray, units: np.ndarray, least: int, *, seed: int = 0) -> list[Draw]:
    """Draws of 5 to 7 sizes, evenly spaced in their logarithm, from ``least`` units to four fifths of all.

    Every row is held out once (twice below `FEW` rows; three fifths of them once from `MANY` on), in five folds
    balanced over strata. A smaller size lies within every larger one and is balanced likewise.

    Args:
        strata: [n] int, to be balanced.
        units: [n] int, rows of one number are held out together, and learnt from together.
        least: units of the smallest size.

    Raises:
        LabelError: rows or units are too few for `FEWEST_SIZES` sizes a factor of `LEAST_RANGE` apart.
    """
    rng = np.random.default_rng(seed)
    units = np.unique(units, return_inverse=True)[1].reshape(-1)
    count = int(units.max()) + 1
    rounds = [_folds(strata, units, rng) for _ in range(2 if count < FEW else 1)]
    folds = [held for fold in rounds for held in (fold[:3] if count >= MANY else fold)]
    most = count - max(len(held) for held in folds)
    sizes = np.unique(np.geomspace(least, max(least, most), MOST_SIZES).round().astype(int))
    if most < LEAST_RANGE * least or len(sizes) < FEWEST_SIZES:
        have = f"{count:,} rows" if count == len(units) else f"{len(units):,} rows, in {count:,} independent groups,"
        raise LabelError(
            f"{have} leave {most:,} for training, and a curve takes {FEWEST_SIZES} sizes from {least:,} to "
            f"{round(LEAST_RANGE * least):,} or more."
        )
    return [_draw(held, strata, units, sizes, rng) for held in folds]


def measure(draws: list[Draw], units: np.ndarray, score: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Curve:
    """The curve from ``score(training rows, held-out rows)`` -> [h] values whose mean is the score."""
    values = tuple(np.stack([score(train, draw.held) for train in draw.train]) for draw in draws)
    sizes = np.mean([[len(train) for train in draw.train] for draw in draws], axis=0)
    return Curve(sizes, values, tuple(draw.held for draw in draws), units)


def _first_rows(units: np.ndarray) -> np.ndarray:
    """[u] int: the first row of each unit."""
    return np.unique(units, return_index=True)[1]


def _folds(strata: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """[units held out] of each fold: units in random order within their stratum, dealt like cards."""
    stratum = strata[_first_rows(units)]
    order = np.lexsort((rng.permutation(len(stratum)), stratum))
    return [np.sort(order[fold::FOLDS]) for fold in range(FOLDS)]


def _draw(held: np.ndarray, strata: np.ndarray, units: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> Draw:
    """Units that are not held out in an order whose every start is balanced over the strata, cut at each size."""
    first = _first_rows(units)
    left = np.setdiff1d(np.arange(len(first)), held)
    order = left[np.argsort(_places(strata[first[left]], rng), kind="stable")]
    place = np.full(len(first), len(first))
    place[order] = np.arange(len(order))
    by_row = place[units]
    train = tuple(np.flatnonzero(by_row < size) for size in sizes)
    return Draw(np.flatnonzero(np.isin(units, held)), train)


def _places(stratum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[u] from 0 to 1: those of one stratum evenly spaced, in random order (systematic sampling)."""
    places = np.empty(len(stratum))
    for one in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == one))
        places[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return places
