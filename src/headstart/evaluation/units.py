"""Rows that are not independent: groups, speakers, documents, near duplicates.

Rows of one unit share what made them, so their answers are right and wrong together and say less than as many rows of
their own. What rows tell is therefore summed within each unit before its spread is taken (cluster-robust variance;
Liang & Zeger 1986; Rao & Scott 1992, "A simple method for the analysis of clustered binary data"; Obuchowski 1997 for
the area under the ROC curve). Its ratio to the spread of independent rows is the design effect (Kish 1965), by which
closed forms divide their rows (Korn & Graubard 1998; Dean & Pagano 2015). Few units estimate a spread badly, so
quantiles are Student's, with the units for degrees of freedom, the fewer the more they differ in size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.evaluation.proportions import Bounds, normal_quantile, wilson

#: Rows that the worst case counts for where few rows carry a variance: half a row, as in the prior of Jeffreys.
UNSEEN = 0.5


@dataclass(frozen=True)
class Units:
    """The units of n rows.

    Attributes:
        code: [n] int, the unit of each row, 0 … count − 1.
        count: units.
        alone: whether every row is a unit of its own.
    """

    code: np.ndarray
    count: int
    alone: bool

    @classmethod
    def of(cls, units: np.ndarray | None, n: int) -> Units:
        """From any codes [n]; None: every row for itself."""
        if units is None:
            return cls(np.arange(n), n, True)
        if len(units) != n:
            raise ValueError(f"{len(units)} units were given for {n} rows; every row needs one.")
        found, code = np.unique(np.asarray(units), return_inverse=True)
        return cls(code.reshape(-1), len(found), len(found) == n)

    @property
    def effective(self) -> float:
        """(Σ rows)² / Σ rows²: how many units of one size tell as much; ``count`` if all are of one size."""
        rows = np.bincount(self.code).astype(float)
        return float(rows.sum() ** 2 / np.square(rows).sum()) if len(rows) else 0.0

    @property
    def of_a_row(self) -> float:
        """Rows in the unit of a row, on average over the rows."""
        return len(self.code) / self.effective if len(self.code) else 1.0

    def take(self, rows: np.ndarray) -> Units:
        """The units of some rows (indices or a mask)."""
        return Units.of(self.code[rows], len(self.code[rows]))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """[count] or [count, m] the sums of ``values`` [n] or [n, m] within each unit."""
        if self.alone or values.ndim > 1:
            return values if self.alone else np.column_stack([self.sums(column) for column in values.T])
        return np.bincount(self.code, values, minlength=self.count)

    def student(self, level: float, moves: np.ndarray | None = None) -> float:
        """Student's quantile; infinite for a single unit.

        With ``moves`` [n], deviations of the rows whose squares make the variance, degrees of freedom are those at
        which a variance is as uncertain as theirs (Satterthwaite 1946): few, where few units carry it.
        """
        from scipy.special import stdtrit

        freedom = self.effective - 1
        if moves is not None:
            squares = np.square(self.sums(moves))
            total = float(squares.sum()) ** 2  # 0 where rows cancel in every unit, which then carry it alike
            carried = float(np.square(squares).sum()) / total if total > 0 else 0.0
            freedom = min(freedom, 2 / max(carried - 1 / self.count, 1e-12))
        return float(stdtrit(freedom, (1 + level) / 2)) if freedom > 1e-9 else float("inf")

    def design_effect(self, moves: np.ndarray) -> float:
        """By how much units multiply the variance of a sum of ``moves`` [n], deviations of the rows from their mean.

        Where few rows carry the variance, as where nearly all are right, they cannot show how mistakes go together, so
        the estimate is drawn towards the worst case, all rows of a unit alike, by as much as `UNSEEN` such rows count.
        """
        if self.alone or self.count < 2:
            return 1.0 if self.alone else self.of_a_row
        squares = np.square(moves)
        total, fourth = float(squares.sum()), float(np.square(squares).sum())
        if not total > 0:
            return self.of_a_row
        carriers = total * total / fourth
        found = float(np.square(self.sums(moves)).sum()) / total * self.count / (self.count - 1)
        return (carriers * found + UNSEEN * self.of_a_row) / (carriers + UNSEEN)

    def kish(self, moves: np.ndarray) -> float:
        """The design effect as it is found in many units (Kish 1965), at least 1."""
        if self.alone:
            return 1.0
        total = float(np.square(moves).sum())
        return max(1.0, float(np.square(self.sums(moves)).sum()) / total) if total > 0 else 1.0

    def rows_worth(self, moves: np.ndarray, level: float) -> float:
        """Share of the rows that independent ones would have to be for as wide an interval by normal quantiles."""
        if self.alone:
            return 1.0
        return float((normal_quantile(level) / self.student(level)) ** 2 / self.design_effect(moves))


def share_bounds(hits: np.ndarray, level: float, units: Units | None = None) -> Bounds:
    """Wilson's interval for the mean of ``hits`` [n] of 0/1, its rows counting as what the units leave of them.

    One unit, or none, bounds nothing: nan.
    """
    n, units = len(hits), units or Units.of(None, len(hits))
    if n == 0 or (units.count == 1 and n > 1):
        return float("nan"), float("nan")
    share = float(np.mean(hits))
    worth = units.rows_worth(np.asarray(hits, dtype=float) - share, level)
    low, high = wilson(share, n * worth, level)
    return min(low, share), max(high, share)
