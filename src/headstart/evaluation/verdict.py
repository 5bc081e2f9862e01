"""What the evidence supports: did borrowing help, how sure is that, what to do next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.metrics import Metric, get
from headstart.evaluation.proportions import normal_quantile

Outcome = Literal["helped", "did not help", "cannot tell", "hurt"]

#: The control that any model must beat, by its name among the gains.
MAJORITY = "majority"
#: The control that parts what was borrowed from the architecture: the same network trained, at equal budget, from
#: random weights.
SCRATCH = "scratch"
#: Gains smaller than this are not worth borrowing: absolute on unit scale, else a share of the larger score.
MARGIN = 0.05

_POWER = 0.8


@dataclass(frozen=True)
class Verdict:
    """The answer to "did borrowing help?", worded for the person who has to decide.

    Attributes:
        outcome: "helped", "did not help", "cannot tell" or "hurt".
        sentence: the outcome first, then the numbers it rests on.
        next_step: what to do with it.
    """

    outcome: Outcome
    sentence: str
    next_step: str


def judge(
    score: Interval,
    metric: str,
    gains: Mapping[str, Interval],
    *,
    unit: str = "test rows",
    margin: float | None = None,
) -> Verdict:
    """The verdict on a model of ``score`` from its paired ``gains`` over each control (positive is better).

    Borrowing *helped* if its interval over the best control lies above 0, and those over `MAJORITY` and
    `SCRATCH`, if given, too. It *hurt* if the interval over the best control lies below 0. Otherwise it *did not
    help* if that interval lies within ±``margin``, and else the rows are too few and we *cannot tell*. The best
    control is the one with the highest score, which is the one with the smallest gain over it. ``unit`` is what a
    row is called, in the plural; ``margin`` is in the metric's unit, by default `MARGIN`.

    Where `SCRATCH` lies above the borrowed model, the sentence names it negative transfer (Wang et al. 2019,
    arXiv:1811.09751); where only `SCRATCH` is not beaten, it says what may explain the gain over the others.
    """
    chosen = get(metric)
    name = metric.replace("_", " ")
    undefined = [control for control, gain in gains.items() if math.isnan(gain.value)]
    if not gains or undefined or math.isnan(score.value):
        return _without_evidence(name, score, bool(gains), unit)
    best = min(gains, key=lambda control: gains[control].value)
    gain = gains[best]
    for needed in (MAJORITY, SCRATCH):
        if gain.low > 0 and needed in gains and not gains[needed].low > 0:
            best, gain = needed, gains[needed]
    remark = _scratch_remark(gains, best)
    facts = _facts(name, chosen, score, best, gain)
    if margin is None:
        scale = max(abs(score.value), abs(_control_score(chosen, score, gain)))
        margin = MARGIN if chosen.unit_scale else MARGIN * scale
    if math.isnan(gain.low) or math.isnan(gain.high):
        return _without_bounds(facts, best, gain, unit, remark)
    if gain.low > 0:
        return Verdict("helped", f"Borrowing helped: {facts}.", "Ship the borrowed model.")
    if gain.high < 0:
        step = f"Use {best}; it scores higher" + (", or try a base nearer to these data (`--base`)." if remark else ".")
        return Verdict("hurt", f"Borrowing hurt: {facts}; use {best} instead.{remark}", step)
    if max(gain.high, -gain.low) <= margin:
        return Verdict(
            "did not help",
            f"Borrowing did not help: {facts}; use {best} instead.{remark}",
            f"Use {best}: any difference is at most {_number(margin)} either way, and it borrows nothing.",
        )
    return _too_few(facts, best, gain, margin, unit, remark)


def rows_needed(gain: Interval, margin: float) -> int:
    """Test rows at which a gain of this size would probably be settled, rounded up to two figures.

    The half-width h of an interval falls with 1 / √n (Miller 2024, "Adding error bars to evals", section 5).
    It has to fall to |gain| for the interval to exclude 0, or to ``margin`` − |gain| for it to lie within the
    margin; the easier of the two counts. The factor ((z₁ + z₂) / z₁)², with z₁ the interval's quantile and z₂
    that of a power of 80 %, allows for the gain coming out differently on other rows. It takes the measured
    gain for the true one, so it is an order of magnitude, not a promise.
    """
    half = (gain.high - gain.low) / 2
    target = max(abs(gain.value), margin - abs(gain.value))
    z = normal_quantile(gain.level)
    factor = ((z + normal_quantile(2 * _POWER - 1)) / z) ** 2
    rows = gain.n * factor * (half / target) ** 2
    figure = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return max(gain.n + 1, math.ceil(rows / figure) * figure)


def _without_evidence(name: str, score: Interval, controls: bool, unit: str) -> Verdict:
    if not controls:
        why = "no control was run"
        step = "Run the controls; without one a score says nothing about borrowing."
    else:
        why = f"{name} is undefined on these {score.n} {unit} for the model or a control"
        step = "Choose another metric, or add rows of the classes or values that are missing."
    return Verdict("cannot tell", f"Cannot tell whether borrowing helped: {why}.", step)


def _without_bounds(facts: str, best: str, gain: Interval, unit: str, remark: str) -> Verdict:
    why = "which borrows nothing" if best == SCRATCH else "the simpler model"
    return Verdict(
        "cannot tell",
        f"Cannot tell whether borrowing helped: {facts}; {gain.n:,} {unit} give the gain no interval.{remark}",
        f"Use {best}, {why}, unless more rows tell them apart.",
    )


def _too_few(facts: str, best: str, gain: Interval, margin: float, unit: str, remark: str) -> Verdict:
    rows = f"about {rows_needed(gain, margin):,} {unit} would tell, there are {gain.n:,}"
    return Verdict(
        "cannot tell",
        f"Cannot tell whether borrowing helped: {facts}; {rows}.{remark}",
        f"Label more rows ({rows}); until then {best} is the safe choice.",
    )


def _scratch_remark(gains: Mapping[str, Interval], best: str) -> str:
    """What the control `SCRATCH` adds, as a sentence to follow others; "" where it adds nothing."""
    if SCRATCH not in gains:
        return ""
    gain = gains[SCRATCH]
    if gain.high < 0:
        numbers = "" if best == SCRATCH else f" (gain over it {_gained(gain)})"
        return f" This is negative transfer: the borrowed weights did worse than random ones{numbers}."
    others = {name: other for name, other in gains.items() if name != SCRATCH}
    if not others or not gain.low <= 0 or not all(other.low > 0 for other in others.values()):
        return ""
    name = min(others, key=lambda control: others[control].value)
    return (
        f" The gain over {name}, {_gained(others[name])}, may come from the architecture and its training, "
        f"not from the borrowed weights."
    )


def _gained(gain: Interval) -> str:
    return f"{_number(gain.value, signed=True)} ({_span(gain, signed=True)})".replace(" ()", "")


def _facts(name: str, metric: Metric, score: Interval, control: str, gain: Interval) -> str:
    """Score, control and gain with their intervals."""
    span = _span(score, signed=False)
    interval = f" ({score.level * 100:g} % interval {span})" if span else ""
    against = _number(_control_score(metric, score, gain))
    shown = f"{SCRATCH} (the same network from random weights)" if control == SCRATCH else control
    return f"{name} {_number(score.value)}{interval} against {against} for {shown}; gain {_gained(gain)}"


def _control_score(metric: Metric, score: Interval, gain: Interval) -> float:
    return score.value - gain.value if metric.higher_is_better else score.value + gain.value


def _span(interval: Interval, *, signed: bool) -> str:
    """Both bounds, "" if there are none; a dash only where no minus sign could be mistaken for it."""
    low, high = interval.low, interval.high
    if math.isnan(low) or math.isnan(high):
        return ""
    if low >= 0:
        return f"{_number(low)}–{_number(high)}"
    return f"{_number(low, signed=signed)} to {_number(high, signed=signed)}"


def _number(value: float, *, signed: bool = False) -> str:
    """Three decimals below 100, three figures above; a true minus sign."""
    digits = ".3f" if abs(value) < 100 else ",.0f"
    text = format(value, f"+{digits}" if signed else digits)
    return text.replace("-", "−")
