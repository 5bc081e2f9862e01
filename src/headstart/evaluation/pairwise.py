"""Every two of several models: which are told apart, however many pairs there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np

from headstart.evaluation.bootstrap import Interval

Pair = tuple[int, int]


def tell_apart(models: int, judged: Callable[[int, int, float], Interval], level: float) -> dict[Pair, Interval]:
    """The gain of the first over the second of every two models, at the level that the pair was judged at.

    With probability ``level`` no two equal models get an interval that excludes 0. Holm's procedure (1979) with the
    divisors of Shaffer (1986), "Modified sequentially rejective multiple test procedures": the clearest pair is judged
    at level 1 − (1 − level) / m, m being how many pairs can be equal at all; once it is told apart, fewer can be: of
    three models all three pairs at first, then one, for two equal pairs would make the third equal too. The first pair
    that is not told apart leaves all the rest untold, at its level. How clear pairs are is told once, at the first
    level, so that each is judged twice at most.

    Args:
        judged: (a, b, level) -> the gain of a over b with its interval.
    """
    pairs = list(combinations(range(models), 2))

    def at(pair: Pair, left: int) -> Interval:
        return judged(*pair, 1 - (1 - level) / most_equal(models, left))

    gains = {pair: at(pair, len(pairs)) for pair in pairs}
    clearest_first = sorted(pairs, key=lambda pair: -_clearness(gains[pair]))
    for told, pair in enumerate(clearest_first):
        left = len(pairs) - told
        gains[pair] = at(pair, left) if told else gains[pair]
        if not _clearness(gains[pair]) > 1:
            return gains | {rest: at(rest, left) for rest in clearest_first[told + 1 :] if told}
    return gains


def most_equal(models: int, pairs: int) -> int:
    """The most of so many pairs of ``models`` that can be equal: as many as groups of equal models have."""
    return max(count for count in _equal(models) if count <= max(1, pairs))


@cache
def _equal(models: int) -> frozenset[int]:
    """How many equal pairs there can be: a group of j equal models has j (j − 1) / 2, and so on with the rest."""
    if models < 2:
        return frozenset({0})
    return frozenset(j * (j - 1) // 2 + rest for j in range(1, models + 1) for rest in _equal(models - j))


def _clearness(gain: Interval) -> float:
    """The gain over the half of its interval towards 0: above 1 the interval excludes 0; below 0 without bounds."""
    half = gain.value - gain.low if gain.value > 0 else gain.high - gain.value
    if np.isnan(half):
        return -1.0
    return abs(gain.value) / half if half > 0 else float("inf") if gain.value else -1.0
