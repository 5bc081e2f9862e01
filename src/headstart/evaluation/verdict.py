"""What the evidence supports: did transfer learning help, how sure is that, what to do next."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.metrics import Metric, get
from headstart.evaluation.proportions import normal_quantile
from headstart.evaluation.wording import gained, metric_name, number
from headstart.evaluation.wording import score as worded

Outcome = Literal["helped", "did not help", "cannot tell", "hurt"]

#: The baseline that any model must beat, by its name among the gains.
MAJORITY = "majority"
#: The baseline that parts pretraining from the architecture: the same network trained, at equal budget, from
#: random weights.
SCRATCH = "scratch"
#: Gains smaller than this are not worth transfer learning: absolute on unit scale, else a share of the larger score.
MARGIN = 0.05

#: Share of the baseline's mistakes from which correcting them is worth it even where the gain is below `MARGIN`.
WORTH_MENDING = 0.25
#: Rows, or groups of them, under which no paired test can tell at 95 %: five that all speak for one model do so by
#: chance in more than one of 20 cases, 2 · 0.5⁵ = 0.06.
FEWEST = 6
#: Metrics that have no value for a model that gives every row the same answer. Both are correlations of answers with
#: the truth, and such answers have none: they count as 0.
_NONE_FOR_ONE_ANSWER = ("mcc", "spearman")

_POWER = 0.8


@dataclass(frozen=True)
class Verdict:
    """The answer to "did transfer learning help?", worded for the person who has to decide.

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
    strict: Mapping[str, Interval] | None = None,
    unit: str = "test rows",
    margin: float | None = None,
    leaked: int = 0,
    repeated: int = 0,
    cut: Mapping[str, str] | None = None,
) -> Verdict:
    """The verdict on a model of ``score`` from its paired ``gains`` over each control (positive is better).

    Borrowing *helped* if its intervals over all controls lie above 0: all have to, so each may be of the nominal level
    (Berger 1982, intersection-union tests). It *hurt* if the interval over the best control lies below 0. Otherwise it
    *did not help* if the interval that decides lies within ±``margin``, and else the rows are too few and we *cannot
    tell*; so with fewer than `FEWEST`. What decides is the gain over the best control, the one with the highest score
    and so the smallest gain over it; where that is beaten and another is not, the other. ``unit`` is what a row is
    called, in the plural; ``margin`` is in the metric's unit, by default `MARGIN`.

    The best of several controls was chosen by the rows that judge it, and of several equal ones the best looks better
    than the model. So where borrowing did not help, the interval is one of ``strict``: the same gains at the level
    `strict_level` gives; None: there is one control, or the caller takes ``gains`` for that.

    ``leaked`` test rows that have a duplicate among the training rows are left out of ``score`` and ``gains`` by
    the caller, and the sentence says so: on them a model that learns by heart is right without having understood.
    So are ``repeated`` ones, duplicates of other test rows, which would count one answer several times.

    ``cut`` says of controls whose fit a budget cut short what it came to: they may score lower than they could, and
    the sentence says so unless borrowing hurt all the same.

    Where `SCRATCH` lies above the borrowed model, the sentence names it negative transfer (Wang et al. 2019,
    arXiv:1811.09751); where only `SCRATCH` is not beaten, it says what may explain the gain over the others.
    """
    chosen = get(metric)
    name = metric_name(metric)
    if metric in _NONE_FOR_ONE_ANSWER:
        gains = {control: score if math.isnan(gain.value) else gain for control, gain in gains.items()}
        strict = strict and {name: gains[name] if math.isnan(one.value) else one for name, one in strict.items()}
    if not gains or math.isnan(score.value) or any(math.isnan(gain.value) for gain in gains.values()):
        return _without_evidence(name, score, bool(gains), unit, leaked)
    best = deciding(gains)
    if strict is not None and not gains[best].low > 0:
        gains = strict
    gain = gains[best]
    remark = _scratch_remark(gains, best) + _left_out(leaked, repeated, unit) + _of_groups(gain, unit)
    remark += "" if gain.high < 0 else _cut_short(cut or {})
    facts = _facts(chosen, score, best, gain)
    if margin is None:
        scale = max(abs(score.value), abs(_control_score(chosen, score, gain)))
        margin = MARGIN if chosen.unit_scale else MARGIN * scale
    if math.isnan(gain.low) or math.isnan(gain.high) or gain.units < FEWEST:
        return _without_bounds(name, facts, best, gain, unit, remark)
    lowered = "reduced" if chosen.higher_is_better else "worsened"
    if gain.low > 0:
        little = gain.high <= margin and _mended(chosen, score, gain) < WORTH_MENDING
        step = _little(best, gain) if little else "Deploy the transfer model."
        step += " A larger --budget leaves time to fit the baseline fully." if cut else ""
        return Verdict(
            "helped", f"Transfer learning improved {name}{' slightly' if little else ''}: {facts}.{remark}", step
        )
    if gain.high < 0:
        return Verdict("hurt", f"Transfer learning {lowered} {name}: {facts}.{remark}", _instead(best, gains))
    if max(gain.high, -gain.low) <= margin:
        step = f"Use the baseline {best}: any difference is at most {number(margin)}, and it needs no pretrained model."
        step = _NOTHING_LEARNT if best == MAJORITY else step
        return Verdict("did not help", f"Transfer learning did not improve {name}: {facts}.{remark}", step)
    return _too_few(name, facts, best, gain, margin, unit, remark)


def strict_level(gains: Mapping[str, Interval]) -> float:
    """The level at which a control that comes out best among ``gains`` is shown to be better than the model.

    Bonferroni's, over the controls that the model is not shown to beat; the others are no candidates for the best. In
    simulation (`benchmarks/choices.py`) a model that equals one, two or three controls was then called worse in 1 to
    3 % of draws; without, in up to 6 %.
    """
    level = next((gain.level for gain in gains.values()), 0.95)
    return 1 - (1 - level) / max(1, sum(not gain.low > 0 for gain in gains.values()))


_NOTHING_LEARNT = (
    "Use no model yet: always giving the same answer scores as high. Check the labels (`headstart audit`) and the "
    "metric, then try another base (`--base`)."
)


def deciding(gains: Mapping[str, Interval]) -> str:
    """The best control, or where that is beaten the best of those that are not."""
    best = min(gains, key=lambda control: gains[control].value)
    unbeaten = [control for control, gain in gains.items() if not gain.low > 0]
    if gains[best].low > 0 and unbeaten:
        return min(unbeaten, key=lambda control: gains[control].value)
    return best


def _instead(best: str, gains: Mapping[str, Interval]) -> str:
    if best == MAJORITY:
        return _NOTHING_LEARNT
    transfer = SCRATCH in gains and gains[SCRATCH].high < 0
    return f"Use the baseline {best}: it scores higher" + (
        ", or try a base more similar to these data (`--base`)." if transfer else "."
    )


def _cut_short(cut: Mapping[str, str]) -> str:
    """Which controls had too little time to be a fair comparison, as sentences to follow others."""
    return "".join(
        f" The baseline {name} {what} because the budget left no more; the gain may be too large."
        for name, what in cut.items()
    )


def _left_out(leaked: int, repeated: int, unit: str) -> str:
    one = leaked == 1 and unit.endswith("s")
    which = f"1 {unit[:-1]} that has" if one else f"{leaked:,} {unit} that have"
    said = [f"{which} a duplicate among the training rows"] if leaked else []
    said += (
        [f"{repeated:,} {'' if leaked else unit + ' '}that repeat{'s' * (repeated == 1)} other {unit}"]
        if repeated
        else []
    )
    return f" Left out: {', and '.join(said)}." if said else ""


def rows_needed(gain: Interval, margin: float) -> int:
    """Test rows, or groups where rows are grouped, at which such a gain would probably be settled, to two figures.

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
    rows = gain.units * factor * (half / target) ** 2
    figure = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return max(gain.units + 1, math.ceil(rows / figure) * figure)


def _mended(metric: Metric, score: Interval, gain: Interval) -> float:
    """Share of what the control lacks to a faultless score that the gain makes good; 0 for metrics without one."""
    lacking = 1 - _control_score(metric, score, gain)
    return gain.value / lacking if metric.unit_scale and metric.higher_is_better and lacking > 0 else 0.0


def _little(best: str, gain: Interval) -> str:
    return (
        f"Deploy the transfer model only if a gain of at most {number(gain.high)} is worth its cost: the baseline "
        f"{best} is nearly as good and needs no pretrained model."
    )


def _counted(gain: Interval, unit: str) -> str:
    """What the interval rests on, for a sentence about more of it."""
    return f"groups of {unit}" if gain.grouped else unit


def _of_groups(gain: Interval, unit: str) -> str:
    if not gain.grouped:
        return ""
    return f" The intervals rest on {gain.units:,} independent groups, not on {gain.n:,} {unit}."


def _without_evidence(name: str, score: Interval, controls: bool, unit: str, leaked: int) -> Verdict:
    step = "Choose another metric, or add rows of the classes or values that are missing."
    if not controls:
        why = "no baseline was run"
        step = "Run the baselines; without one a score says nothing about transfer learning."
    elif leaked and not score.n:
        why = f"all {leaked:,} {unit} have a duplicate among the training rows"
        step = (
            "Give test rows that are not among the training rows (`headstart audit --apply` takes the duplicates out)."
        )
    else:
        why = f"{name} is undefined on these {score.n:,} {unit} for the model or a baseline"
    return Verdict("cannot tell", f"Cannot tell whether transfer learning improved {name}: {why}.", step)


def _without_bounds(name: str, facts: str, best: str, gain: Interval, unit: str, remark: str) -> Verdict:
    why = "which needs no pretrained weights" if best == SCRATCH else "the simpler model"
    few = f"{gain.units:,} {_counted(gain, unit)}"
    few = few.replace("groups", "group", 1) if gain.units == 1 else few
    little = f"{few} cannot tell" if gain.units < FEWEST else f"{few} give the gain no interval"
    return Verdict(
        "cannot tell",
        f"Cannot tell whether transfer learning improved {name}: {facts}; {little}.{remark}",
        "Test on rows of more groups; until then keep the selected model."
        if gain.grouped
        else f"Use {best}, {why}, unless more rows show a difference.",
    )


def _too_few(name: str, facts: str, best: str, gain: Interval, margin: float, unit: str, remark: str) -> Verdict:
    rows = f"about {rows_needed(gain, margin):,} {_counted(gain, unit)} would settle it; there are {gain.units:,}"
    more = "rows of more groups" if gain.grouped else "more rows"
    return Verdict(
        "cannot tell",
        f"Cannot tell whether transfer learning improved {name}: {facts}; {rows}.{remark}",
        f"Label {more} ({rows}); until then keep the selected model.",
    )


def _scratch_remark(gains: Mapping[str, Interval], best: str) -> str:
    """What the control `SCRATCH` adds, as a sentence to follow others; "" where it adds nothing."""
    if SCRATCH not in gains:
        return ""
    gain = gains[SCRATCH]
    if gain.high < 0:
        numbers = "" if best == SCRATCH else f" (gain over it {gained(gain)})"
        return f" This is negative transfer: the pretrained weights did worse than random ones{numbers}."
    others = {name: other for name, other in gains.items() if name != SCRATCH}
    if not others or not gain.low <= 0 or not all(other.low > 0 for other in others.values()):
        return ""
    name = min(others, key=lambda control: others[control].value)
    return (
        f" The gain over {name}, {gained(others[name])}, may come from the architecture and its training, "
        f"not from the pretrained weights."
    )


def _facts(metric: Metric, score: Interval, control: str, gain: Interval) -> str:
    """Score, baseline and gain with their intervals."""
    against = number(_control_score(metric, score, gain))
    shown = f"{SCRATCH} (the same network from random weights)" if control == SCRATCH else control
    return f"{worded(score)} against {against} for {shown}; gain {gained(gain)}"


def _control_score(metric: Metric, score: Interval, gain: Interval) -> float:
    return score.value - gain.value if metric.higher_is_better else score.value + gain.value
