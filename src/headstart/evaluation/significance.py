"""Whether models that answered the same rows can be told apart.

Not to be told apart is a result, with the rows that would tell; it does not say that the models are equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Literal

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.metrics import get
from headstart.evaluation.verdict import rows_needed
from headstart.evaluation.wording import gained, metric_name, number
from headstart.ragged import Ragged, flat

_Two = tuple[int, int]  # numbers of models
Outcome = Literal["a better", "b better", "no significant difference"]


@dataclass(frozen=True)
class McNemar:
    """The test of two models on the rows that only one of them has right.

    Attributes:
        a_only, b_only: rows that only the one model has right.
        exact: two-sided p-value of the exact test, which is on the safe side.
        mid_p: two-sided mid-p-value, which calls equal models different about as often as it says.
    """

    a_only: int
    b_only: int
    exact: float
    mid_p: float


@dataclass(frozen=True)
class Pair:
    """Two of the models compared.

    Attributes:
        a, b: their names.
        gain: of a over b, above 0 where a is better; its level is the one that the pair was judged at.
        outcome: "a better" or "b better" where the gain's interval excludes 0, else "no significant difference".
        rows_needed: rows, or groups of them where rows are grouped, at which a gain of this size would probably be
            settled; None where it is, or where there is no gain to settle.
        mcnemar: of the rows answered right; None for multilabel and regression, and where rows are grouped.
    """

    a: str
    b: str
    gain: Interval
    outcome: Outcome
    rows_needed: int | None
    mcnemar: McNemar | None


@dataclass(frozen=True)
class Comparison:
    """Two or more models on the same n rows.

    Attributes:
        metric: what they were compared by.
        level: probability with which no two equal models are called different.
        n: rows.
        scores: model -> its score, each interval at ``level``.
        pairs: every two models, in the order given.
    """

    metric: str
    level: float
    n: int
    scores: dict[str, Interval]
    pairs: list[Pair]


def mcnemar(y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> McNemar:
    """McNemar's test (1947) for true classes ``y`` [n] and the probabilities [n, k] of two models.

    The rows that only one model has right fall to either like a fair coin where the models are equally good, so the
    p-value is a binomial one. The mid-p-value counts half of the probability of what was seen; Fagerland, Lydersen &
    Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", found it to keep its level wherever they looked.
    """
    from scipy.special import bdtr

    y = np.asarray(y)
    right_a, right_b = (np.argmax(p, axis=1) == y for p in (p_a, p_b))
    a_only, b_only = int(np.count_nonzero(right_a & ~right_b)), int(np.count_nonzero(right_b & ~right_a))
    apart, fewer = a_only + b_only, min(a_only, b_only)
    at_most = float(bdtr(fewer, apart, 0.5))
    less = float(bdtr(fewer - 1, apart, 0.5)) if fewer else 0.0
    return McNemar(a_only, b_only, min(1.0, 2 * at_most), at_most + less)


def compare_models(
    names: Sequence[str],
    metric: str,
    y: Any,
    ps: Sequence[Any],
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Every two of the models ``names`` by their probabilities ``ps``, each [n, outputs] or ragged, on the same rows.

    More than two models are more than one pair, and among many equal pairs some would look different by chance:
    `tell_apart` says how that is allowed for. Rows of one unit (``units`` [n] codes) are not
    independent; McNemar's test, which takes them for that, is left out there.

    Raises:
        SettingError: fewer than two models, names that are not all different, models with other numbers of rows, or
            an unknown metric.
    """
    _check(names, y, ps)
    scores = {
        name: score_interval(metric, y, p, units=units, level=level, draws=draws, seed=seed)
        for name, p in zip(names, ps, strict=True)
    }

    def judged(a: int, b: int, corrected: float) -> Interval:
        return paired_gain(metric, y, ps[a], ps[b], units=units, level=corrected, draws=draws, seed=seed)

    gains = tell_apart(len(ps), judged, level)
    pairs = [_pair(names[a], names[b], gains[a, b], y, ps[a], ps[b]) for a, b in gains]
    return Comparison(metric, level, len(y), scores, pairs)


def _check(names: Sequence[str], y: Any, ps: Sequence[Any]) -> None:
    if len(names) < 2 or len(names) != len(ps):
        raise SettingError(f"{len(names)} models were given to compare, with {len(ps)} answers; give at least two.")
    if len(set(names)) < len(names):
        raise SettingError(f"the models are called {', '.join(names)}; their names must all be different.")
    for name, p in zip(names, ps, strict=True):
        if len(p) != len(y) or np.shape(flat(p)) != np.shape(flat(ps[0])):
            raise SettingError(f"{name} answered {len(p)} rows where the truth has {len(y)}; give the same rows.")


def _outcome(gain: Interval) -> Outcome:
    if gain.low > 0:
        return "a better"
    return "b better" if gain.high < 0 else "no significant difference"


def _pair(a: str, b: str, gain: Interval, y: Any, p_a: Any, p_b: Any) -> Pair:
    outcome = _outcome(gain)
    open_question = (
        outcome == "no significant difference" and gain.value != 0 and np.isfinite([gain.low, gain.high]).all()
    )
    needed = rows_needed(gain, 0.0) if open_question else None
    one_label = not isinstance(y, Ragged) and np.ndim(y) == 1 and np.shape(p_a)[1] > 1
    tested = mcnemar(np.asarray(y), p_a, p_b) if one_label and not gain.grouped else None
    return Pair(a, b, gain, outcome, needed, tested)


# --- every two of several models ---


def tell_apart(models: int, judged: Callable[[int, int, float], Interval], level: float) -> dict[_Two, Interval]:
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

    def at(pair: _Two, left: int) -> Interval:
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


# --- in words ---


def pair_sentence(pair: Pair, comparison: Comparison) -> str:
    """Which of two models is better, or how many rows would tell."""
    scores, metric = comparison.scores, metric_name(comparison.metric)
    a, b = (number(scores[name].value) for name in (pair.a, pair.b))
    difference = _difference(pair.gain, len(comparison.pairs))
    if pair.outcome == "a better":
        return f"{pair.a} is better than {pair.b}: {metric} {a} against {b}, gain {difference}."
    if pair.outcome == "b better":
        turned = Interval(
            -pair.gain.value, -pair.gain.high, -pair.gain.low, pair.gain.level, pair.gain.n, pair.gain.units
        )
        difference = _difference(turned, len(comparison.pairs))
        return f"{pair.b} is better than {pair.a}: {metric} {b} against {a}, gain {difference}."
    head = f"No significant difference between {pair.a} and {pair.b}: {metric} {a} and {b}"
    if math.isnan(pair.gain.value):
        return f"{head}; {metric} has no value on these {comparison.n:,} rows."
    if math.isnan(pair.gain.low):
        return f"{head}; {comparison.n:,} rows give the difference no interval."
    return f"{head}, gain of {pair.a} {difference}; {_needed(pair, pair.gain)}."


def headline(comparison: Comparison) -> str:
    """The outcome in one sentence: that of the one pair, or which model is better than all others."""
    if len(comparison.pairs) == 1:
        return pair_sentence(comparison.pairs[0], comparison)
    known = {name: score.value for name, score in comparison.scores.items() if not math.isnan(score.value)}
    metric = metric_name(comparison.metric)
    if not known:
        return f"No model can be judged: {metric} has no value on these {comparison.n:,} rows."
    pick = max if get(comparison.metric).higher_is_better else min
    best = pick(known, key=lambda name: known[name])
    open_to = [
        pair.b if pair.a == best else pair.a
        for pair in comparison.pairs
        if best in (pair.a, pair.b) and pair.outcome not in ("a better", "b better")
    ]
    if not open_to:
        return f"{best} is better than all the others: {metric} {number(known[best])}."
    return (
        f"{best} has the best {metric}, {number(known[best])}, but no significant difference from {_listed(open_to)}."
    )


def _difference(gain: Interval, pairs: int) -> str:
    return gained(gain) + (f", corrected for {pairs} pairs" if pairs > 1 else "")


def _needed(pair: Pair, gain: Interval) -> str:
    what = "groups of rows" if gain.grouped else "rows"
    if pair.rows_needed is None:
        return f"nothing points either way on these {gain.units:,} {what}"
    return f"about {pair.rows_needed:,} {what} would settle it; there are {gain.units:,}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
