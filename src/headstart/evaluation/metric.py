"""What a metric is: something prepared once from the rows, and a value for many weightings of them at once.

A column of ones gives the plain metric, a column of random weights one draw of a bootstrap, so that a metric and its
interval can never disagree about what is measured. Undefined values are nan.

Most metrics are a function of statistics summed over the rows (`Summed`). How much such a metric moves with the weight
of each row is the row's statistics times the derivative of that function; the sum of the squares is the bootstrap's
variance to first order (the infinitesimal jackknife, Jaeckel 1972; Efron 1982, "The jackknife, the bootstrap and other
resampling plans", chapter 6), in one pass instead of thousands of draws.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from headstart.evaluation.answers import Answers, Dense, answers
from headstart.evaluation.units import Units
from headstart.ragged import Ragged, flat

_STEP = 1e-30  # imaginary, so nothing is subtracted and it may be as small as one likes
_NOISE = 1e-12  # of the terms of a derivative: what rounding leaves where they cancel
_AT_ONCE = 1 << 20  # statistics held at once for a derivative, 16 MiB


@dataclass(frozen=True)
class Metric(ABC):
    """One number that says how good answers are.

    Attributes:
        name: the name in settings, tables and reports.
        tasks: the tasks it is for.
        description: one line for the report.
        higher_is_better: False for errors and losses.
        unit_scale: True if the values span at most a few units, so that a gain of 0.05 means the same
            on every data set; False where the scale is the data's.
        worst: the value when every answer is wrong, for metrics that count or rank answers (their best is 1; they give
            `moves`); None for metrics of the size of errors, which have no worst case.
        mean: whether it is a mean over the rows, of the first column [n] of what `prepare` gives.
        share: what `prepare` gives -> [n] of 0/1 whose share the metric is, and strata [n] over which shares are
            averaged, or None; for metrics whose interval is that of a share.
        decides: whether it counts answers given, so that thresholds move it; not the order or size of probabilities.
        outputs: up to how many outputs it says nothing.
        reason: why finite numbers have no value, in words, or (truth, predictions) -> that.
    """

    name: str
    tasks: tuple[str, ...]
    description: str
    _: KW_ONLY
    higher_is_better: bool = True
    unit_scale: bool = True
    worst: float | None = 0.0
    mean: bool = False
    share: Callable[[Any], tuple[np.ndarray, np.ndarray | None]] | None = None
    decides: bool = False
    outputs: int = 0
    reason: str | Callable[[np.ndarray, np.ndarray], str] = "these rows do not define it"

    @property
    def sign(self) -> int:
        """1 or −1, by which a difference of values is multiplied to be above 0 where it is for the better."""
        return 1 if self.higher_is_better else -1

    @abstractmethod
    def prepare(self, truth: Answers, said: Answers) -> Any:
        """What `value` needs of rows that are not none, worked out once: matched, sorted, counted."""

    @abstractmethod
    def value(self, ready: Any, weights: np.ndarray) -> np.ndarray:
        """[draws] the metric for weights [n, draws] of the rows."""

    def measured(self, truth: Answers, said: Answers) -> tuple[Any, float]:
        """What `prepare` gives, and the value; (None, nan) for no rows, and where an answer is no finite number."""
        if len(truth) != len(said):
            raise ValueError(f"{self.name}: y has {len(truth)} rows and p {len(said)}; they must have the same rows.")
        if len(truth) == 0 or (isinstance(said, Dense | Ragged) and not np.isfinite(said.values).all()):
            return None, float("nan")
        ready = self.prepare(truth, said)
        return ready, float(self.value(ready, np.ones((len(truth), 1)))[0])

    def function(self, truth: Answers | np.ndarray, said: Answers | np.ndarray) -> float:
        """The metric of what was ``said``, e.g. probabilities [n, outputs]; nan where it is undefined."""
        return self.measured(answers(truth), answers(said))[1]

    def undefined(self, y: Any, p: Any) -> str:
        """Why these rows have no value, in words."""
        if len(y) == 0:
            return "there is no row"
        if not np.isfinite(flat(p)).all():
            return "some predictions are not finite numbers"
        return self.reason if isinstance(self.reason, str) else self.reason(y, p)

    # --- what intervals are made of; see `headstart.evaluation.bootstrap` ---

    def of_units(self, ready: Any, units: Units) -> Callable[[np.ndarray], np.ndarray]:
        """The value [draws] as a function of weights [count, draws] of the units."""
        return lambda w: self.value(ready, w if units.alone else w[units.code])

    def moves(self, ready: Any, w: np.ndarray, paired: bool = False) -> np.ndarray:
        """[n] the derivative by the weights ``w`` [n]; ``paired``: for the difference of two models."""
        raise NotImplementedError(f"{self.name} has a worst value; its interval needs `moves`.")

    def bias(self, ready: Any, w: np.ndarray) -> float:
        """How far few rows pull the metric off, which the interval's centre is freed of."""
        return 0.0

    def counted(self, ready: Any) -> float:
        """The rows of a proportion that varies as the metric would in its worst case."""
        return float(len(ready))

    def pseudo_rows(self, truth: Answers, said: Answers) -> tuple[Answers, Answers, np.ndarray] | None:
        """Rows with pseudo-rows appended, and the weights of these, where an interval has to hold that one too."""
        return None


class Cells:
    """Statistics [n, m] that are mostly 0: the places of the ones, which need no n × m numbers."""

    def __init__(self, row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> None:
        order = np.argsort(column, kind="stable")
        self._row, self._column, self.shape = row[order], column[order], shape
        self._found, self._starts = np.unique(self._column, return_index=True)

    def __len__(self) -> int:
        return self.shape[0]

    def __abs__(self) -> Cells:
        return self

    def __matmul__(self, slope: np.ndarray) -> np.ndarray:
        """[n] the sums over a row of ``slope`` [m]."""
        return np.bincount(self._row, slope[self._column], minlength=self.shape[0])

    def totals(self, w: np.ndarray) -> np.ndarray:
        """[m, draws] sums over the rows, weighted by ``w`` [n, draws]."""
        out = np.zeros((self.shape[1], w.shape[1]))
        if len(self._found):
            out[self._found] = np.add.reduceat(w[self._row], self._starts, axis=0)
        return out

    def of_units(self, units: Units) -> Cells:
        """[count, m] the sums within each unit."""
        return Cells(units.code[self._row], self._column, (units.count, self.shape[1]))


Statistics = np.ndarray | Cells  # [n, m]


@dataclass(frozen=True, kw_only=True)
class Summed(Metric):
    """A function of statistics summed over the rows.

    Attributes:
        statistics: (truth, said) -> [n, m].
        of: their sums [m, draws] -> [draws]. It is differentiated by a complex step, so it may use arithmetic, powers,
            roots, `numpy.maximum` and `ratio`, but neither `abs` nor anything that makes its sums real.
        slope: sums [m] -> the derivative of ``of`` [m], where the interval needs another than that.
        pull: sums [m] -> how far few rows pull the metric off.
        classes: sums [m] -> the rows [k] of classes that count alike however many rows they have; None: rows do.
    """

    statistics: Callable[[Any, Any], Statistics]
    of: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray] | None = None
    pull: Callable[[np.ndarray], float] | None = None
    classes: Callable[[np.ndarray], np.ndarray] | None = None

    def prepare(self, truth: Answers, said: Answers) -> Statistics:
        """The statistics of each row."""
        return self.statistics(truth, said)

    def value(self, ready: Statistics, weights: np.ndarray) -> np.ndarray:
        """[draws] from weighted sums of the rows."""
        return self.of(_totals(ready, weights))

    def of_units(self, ready: Statistics, units: Units) -> Callable[[np.ndarray], np.ndarray]:
        """The same from the sums of each unit, which are taken once."""
        summed = ready.of_units(units) if isinstance(ready, Cells) else units.sums(ready)
        return lambda w: self.of(_totals(summed, w))

    def moves(self, ready: Statistics, w: np.ndarray, paired: bool = False) -> np.ndarray:
        """[n] a row's statistics times the derivative of the function of their sums."""
        totals = _totals(ready, w[:, None])[:, 0]
        slope = self.slope(totals) if self.slope else derivative(self.of, totals)
        moves, terms = ready @ slope, abs(ready) @ np.abs(slope)
        return np.where(np.abs(moves) > _NOISE * terms.max(), moves, 0.0)

    def bias(self, ready: Statistics, w: np.ndarray) -> float:
        """As ``pull`` tells it."""
        return self.pull(_totals(ready, w[:, None])[:, 0]) if self.pull else 0.0

    def counted(self, ready: Statistics) -> float:
        """The rows, or `rows_of_mean` of the classes."""
        totals = _totals(ready, np.ones((len(ready), 1)))[:, 0]
        return rows_of_mean(self.classes(totals) if self.classes else np.zeros(0), len(ready))


def mean_of(
    name: str, tasks: tuple[str, ...], description: str, rows: Callable[[Any, Any], np.ndarray], **more: Any
) -> Summed:
    """The mean of ``rows``, (truth, said) -> [n]; ``more``: attributes of `Summed`."""

    def statistics(truth: Any, said: Any) -> np.ndarray:
        values = rows(truth, said)
        return np.column_stack([values, np.ones(len(values))])

    return Summed(name, tasks, description, statistics=statistics, of=lambda s: ratio(s[0], s[1]), mean=True, **more)


def derivative(of: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """[m] the derivative of ``of`` at ``at`` [m], exact to rounding (Squire & Trapp 1998); 0 where it has none."""
    m = len(at)
    found = [np.zeros(0)]
    for start in range(0, m, max(1, _AT_ONCE // m)):
        some = np.arange(start, min(m, start + max(1, _AT_ONCE // m)))
        around = np.repeat(at[:, None].astype(complex), len(some), axis=1)
        around[some, np.arange(len(some))] += 1j * _STEP
        values = of(around)
        if not np.iscomplexobj(values):
            raise TypeError("the function of the sums makes them real, as abs does; it cannot be differentiated.")
        found.append(values.imag / _STEP)
    return np.nan_to_num(np.concatenate(found), posinf=0.0, neginf=0.0)  # what no row adds to: 0 × nan is no number


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """``above`` / ``below``, nan where ``below`` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def rows_of_mean(counts: np.ndarray, n: int) -> float:
    """The rows of a proportion that varies as the mean over classes of ``counts`` rows [k] of a proportion of each."""
    counts = counts[counts > 0]
    return min(float(n), len(counts) ** 2 / float((1 / counts).sum())) if len(counts) else float(n)


def _totals(ready: Statistics, w: np.ndarray) -> np.ndarray:
    return ready.totals(w) if isinstance(ready, Cells) else np.asarray(ready.T @ w)
