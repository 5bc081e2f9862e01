"""What a split that parts copies and groups would have claimed, against one that keeps them together.

One ridge probe on the features, fitted and judged twice on all rows by 5 parts: once dealt row by row, once unit by
unit. Both give every row an answer by a fit that did not hold it, in closed form (`headstart.heads.ridge`), so the
two scores are compared row by row. Rows of a unit err together; the interval is therefore of sums over units, with
one unit won and one lost added (Bonett & Price 2012), so that no difference at all is not called certain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.heads import ridge
from headstart.heads.folds import deal
from headstart.heads.rotation import Rotation, rotate
from headstart.heads.scoring import row_scores
from headstart.heads.target_scale import TargetScale
from headstart.heads.threads import for_size
from headstart.tasks import get

_PARTS = 5
_MOST = 3_000  # rows; more make it no clearer
_ALPHAS = ridge.GRID[2:8:2]
_SIZEABLE = 0.005  # in the metric's own unit


@dataclass(frozen=True)
class Naive:
    """Two ways of splitting, one probe.

    Attributes:
        metric: of both scores, higher is better.
        naive, honest: score where rows are dealt one by one, and where units stay together.
        gain: naive less honest.
        low, high: its interval.
        n: rows it rests on.
        together: rows that share their unit with another.
    """

    metric: str
    naive: float
    honest: float
    gain: float
    low: float
    high: float
    n: int
    together: int

    @property
    def matters(self) -> bool:
        """Whether the naive split flatters, beyond chance and by enough to be worth a word."""
        return self.low > 0 and self.gain >= _SIZEABLE

    @property
    def sentence(self) -> str:
        """Both claims in words."""
        kept = f"{self.together:,} of {self.n:,} rows have a copy or share a group"
        scores = f"{self.naive:.3f} by a split that ignores it, {self.honest:.3f} by one that keeps them together"
        gain = f"{self.gain:+.3f}, 95 % interval {self.low:+.3f} to {self.high:+.3f}"
        if self.matters:
            said = "would flatter"
        elif self.high < _SIZEABLE or self.low > 0:
            said = "makes no difference that matters"
        else:
            said = "may flatter or not: these rows cannot tell"
        return f"{kept}. A linear probe's {self.metric}: {scores}; ignoring it {said} ({gain})."


def naive_split(
    x: np.ndarray,
    y: np.ndarray,
    task: str,
    outputs: int,
    units: np.ndarray,
    *,
    metric: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Naive | None:
    """What dealing rows one by one would have claimed; None where no two rows share a unit, or all do.

    Args:
        x: [n, d] float32 features.
        y: targets as the task encodes them.
        task: "classification", "multilabel" or "regression".
        outputs: number of classes, labels or values.
        units: [n] rows of one number belong together.
        metric: a name of `Task.head_metrics`; None, or a name not in there: the task's first.
        level: of the interval.
        seed: deals the parts.
    """
    x, y, units = _drawn(x, y, units, seed)
    sizes = np.bincount(units)
    if len(sizes) < 2 or len(sizes) == len(units):
        return None
    known = get(task).head_metrics
    named = metric if metric in known and metric != "log_loss" else known[0]
    with for_size(x.shape, outputs):
        aims = TargetScale.of(y, task).standardised(y)
        probe = _Probe(rotate(np.asarray(x, np.float32)), aims, task, outputs, named)
        apart = deal(y, task, _PARTS, seed=seed, groups=units)
        alpha = max(_ALPHAS, key=lambda a: probe.values(a, apart).mean())
        honest = probe.values(alpha, apart)
        naive = probe.values(alpha, deal(y, task, _PARTS, seed=seed))
    low, high = _bounds(naive - honest, units, level)
    gain = float(naive.mean() - honest.mean())
    together = int((sizes[units] > 1).sum())
    return Naive(named, float(naive.mean()), float(honest.mean()), gain, low, high, len(y), together)


def _drawn(x: np.ndarray, y: np.ndarray, units: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows, or whole units of them up to `_MOST` rows, and their units numbered from 0."""
    units = np.unique(units, return_inverse=True)[1]
    if len(y) <= _MOST:
        return x, y, units
    order = np.random.default_rng(seed).permutation(int(units.max()) + 1)
    wanted = order[np.cumsum(np.bincount(units)[order]) <= _MOST]
    rows = np.isin(units, wanted)
    return x[rows], y[rows], np.unique(units[rows], return_inverse=True)[1]


@dataclass(frozen=True)
class _Probe:
    rotation: Rotation
    y: np.ndarray
    task: str
    outputs: int
    metric: str

    def values(self, alpha: float, parts: list[np.ndarray]) -> np.ndarray:
        """[n] one value a row, whose mean is the metric, from answers by fits without the row's part."""
        aim = ridge.aim(self.rotation, ridge.code(self.y, self.task, self.outputs))
        scores = np.empty((len(self.y), self.outputs), np.float32)
        for part in parts:
            scores[part] = ridge.leave_part_out(self.rotation, aim, alpha, part)
        return row_scores(scores, self.y, self.task, self.metric)


def _bounds(difference: np.ndarray, units: np.ndarray, level: float) -> tuple[float, float]:
    """Interval of the mean ``difference`` [n] whose rows are independent between ``units`` [n] only."""
    from scipy.special import stdtrit

    count = int(units.max()) + 1
    mean = float(difference.mean())
    sums = np.bincount(units, weights=difference - mean) / len(difference)
    variance = count / (count - 1) * float((sums**2).sum()) + 2 / count**2
    half = float(stdtrit(count - 1, (1 + level) / 2)) * variance**0.5
    return mean - half, mean + half
