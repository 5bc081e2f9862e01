"""Metrics of the order that answers put the rows in: sorted once, then weighted sums along that order.

For the area under the ROC curve the derivatives by the rows' weights are the placement values of DeLong, DeLong &
Clarke-Pearson (1988), here averaged over the classes row by row, so that what classes have in common is counted. A
class's deviations are taken from its value drawn towards the mean of all classes, as in
`headstart.evaluation.class_metrics`; for average precision it is the derivative of that freed of what few positives
add. Numbers of rows that are alike in all classes were chosen (`randomness`) and add nothing of their own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headstart.evaluation.answers import Answers, Dense
from headstart.evaluation.class_metrics import TOWARDS, drawn, made_good, randomness
from headstart.evaluation.metric import Metric, ratio, rows_of_mean

_HELD = 1 << 23  # places kept sorted between two uses, 128 MiB


class Ranks:
    """The rows in the order of a score [n], for sums over those that score less than each."""

    def __init__(self, score: np.ndarray) -> None:
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        rank = np.empty(len(score), np.int64)
        rank[self._order] = np.cumsum(starts) - 1
        self._starts, self._rank = np.flatnonzero(starts), rank

    @property
    def tied(self) -> bool:
        """Whether all rows have the same score."""
        return len(self._starts) == 1

    def below(self, w: np.ndarray, equals: float = 0.0) -> np.ndarray:
        """Sums of ``w`` [n] or [n, draws] over the rows of a lower score, and a share ``equals`` of those at it."""
        groups = np.add.reduceat(w[self._order], self._starts, axis=0)
        return np.asarray((np.cumsum(groups, axis=0) - (1 - equals) * groups)[self._rank])


@dataclass
class Column:
    """One class or label: the rows that have it, and the score [n] that ranks all."""

    positive: np.ndarray
    score: np.ndarray

    @cached_property
    def ranks(self) -> Ranks:
        """The rows in order, sorted when first asked for."""
        return Ranks(self.score)

    def parted(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``w`` [n] or [n, draws] of the positives and of the others, 0 elsewhere."""
        positive = self.positive if w.ndim == 1 else self.positive[:, None]
        return np.where(positive, w, 0.0), np.where(positive, 0.0, w)


class Columns:
    """The classes or labels of which a mean is taken, sorted anew each time where they are too many to keep."""

    def __init__(self, y: np.ndarray, score: np.ndarray, columns: np.ndarray, sign: int = 1) -> None:
        self._y, self._score, self._columns, self._sign = y, score, columns, sign
        self._kept = list(self._made()) if len(columns) * len(y) <= _HELD else None

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self._made() if self._kept is None else self._kept)

    @property
    def rows(self) -> float:
        """As `rows_of_mean`, of all classes or labels that occur."""
        y = self._y
        return rows_of_mean(np.unique(y, return_counts=True)[1] if y.ndim == 1 else (y > 0.5).sum(axis=0), len(y))

    def _made(self) -> Iterator[Column]:
        for column in self._columns:
            has = self._y == column if self._y.ndim == 1 else self._y[:, column] > 0.5
            yield Column(has, self._sign * self._score[:, column])


@dataclass(frozen=True)
class Ranked(Metric):
    """The mean, over classes or labels, of a metric of the order that their probabilities put the rows in."""

    def value(self, ready: Columns, weights: np.ndarray) -> np.ndarray:
        """[draws] the mean; nan where there is no column."""
        if not len(ready):
            return np.full(weights.shape[1], np.nan)
        return np.asarray(np.mean([self.of_column(column, weights) for column in ready], axis=0))

    def moves(self, ready: Columns, w: np.ndarray, paired: bool = False, towards: float = TOWARDS) -> np.ndarray:
        """With ``towards`` 0 the plain derivative."""
        total, parts = np.zeros(len(w)), []
        chosen = 1 - randomness(np.array([w[column.positive].sum() for column in ready])) ** 0.5
        for column in ready:
            own, others = self.moved(column, w, towards > 0, chosen, paired)
            total += others
            positive = np.flatnonzero(column.positive)
            parts.append((positive, own, float(w[positive].sum()), float(w[positive] @ own / w[positive].sum())))
        rows, values = np.array([part[2] for part in parts]), np.array([part[3] for part in parts])
        centres, scales = drawn(values, rows, float(values.mean()), towards), np.sqrt(made_good(rows, towards))
        for (positive, own, n, _), centre, scale in zip(parts, centres, scales, strict=True):
            total[positive] += scale * (own - centre) / n
        return total / len(ready)

    def counted(self, ready: Columns) -> float:
        """As `rows_of_mean`."""
        return ready.rows

    @abstractmethod
    def of_column(self, column: Column, w: np.ndarray) -> np.ndarray:
        """[draws] the metric of one class for weights [n, draws]."""

    @abstractmethod
    def moved(
        self, column: Column, w: np.ndarray, freed: bool, chosen: float, paired: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """[positives] values of which the metric of one class is the mean, and [n] what other rows move besides.

        ``freed`` of the bias; ``chosen``: how far (0 … 1) the number of positives was chosen and is not random.
        """


@dataclass(frozen=True)
class Auroc(Ranked):
    """Area under the ROC curve: the share of (positive, negative) pairs in order, ties half (Mann & Whitney 1947).

    It is taken of the classes or labels that some rows have and others have not.
    """

    def prepare(self, truth: Dense, said: Dense) -> Columns:  # type: ignore[override]
        """The columns, each sorted once."""
        y, p = truth.values, said.values
        columns = np.flatnonzero((y > 0.5).any(axis=0) & (y <= 0.5).any(axis=0)) if y.ndim == 2 else _several(y)
        if y.ndim == 1 and p.shape[1] == 2:
            columns = columns[1:]  # of two classes both areas are the same
        return Columns(y, p, columns)

    def of_column(self, column: Column, w: np.ndarray) -> np.ndarray:
        """Pairs in order over pairs."""
        own, rest = column.parted(w)
        below = column.ranks.below(rest, equals=0.5)
        return ratio((own * below).sum(axis=0), own.sum(axis=0) * rest.sum(axis=0))

    def moved(
        self, column: Column, w: np.ndarray, freed: bool, chosen: float, paired: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """A positive's share of negatives below it; a negative's share of positives above it."""
        (own, rest), ranks = column.parted(w), column.ranks
        share = ranks.below(rest, equals=0.5)[column.positive] / rest.sum()
        value = float(own[column.positive] @ share) / own.sum()
        above = (own.sum() - ranks.below(own, equals=0.5)) / own.sum()
        return share, np.where(column.positive, 0.0, (above - value) / rest.sum())


@dataclass(frozen=True)
class AveragePrecision(Ranked):
    """Step-wise area under precision and recall, of the classes that occur or the labels with positives."""

    def prepare(self, truth: Dense, said: Dense) -> Columns:  # type: ignore[override]
        """The columns, each sorted once."""
        y = truth.values
        columns = np.flatnonzero((y > 0.5).any(axis=0)) if y.ndim == 2 else _several(y)
        return Columns(y, said.values, columns, sign=-1)

    def of_column(self, column: Column, w: np.ndarray) -> np.ndarray:
        """Mean over the positives of the precision among the rows that score at least as high."""
        own, _ = column.parted(w)
        hits, taken = (column.ranks.below(part, equals=1.0) for part in (own, w))
        return ratio((own * np.where(own > 0, ratio(hits, taken), 0.0)).sum(axis=0), own.sum(axis=0))

    def bias(self, ready: Columns, w: np.ndarray) -> float:
        """By how much few rows of a class make its average precision come out too high, averaged over the classes.

        Each positive counts itself among those above it. Of m positives the r-th has a share of r / (m + 1) of all
        positives above it on average, not r / m (the mean of an order statistic).
        """
        off = []
        for column in ready:
            own, _ = column.parted(w)
            hits, taken = (column.ranks.below(part, equals=1.0)[column.positive] for part in (own, w))
            fewer = hits * own.sum() / (own.sum() + 1)
            off.append(float(w[column.positive] @ (hits / taken - fewer / (fewer + taken - hits))) / float(own.sum()))
        return float(np.mean(off)) if off else 0.0

    def moved(
        self, column: Column, w: np.ndarray, freed: bool, chosen: float, paired: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """A positive's own precision, and what a row does to that of all positives below it.

        Freed of the part that few positives add, which makes the steps from rank to rank larger; and, as far as their
        number is ``chosen``, of what more of all positives would change. ``paired``: by what leaving out a negative
        changes, as the steps near the top are far from small; alone the plus-four rule allows for that.
        """
        (own, _), ranks, positive = column.parted(w), column.ranks, column.positive
        hits, taken = (ranks.below(part, equals=1.0) for part in (own, w))  # scoring at least as high
        share = float(own.sum() / (own.sum() + 1)) if freed else 1.0
        taken = taken - (1 - share) * hits
        precision = share * hits / taken
        gained, lost = (part.sum() - ranks.below(part) for part in (own / taken, own * precision / taken))
        ranked = (share * (gained - lost))[positive]
        common = float(own[positive] @ ranked) / float(own.sum())
        if paired:
            fewer = own * precision / np.maximum(taken - 1, share * np.maximum(hits, 1))
            lost = fewer.sum() - ranks.below(fewer)
        more = common * (1 - chosen if freed else 1.0)
        return precision[positive] + ranked - common, np.where(positive, more, -lost) / float(own.sum())

    def pseudo_rows(self, truth: Answers, said: Answers) -> tuple[Dense, Dense, np.ndarray]:
        """Two right and two wrong in all: each class gets one of each, the wrong one with all its probability on
        another class.
        """
        y, p = truth.values, said.values  # type: ignore[attr-defined]
        k = p.shape[1]
        classes = np.unique(y) if y.ndim == 1 else np.flatnonzero((y > 0.5).any(axis=0))
        others = np.roll(classes, -1) if len(classes) > 1 else (classes + 1) % k
        right = np.eye(k)[classes]
        wrong = np.eye(k)[others] if k > 1 else 1 - right
        mark = classes if y.ndim == 1 else right
        weight = np.full(2 * len(classes), 2.0 / max(1, len(classes)))
        return Dense(np.concatenate([y, mark, mark])), Dense(np.concatenate([p, right, wrong])), weight


@dataclass(frozen=True)
class Spearman(Metric):
    """Correlation of the ranks, ties at their mean rank; nan if truth or predictions do not vary."""

    def prepare(self, truth: Dense, said: Dense) -> tuple[Ranks, Ranks]:  # type: ignore[override]
        """The order by truth, and by predictions."""
        a, b = (Ranks(np.asarray(part.values, dtype=float).reshape(-1)) for part in (truth, said))
        return a, b

    def value(self, ready: tuple[Ranks, Ranks], weights: np.ndarray) -> np.ndarray:
        """[draws] by mid-ranks: the weight below, plus half the weight of equals."""
        if any(ranks.tied for ranks in ready):
            return np.full(weights.shape[1], np.nan)
        a, b = (ranks.below(weights, equals=0.5) for ranks in ready)
        total = weights.sum(axis=0)
        a, b = a - (a * weights).sum(axis=0) / total, b - (b * weights).sum(axis=0) / total
        spread = (weights * a * a).sum(axis=0) * (weights * b * b).sum(axis=0)
        return ratio((weights * a * b).sum(axis=0), np.sqrt(spread))


def _several(y: np.ndarray) -> np.ndarray:
    """The classes of ``y`` [n] where there is more than one."""
    classes = np.unique(y)
    return classes if len(classes) > 1 else classes[:0]
