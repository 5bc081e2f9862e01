"""The race: the likeliest bases on more and more rows, the worst dropped where they are shown to be worse."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.significance import tell_apart

#: Shares of the rows that the rounds are run on.
SHARES = (0.25, 0.5, 1.0)
#: Fewer rows than this tell nothing, so a round is not run on them.
FEWEST = 40
#: Probability with which no two equal bases are told apart, in whichever round and whichever of them leads.
LEVEL = 0.95
#: Shares of the chance of telling equal ones apart that the rounds may spend: most is left for the most rows.
_SPENT = (0.1, 0.2, 0.7)

#: (base, rows [m] int) -> (probabilities [h, outputs], rows [h] int that they are of), held out from their fits.
Held = Callable[[str, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Behind:
    """How far a base is behind the round's leader on the same held-out rows.

    Attributes:
        gain: of the leader over it, in points; at least 0.
        low, high: the paired interval, at the level that the pair was judged at, see `race`.
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


def race(
    bases: Sequence[str],
    held: Held,
    y: np.ndarray,
    order: np.ndarray,
    metric: str,
    *,
    units: np.ndarray | None = None,
    seed: int,
) -> list[Round]:
    """Run ``bases``, the cheapest first, on a quarter, half and all of the rows, until one is left.

    Successive halving after Jamieson & Talwalkar 2016 (arXiv:1502.07943): budgets double and bases drop out. They
    drop the worse half whatever its distance; here a base is dropped where it is shown to be behind the leader, for
    with a quarter of few rows the worst is often not the worst.

    The leader is whoever does best on the rows that also judge it, and there are several rounds. So all pairs are
    compared (`evaluation.significance`), and the rounds share out the chance of being wrong: with 95 %
    probability no two equal bases are told apart in any of them.

    Args:
        held: fits and answers; see `Held`.
        y: [n] or [n, outputs] targets of all rows.
        order: [n] int: which rows come first; each class should be spread evenly over it.
        metric: a name of `evaluation.metrics`.
        units: [n] codes: rows of one unit are not independent; None: all rows are.
    """
    rounds: list[Round] = []
    running = list(bases)
    counts = sizes(len(order))
    for count, level in zip(counts, levels(len(counts)), strict=True):
        if len(running) < 2:
            break
        one = _round(running, held, y, np.sort(order[:count]), metric, level, units, seed)
        rounds.append(one)
        out = {behind.base for behind in one.behind if behind.dropped}
        running = [base for base in running if base not in out]
    return rounds


def sizes(rows: int) -> list[int]:
    """Rows of each round, of ``rows`` in all; a round on too few is left out."""
    wanted = [round(share * rows) for share in SHARES]
    return [count for count in wanted[:-1] if count >= FEWEST] + wanted[-1:]


def levels(rounds: int) -> list[float]:
    """The level that each of so many rounds is judged at, so that all of them together keep to `LEVEL`."""
    spent = (*_SPENT[len(_SPENT) - rounds : -1], 1 - sum(_SPENT[len(_SPENT) - rounds : -1]))
    return [1 - share * (1 - LEVEL) for share in spent]


def survivors(rounds: Sequence[Round]) -> list[str]:
    """The bases that the last round did not drop, its leader first."""
    last = rounds[-1]
    return [last.leader, *(one.base for one in last.behind if not one.dropped)]


def _round(
    bases: Sequence[str],
    held: Held,
    y: np.ndarray,
    rows: np.ndarray,
    metric: str,
    level: float,
    units: np.ndarray | None,
    seed: int,
) -> Round:
    start = time.perf_counter()
    answers = [held(base, rows) for base in bases]
    seconds = time.perf_counter() - start
    common = _common([judged for _, judged in answers])
    said = [p[np.searchsorted(judged, common)] for p, judged in answers]
    truth, sign = y[common], 1.0 if METRICS[metric].higher_is_better else -1.0
    scores = [100 * sign * METRICS[metric].function(truth, p) for p in said]
    best = int(np.nanargmax(scores)) if np.isfinite(scores).any() else 0

    def judged(a: int, b: int, level: float) -> Interval:
        alike = None if units is None else units[common]
        return paired_gain(metric, truth, said[a], said[b], units=alike, level=level, seed=seed)

    gains = tell_apart(len(bases), judged, level)
    behind = [_behind(base, gains, best, i) for i, base in enumerate(bases) if i != best]
    return Round(len(rows), len(common), dict(zip(bases, scores, strict=True)), bases[best], tuple(behind), seconds)


def _behind(base: str, gains: Mapping[tuple[int, int], Interval], best: int, number: int) -> Behind:
    """How far ``base``, of that ``number``, is behind the ``best``; gains are of a pair's first over its second."""
    gain = gains[min(best, number), max(best, number)]
    value, low, high = (gain.value, gain.low, gain.high) if best < number else (-gain.value, -gain.high, -gain.low)
    return Behind(base, 100 * value, 100 * low, 100 * high, bool(low > 0))


def _common(rows: Sequence[np.ndarray]) -> np.ndarray:
    """The rows, ascending, that all have."""
    common = np.sort(rows[0])
    for other in rows[1:]:
        common = np.intersect1d(common, other)
    return common
