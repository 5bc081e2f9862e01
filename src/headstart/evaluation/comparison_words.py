"""A comparison of models in words."""

from __future__ import annotations

import math

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.metrics import get
from headstart.evaluation.significance import Comparison, Pair
from headstart.evaluation.wording import gained, metric_name, number


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
