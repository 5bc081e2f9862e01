"""Drawing the rows of a part by what they contain: units kept whole, balanced by stratum, every label left in training.

Each unit has a number of its own from 0 to 1, a hash of the seed, the part and the unit's name, and is drawn where that
number lies below the share. It does not depend on the other rows, so a row keeps its part when rows are added later.
What comes out is by chance as far from the share as in any draw, so a stratum, and the part as a whole, is brought back
into a range around its share, by the units whose numbers lie nearest to it: a smaller range would be more even, and
would let more rows change their part. `test_rows_added_later_keep_their_part` counts both.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from headstart.data.strata import count_labels

#: How far from its share a stratum and the whole part may lie, in standard deviations of a draw by chance: with 400
#: rows of two classes that grow to 600, 99.7 % of the test rows stay test rows, at 1.5 and 1 99.1 %. Of small classes
#: fewer: 98.8 % in classes of 40 rows, 93 % in classes of 13; 96.8 % and 86 % where the share were exact.
_STRATUM, _WHOLE = 2.0, 1.5
_AT_MOST = 0.5  # of the share itself: a class of five rows, of which a fifth is one, gives one
_SLACK = 1e-9  # of rounding: 0.2 of 15 is 3


def draw(
    share: float,
    strata: np.ndarray,
    units: np.ndarray,
    labels: list[tuple[str, ...]],
    numbers: np.ndarray,
) -> np.ndarray:
    """[n] bool: the rows to hold out, about ``share`` of them.

    Args:
        share: 0 < share < 1.
        strata: [n] int, to be balanced.
        units: [n] int, rows of one number are held out together or not at all.
        labels: per row the labels of which at least one row each stays behind.
        numbers: [n] from 0 to 1, equal within a unit: `numbers_of`.
    """
    order = np.lexsort((np.arange(len(units)), -numbers))  # what is given back first lies farthest from being drawn
    units = np.unique(units[order], return_inverse=True)[1]
    drawing = _Drawing.of(share, np.unique(strata[order], return_inverse=True)[1], units, numbers[order])
    drawing.balance()
    held = np.zeros(len(units), dtype=bool)
    held[order] = _leave_one_each(drawing.held[units], units, [labels[row] for row in order])
    return held


def numbers_of(names: np.ndarray, units: np.ndarray, part: str, seed: int) -> np.ndarray:
    """[n] from 0 to 1: the number of each row's unit, by the smallest of the unit's ``names`` [n] str.

    A hash, so that it is the same on every machine and in every version. A unit of m names that gains another one keeps
    its smallest name with probability m / (m + 1).
    """
    names = np.asarray(names, dtype=str)
    order = np.lexsort((names, units))
    first = np.ones(len(order), dtype=bool)
    first[1:] = units[order][1:] != units[order][:-1]
    found = [_number(name, part, seed) for name in names[order[first]].tolist()]
    out = np.empty(len(units))
    out[order] = np.array(found)[np.cumsum(first) - 1]
    return out


def _number(name: str, part: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\n{part}\n{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@dataclass
class _Drawing:
    """Which units are drawn, and how many rows that makes of each stratum.

    Attributes:
        numbers: [u] of the units.
        unit, stratum, rows: [e] an entry for each stratum that a unit has rows of, and how many; by unit.
        start: [u + 1] where each unit's entries begin.
        low, high: [s] rows of each stratum that are to be drawn.
        least, most: the same of all rows.
        held: [u] bool; ``counts`` [s] rows drawn of each stratum, ``total`` of all.
    """

    numbers: np.ndarray
    unit: np.ndarray
    stratum: np.ndarray
    rows: np.ndarray
    start: np.ndarray
    low: np.ndarray
    high: np.ndarray
    least: int
    most: int
    held: np.ndarray
    counts: np.ndarray = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        drawn = self.held[self.unit]
        self.counts = np.bincount(self.stratum[drawn], self.rows[drawn], len(self.low)).astype(int)
        self.total = int(self.counts.sum())

    @classmethod
    def of(cls, share: float, strata: np.ndarray, units: np.ndarray, numbers: np.ndarray) -> _Drawing:
        """Every unit drawn whose number lies below ``share``; ``strata`` and ``units`` [n] are codes from 0 on."""
        size = np.bincount(units)
        wide = int(strata.max()) + 1
        codes, rows = np.unique(units * wide + strata, return_counts=True)
        unit, stratum = codes // wide, codes % wide
        of_unit = np.empty(len(size))
        of_unit[units] = numbers
        total = np.bincount(stratum, rows)
        low, high = _range(share, total, np.bincount(stratum, rows.astype(float) ** 2), _STRATUM)
        least, most = _range(share, np.array([len(units)]), np.array([float((size.astype(float) ** 2).sum())]), _WHOLE)
        start = np.searchsorted(unit, np.arange(len(size) + 1))
        high = np.minimum(high, total - 1)
        held = (of_unit < share) & (size <= max(1, int(most[0])))  # a larger one comes last: see `_take_one`
        return cls(of_unit, unit, stratum, rows, start, low, high, max(1, int(least[0])), int(most[0]), held)

    def balance(self) -> None:
        """Bring strata, then the whole, back into their ranges as far as whole units let."""
        by_stratum = np.lexsort((self.numbers[self.unit], self.stratum))
        bounds = np.searchsorted(self.stratum[by_stratum], np.arange(len(self.low) + 1))
        for s in np.flatnonzero((self.counts > self.high) | (self.counts < self.low)).tolist():
            own = self.unit[by_stratum[bounds[s] : bounds[s + 1]]]
            for unit in own[::-1].tolist():
                if self.counts[s] <= self.high[s]:
                    break
                self._give_back(unit, self.low)
            for unit in own.tolist():
                if self.counts[s] >= self.low[s]:
                    break
                self._take(unit, self.high)
        order = np.argsort(self.numbers, kind="stable")
        self._fill(order)
        self._empty(order[::-1])
        if not self.held.any():
            self._take_one(order)

    def _fill(self, order: np.ndarray) -> None:
        """Up to the least number of rows; where strata have given all they should, from any that has rows left."""
        for most in (self.high, np.bincount(self.stratum, self.rows).astype(int) - 1):
            for unit in order[~self.held[order]].tolist():
                if self.total >= self.least:
                    return
                if self.total + self._size(unit) <= self.most:
                    self._take(unit, most)

    def _empty(self, order: np.ndarray) -> None:
        """Down to the greatest number of rows, but not below the least."""
        for least in (self.low, np.zeros_like(self.low)):
            for unit in order[self.held[order]].tolist():
                if self.total <= self.most:
                    return
                if self.total - self._size(unit) >= self.least:
                    self._give_back(unit, least)

    def _take_one(self, order: np.ndarray) -> None:
        """Where no unit fits: the first that leaves at least half of the rows and some of every stratum."""
        whole, total = np.bincount(self.stratum, self.rows).astype(int) - 1, int(self.rows.sum())
        for unit in sorted(order.tolist(), key=lambda one: 2 * self._size(one) > total):
            if self._take(unit, whole):
                return

    def _size(self, unit: int) -> int:
        return int(self.rows[self.start[unit] : self.start[unit + 1]].sum())

    def _take(self, unit: int, most: np.ndarray) -> bool:
        """Draw ``unit`` where no stratum gets more than ``most`` [s] by it."""
        own = slice(self.start[unit], self.start[unit + 1])
        after = self.counts[self.stratum[own]] + self.rows[own]
        if self.held[unit] or (after > most[self.stratum[own]]).any():
            return False
        self.counts[self.stratum[own]] = after
        self.total += self._size(unit)
        self.held[unit] = True
        return True

    def _give_back(self, unit: int, least: np.ndarray) -> bool:
        """Let ``unit`` go where no stratum falls below ``least`` [s] by it."""
        own = slice(self.start[unit], self.start[unit + 1])
        after = self.counts[self.stratum[own]] - self.rows[own]
        if not self.held[unit] or (after < least[self.stratum[own]]).any():
            return False
        self.counts[self.stratum[own]] = after
        self.total -= self._size(unit)
        self.held[unit] = False
        return True


def _range(share: float, rows: np.ndarray, squares: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """[s] least and most rows to draw of strata of so many ``rows``, whose units' sizes squared sum to ``squares``."""
    exact = share * rows
    spread = np.minimum(width * np.sqrt(share * (1 - share) * squares), _AT_MOST * exact)
    low = np.ceil(exact - spread - _SLACK).astype(int)
    high = np.maximum(np.ceil(exact - _SLACK), np.floor(exact + spread + _SLACK)).astype(int)
    return np.where(exact < 1 - _SLACK, 0, low), high


def _leave_one_each(held: np.ndarray, units: np.ndarray, labels: list[tuple[str, ...]]) -> np.ndarray:
    """Give back the smallest held unit that has a label of which otherwise no row would stay."""
    sizes = np.bincount(units)
    kept = count_labels(row for row, out in zip(labels, held, strict=True) if not out)
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(held).tolist():
        for label in labels[row]:
            if label not in kept:
                rows_of.setdefault(label, []).append(row)
    returned = np.zeros(len(sizes), dtype=bool)
    for label in sorted(rows_of):
        if not returned[units[rows_of[label]]].any():  # else an earlier return brought it back
            returned[units[min(rows_of[label], key=lambda row: (sizes[units[row]], row))]] = True
    return held & ~returned[units]
