"""The race: the likeliest bases on more and more rows, the worst dropped where they are shown to be worse."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.bootstrap import paired_gain
from headstart.evaluation.metrics import METRICS

#: Shares of the rows that the rounds are run on.
SHARES = (0.25, 0.5, 1.0)
#: Fewer rows than this tell nothing, so a round is not run on them.
FEWEST = 40
#: Probability with which a base that is dropped is behind the leader.
LEVEL = 0.95

#: (base, rows [m] int) -> (probabilities [h, outputs], rows [h] int that they are of), held out from their fits.
Held = Callable[[str, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Behind:
    """How far a base is behind the round's leader on the same held-out rows.

    Attributes:
        gain: of the leader over it, in points; at least 0.
        low, high: the paired interval that holds it with 90 % probability.
        dropped: whether it is shown to be behind, so that it runs no further.
    """

    base: str
    gain: float
    low: float
    high: float
    dropped: bool


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        rows: that heads were fitted on and held out from.
        judged: held-out rows that bases were compared on.
        scores: base -> points of the metric; for errors and losses, of their negative.
        leader: the base with the best score; of equals the cheapest.
        behind: the others.
        seconds: that the fits took.
    """

    rows: int
    judged: int
    scores: dict[str, float]
    leader: str
    behind: tuple[Behind, ...]
    seconds: float


def race(bases: Sequence[str], held: Held, y: np.ndarray, order: np.ndarray, metric: str, *, seed: int) -> list[Round]:
    """Run ``bases``, the cheapest first, on a quarter, half and all of the rows, until one is left.

    Successive halving after Jamieson & Talwalkar 2016 (arXiv:1502.07943): budgets double and bases drop out. They
    drop the worse half whatever its distance; here a base is dropped where its paired difference to the leader is below
    0 with 95 % probability, for with a quarter of few rows the worst is often not the worst.

    Args:
        held: fits and answers; see `Held`.
        y: [n] or [n, outputs] targets of all rows.
        order: [n] int: which rows come first; each class should be spread evenly over it.
        metric: a name of `evaluation.metrics`.
    """
    rounds: list[Round] = []
    running = list(bases)
    for count in sizes(len(order)):
        if len(running) < 2:
            break
        one = _round(running, held, y, np.sort(order[:count]), metric, seed)
        rounds.append(one)
        out = {behind.base for behind in one.behind if behind.dropped}
        running = [base for base in running if base not in out]
    return rounds


def sizes(rows: int) -> list[int]:
    """Rows of each round, of ``rows`` in all; a round on too few is left out."""
    wanted = [round(share * rows) for share in SHARES]
    return [count for count in wanted[:-1] if count >= FEWEST] + wanted[-1:]


def survivors(rounds: Sequence[Round]) -> list[str]:
    """The bases that the last round did not drop, its leader first."""
    last = rounds[-1]
    return [last.leader, *(one.base for one in last.behind if not one.dropped)]


def _round(bases: Sequence[str], held: Held, y: np.ndarray, rows: np.ndarray, metric: str, seed: int) -> Round:
    start = time.perf_counter()
    answers = [held(base, rows) for base in bases]
    seconds = time.perf_counter() - start
    common = _common([judged for _, judged in answers])
    said = [p[np.searchsorted(judged, common)] for p, judged in answers]
    truth, sign = y[common], 1.0 if METRICS[metric].higher_is_better else -1.0
    scores = [100 * sign * METRICS[metric].function(truth, p) for p in said]
    best = int(np.nanargmax(scores)) if np.isfinite(scores).any() else 0
    behind = [_behind(bases[i], metric, truth, said[best], p, seed) for i, p in enumerate(said) if i != best]
    return Round(len(rows), len(common), dict(zip(bases, scores, strict=True)), bases[best], tuple(behind), seconds)


def _behind(base: str, metric: str, y: np.ndarray, leader: np.ndarray, other: np.ndarray, seed: int) -> Behind:
    gain = paired_gain(metric, y, leader, other, level=2 * LEVEL - 1, seed=seed)
    return Behind(base, 100 * gain.value, 100 * gain.low, 100 * gain.high, bool(gain.low > 0))


def _common(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The rows, ascending, that all have."""
    common = np.sort(rows[0])
    for other in rows[1:]:
        common = np.intersect1d(common, other)
    return common
