"""The ladder: the cheapest strategy first, and a dearer one only while a paired comparison says that it pays."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.evaluation.wording import DECISIONS, metric_name
from headstart.records import LadderRecord, RungRecord
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.distance import distance
from headstart.strategies.forms import HALF, Form, Prices, fitting, least_seconds, whole_seconds
from headstart.strategies.ground import Ground
from headstart.strategies.names import STRATEGIES
from headstart.strategies.plan import LEVEL, Rung, could_show, favoured, not_showable, rungs, too_short_for_any
from headstart.strategies.pricing import NOTHING_FOLLOWS, Following, Later, priced
from headstart.strategies.smaller import Smaller
from headstart.strategies.solving import solved
from headstart.strategies.spending import Spending
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import starts_from, told, train_options, trained
from headstart.training.crossing import SPREAD
from headstart.training.speed import Speed

_NAN = float("nan")


@dataclass
class Climb:
    """What a ladder came to.

    Attributes:
        probe: the candidate that every ladder starts from.
        best: the candidate chosen.
        candidates: all that were made.
        record: plan and decisions.
        later: seconds predicted for what follows, where the best one was trained and there is a budget.
    """

    probe: Candidate
    best: Candidate
    candidates: list[Candidate]
    record: LadderRecord
    later: Later = field(default_factory=Later)
    rungs: list[RungRecord] = field(default_factory=list)


def climb(
    ground: Ground, probe: Candidate, budget: Budget, probe_seconds: float, following: Following = NOTHING_FOLLOWS
) -> Climb:
    """Try rung after rung above ``probe``; take each whose gain over the best so far is shown; stop where one is not.

    The rung on features of all stages is a side step: where it does not pay, training may still. On data far from what
    the base knows it is taken unless it is shown to be worse (`headstart.strategies.plan`).

    Args:
        probe_seconds: that the probe took, the base's features included.
        following: inputs that a trained model is asked about after the ladder.
    """
    progress = ground.progress
    trainable = ground.base.trainable
    far = distance(ground.base, ground.rows) if trainable else (_NAN, "not measured: there is nothing to train")
    planned, speed = _planned(ground, could_show(ground, probe.held), far[0], budget) if trainable else _frozen(ground)
    record = _record(ground, planned, budget, far)
    progress.say(f"strategy search: {record.plan}")
    climb = Climb(probe, probe, [probe], record)
    climb.rungs.append(_first(probe, probe_seconds))
    progress.say(f"  {probe.strategy}: {metric_name(ground.metric)} {probe.valid_score:.3f} on {record.held_out}")
    spending = Spending(1 - LEVEL, sum(not rung.left_out and not rung.favoured for rung in planned))
    stopped, smaller = "", Smaller(ground)
    for rung in planned:
        way = _Way(smaller, climb, budget, speed, following)
        reason = stopped or rung.left_out or way.too_dear(rung)
        if reason:
            if not rung.left_out and not rung.favoured:
                spending.spent(freely=True)
            climb.rungs.append(_not_tried(rung, reason))
            tell = progress.detail if rung.left_out else progress.say  # what was left out is not in the plan either
            tell(f"  {rung.strategy.name}: {DECISIONS['not tried']}, {reason}")
            continue
        entry, candidate, gain = _try(rung, way, LEVEL if rung.favoured else spending.level)
        if not rung.favoured:
            spending.spent(freely=entry.decision == "taken")
        climb.rungs.append(entry)
        climb.candidates.append(candidate)
        said = f"{DECISIONS[entry.decision]}, {metric_name(ground.metric)} {candidate.valid_score:.3f}"
        progress.say(f"  {entry.strategy}: {said}: {entry.reason}")
        if entry.decision == "taken":
            climb.best, climb.later = candidate, way.later(rung.strategy, candidate)
        elif candidate.runs and not _promising(gain) and not _cut_short(candidate):
            stopped = f"{entry.strategy} did not improve the score"
    return climb


def single(
    ground: Ground,
    strategy: Strategy,
    probe: Candidate,
    budget: Budget,
    probe_seconds: float,
    following: Following = NOTHING_FOLLOWS,
) -> Climb:
    """The one strategy that was asked for; where it ends below the probe on the held-out rows, the probe is kept.

    One that trains from random weights is exempt: it borrows nothing, and is asked for to see what that comes to.

    Raises:
        SettingError: the budget leaves no time for it.
    """
    record = LadderRecord(
        plan=f"{strategy.name} alone, as asked for: {strategy.summary}",
        budget_seconds=_NAN if budget.seconds is None else budget.seconds,
        predicted_seconds=_NAN,
        per_class=ground.per_class,
        distance=_NAN,
        distance_how="",
        held_out=ground.holding.how,
        rungs=[],
    )
    climb = Climb(probe, probe, [probe], record)
    if strategy.name == probe.strategy:
        climb.rungs.append(_first(probe, probe_seconds))
        return climb
    way = _Way(Smaller(ground), climb, budget, _speed_for(ground, strategy, budget), following)
    form = way.form(strategy)
    if strategy.recipe and form is None and budget.seconds is not None:
        raise SettingError(way.refusal(strategy))
    if form and budget.seconds is not None:
        climb.record = record = replace(record, predicted_seconds=form.compared)
    way.tell(strategy, form)
    candidate = _made(way, strategy, form) if strategy.recipe else solved(ground, strategy, budget.left())
    climb.candidates.append(candidate)
    gain, vain = _gain(ground, candidate.held, probe.held), candidate.recipe is not None and not candidate.recipe.phases
    if (gain.value >= 0 and not vain) or (strategy.recipe and strategy.recipe.scratch):
        climb.rungs.append(_first(candidate, candidate.seconds))
        climb.best, climb.later = candidate, way.later(strategy, candidate)
        return climb
    scores = f"{metric_name(ground.metric)} {candidate.valid_score:.3f} against {probe.valid_score:.3f}"
    ended = (
        "no step of its training did better" if vain else f"it ended {abs(gain.value):.2g} below the probe ({scores})"
    )
    reason = f"asked for, but {ended} on held-out rows: the probe is selected"
    ground.progress.say(f"  {strategy.name}: {reason}")
    entry = _entry(strategy, record.predicted_seconds, candidate, probe, gain)
    climb.rungs += [_first(probe, probe_seconds), replace(entry, decision="not taken", reason=reason)]
    return climb


class _Way:
    """What is to be done of a strategy in the time that is left, and what follows it."""

    def __init__(
        self, smaller: Smaller, climb: Climb, budget: Budget, speed: Speed | None, following: Following
    ) -> None:
        self.ground, self.smaller, self.climb, self.budget = smaller.own, smaller, climb, budget
        self._speed = speed
        self._following = following.within(budget.left(), speed) if speed else following

    @property
    def below(self) -> Candidate:
        """The candidate that training starts from."""
        return self.climb.best if self.climb.best.features != "stages" else self.climb.probe

    def form(self, strategy: Strategy) -> Form | None:
        """How the strategy's training fits; None: not at all, or there is nothing to train or to fit.

        Pictures are made smaller where not even half of the steps fit at the base's own size, and half do then; or
        where nothing else fits.
        """
        if strategy.recipe is None or self._speed is None:
            return None
        left, floor = self.budget.left(), self.climb.later.total
        own = fitting(self._prices(strategy), left, floor)
        if left is None or (own and own.share >= HALF):
            return own
        form = None
        for side in self.smaller.bases:
            form = fitting(self._prices(strategy, side), left, floor)
            form = form and replace(form, side=side)
            if form and form.share >= HALF:
                return form
        return own or form

    def allowed(self, form: Form | None) -> float | None:
        """Seconds for the comparison, what it begins with included; None: no limit."""
        left = self.budget.left()
        return None if form is None or left is None else form.allowed(left)

    def start(self, form: Form | None) -> tuple[Ground, Candidate]:
        """What a training of that form is made on, and the candidate that it starts from."""
        if form is None or form.side is None:
            return self.ground, self.below
        return self.smaller.ground(form.side), self.climb.probe

    def too_dear(self, rung: Rung) -> str:
        """Why a rung does not fit into the time that is left; "" where it does."""
        left = self.budget.left()
        if left is None:
            return ""
        have = f"{max(0.0, left):.0f} s of the budget are left"
        if rung.strategy.recipe is None:
            needed = rung.seconds + self.climb.later.total
            return "" if needed <= left else f"it would take about {needed:.0f} s and {have}"
        if self.form(rung.strategy):
            return ""
        least, whole = self._least(rung.strategy), whole_seconds(self._prices(rung.strategy))
        return f"it would take about {whole:.0f} s with what follows, its shortest form {least:.0f} s, and {have}"

    def refusal(self, strategy: Strategy) -> str:
        """That the strategy asked for does not fit, and what to do."""
        least, left = self._least(strategy), max(0.0, self.budget.left() or 0.0)
        return (
            f"the budget of {self.budget.seconds:g} s leaves no time for strategy {strategy.name!r}: its shortest form "
            f"would take about {least:.0f} s, and {left:.0f} s are left once features, baselines and test "
            "are paid for; "
            "give a larger --budget, or take --strategy probe, which is made by then."
        )

    def _least(self, strategy: Strategy) -> float:
        """Seconds of the shortest form, smaller pictures included."""
        return min(least_seconds(self._prices(strategy, side)) for side in (None, *self.smaller.bases))

    def tell(self, strategy: Strategy, form: Form | None) -> str:
        """Say and keep what is cut short for want of time, in words; "" where nothing is."""
        if form is None or (form.share == 1 and form.side is None):
            return ""
        said = [f"for about {form.share:.0%} of its steps"] if form.share < 1 else []
        if form.side is not None:
            said.append(f"on pictures of {form.side} instead of {self.ground.base.spec.side} pixels a side")
        self.budget.leave_out(f"{strategy.name} is trained {' and '.join(said)}", self.ground.progress)
        return " and ".join(said)

    def later(self, strategy: Strategy, candidate: Candidate) -> Later:
        """What follows if ``candidate`` is the best, by what it came to and by how fast it was."""
        if self._speed is None or not candidate.runs or candidate.recipe is None or self.budget.seconds is None:
            return Later()
        own = told(strategy, self.ground.settings)
        goes_on = self.below.recipe and not (own.scratch or own.lora or candidate.ground)
        before = len(self.below.recipe.phases) if goes_on and self.below.recipe else 0
        made = replace(candidate.recipe, phases=candidate.recipe.phases[before:], rates=own.rates)
        return Later.of(self.ground, candidate, made, self._speed_on(candidate.ground), self._following)

    def _speed_on(self, smaller: Ground | None) -> Speed:
        """The base's speed at the size of pictures that ``smaller`` has."""
        if self._speed is None:
            raise SettingError("nothing was measured.")
        return self.smaller.speed(smaller.base.spec.side, self._speed) if smaller else self._speed

    def _prices(self, strategy: Strategy, side: int | None = None) -> Prices:
        if self._speed is None:
            raise SettingError(f"strategy {strategy.name!r} has no price: nothing was measured.")
        if side is None:
            return priced(self.ground, strategy, self._speed, self._following, self.below.recipe)
        speed = self.smaller.speed(side, self._speed)
        return priced(self.ground, strategy, speed, self._following, None, self.smaller.seconds(side, speed))


def _speed_for(ground: Ground, strategy: Strategy, budget: Budget) -> Speed | None:
    """How fast the base is, where a budget asks for it."""
    if strategy.recipe is None or budget.seconds is None:
        return None
    moves = {phase.moves for phase in told(strategy, ground.settings).phases}
    return _measured(ground, budget, tuple(moves - {"all"}))


def _measured(ground: Ground, budget: Budget, also: tuple[str, ...]) -> Speed:
    from headstart.training.measuring import measure

    with ground.progress.stage("measuring the speed of training"):
        return measure(
            ground.base,
            ground.rows,
            ground.task.outputs,
            batch=train_options(ground, len(ground.rows)).batch,
            augmentation=ground.augmentation,
            also=also,
            seconds=budget.measuring,
        )


def _planned(ground: Ground, showable: bool, far: float, budget: Budget) -> tuple[list[Rung], Speed | None]:
    if not showable and not any(favoured(one, far) for one in STRATEGIES.values()):
        return _none(not_showable(ground)), None
    short = too_short_for_any(ground, budget.left())
    if short:
        return _none(short), None
    speed = _measured(ground, budget, ())
    return rungs(ground, speed, far, showable), speed


def _frozen(ground: Ground) -> tuple[list[Rung], None]:
    name = ground.base.identity.name
    return _none(f"base {name!r} is a frozen graph: it has no stages and no weights to train"), None


def _none(reason: str) -> list[Rung]:
    return [Rung(STRATEGIES[name], 0.0, reason) for name in ("head2toe", "partial", "full")]


def _gain(ground: Ground, held: np.ndarray, other: np.ndarray, level: float = LEVEL) -> Interval:
    """Of answers to the first held-out rows over ``other`` answers to them, between one-sided bounds of ``level``."""
    rows = len(held)
    y, units = ground.held_y[:rows], ground.held_units[:rows]
    return paired_gain(ground.metric, y, held, other[:rows], units=units, level=2 * level - 1, seed=ground.seed)


def _try(rung: Rung, way: _Way, level: float) -> tuple[RungRecord, Candidate, Interval]:
    """Make the rung's candidate and compare it with the best below, at the one-sided ``level``."""
    ground, strategy, best = way.ground, rung.strategy, way.climb.best
    form = way.form(strategy)
    short = way.tell(strategy, form)
    # What it starts from was chosen on these rows, and it has inherited what they favoured by chance: that cancels
    # where it is compared with the answers of those very weights.
    on = best is way.below and best.kept is not None and starts_from(strategy, best) and not (form and form.side)
    other = best.kept if on and best.kept is not None else best.held

    def gain_of(held: np.ndarray) -> Interval:
        return _gain(ground, held, other, level)

    candidate = _made(way, strategy, form, lambda held: gain_of(held).value >= 0)
    gain, parts = gain_of(candidate.held), len(ground.holding.parts)
    gain = widened(gain) if (candidate.chosen or best.chosen) and not on else gain
    whole = len(candidate.held) == len(best.held)
    taken = bool(gain.low > 0 or (rung.favoured and gain.high > 0)) and whole
    reason = f"gain over {best.strategy} {gain.value:+.3f}, at least {gain.low:+.3f} with {_percent(level)} confidence"
    if rung.favoured and not gain.low > 0:
        shown = "so it is accepted, not being shown to be worse" if taken else "but it is shown to be worse"
        reason = f"{reason}; {rung.favoured}, {shown}"
    if not whole:
        reason = f"behind {best.strategy} after {len(candidate.runs)} of {parts} folds ({gain.value:+.3f})"
    reason += f"; to keep the budget it was trained {short}" if short else ""
    entry = _entry(strategy, form.compared if short and form else rung.seconds, candidate, best, gain)
    entry = replace(entry, decision="taken" if taken else "not taken", reason=reason)
    return (entry if whole else replace(entry, valid_score=_NAN)), candidate, gain  # fewer rows compare with nothing


def _entry(
    strategy: Strategy, predicted: float, candidate: Candidate, against: Candidate, gain: Interval
) -> RungRecord:
    return RungRecord(
        strategy=strategy.name,
        predicted_seconds=predicted,
        seconds=candidate.seconds,
        valid_score=candidate.valid_score,
        gain=gain.value,
        low=gain.low,
        high=gain.high,
        against=against.strategy,
        decision="",
        reason="",
    )


def widened(gain: Interval) -> Interval:
    """The gain of answers by chosen looks, with the spread that choosing adds and the rows do not show."""
    low, high = (gain.value + SPREAD * (bound - gain.value) for bound in (gain.low, gain.high))
    return replace(gain, low=low, high=high)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"


def _percent(level: float) -> str:
    """Whole per cent, rounded down: less is claimed rather than more."""
    return f"{int(100 * level + 1e-9)} %"


def _made(
    way: _Way, strategy: Strategy, form: Form | None, hopeful: Callable[[np.ndarray], bool] | None = None
) -> Candidate:
    if strategy.recipe is None:
        return solved(way.ground, strategy)
    allowed, began = way.allowed(form), time.monotonic()
    ground, below = way.start(form)
    left = None if allowed is None else max(0.0, allowed - (time.monotonic() - began))
    candidate = trained(ground, strategy, below, left, hopeful)
    return candidate if ground is way.ground else replace(candidate, ground=ground)


def _cut_short(candidate: Candidate) -> bool:
    """Whether the budget ended its training early, so that its not paying says little of dearer strategies."""
    return any(run.stopped == "budget" for run in candidate.runs)


def _promising(gain: Interval) -> bool:
    """Whether a rung that is not shown to pay may yet be the start of one that does: more likely better than worse."""
    return bool(gain.value > 0 and gain.high > abs(gain.low))


def _first(candidate: Candidate, seconds: float) -> RungRecord:
    return RungRecord(
        strategy=candidate.strategy,
        predicted_seconds=_NAN,
        seconds=seconds,
        valid_score=candidate.valid_score,
        gain=_NAN,
        low=_NAN,
        high=_NAN,
        against="",
        decision="start",
        reason="the first step of every strategy search" if candidate.strategy == "probe" else "asked for",
    )


def _not_tried(rung: Rung, reason: str) -> RungRecord:
    return RungRecord(rung.strategy.name, rung.seconds, 0.0, _NAN, _NAN, _NAN, _NAN, "", "not tried", reason)


def _record(ground: Ground, planned: list[Rung], budget: Budget, far: tuple[float, str]) -> LadderRecord:
    tried = [rung for rung in planned if not rung.left_out]
    total = sum(rung.seconds for rung in tried)
    if tried:
        names = ", then ".join(rung.strategy.name for rung in tried)
        plan = (
            f"probe, then {names}, each only while the one before improves the score; about {_duration(total)} in all"
        )
    else:
        plan = f"the probe alone: {planned[-1].left_out}"
    return LadderRecord(
        plan=plan,
        budget_seconds=_NAN if budget.seconds is None else budget.seconds,
        predicted_seconds=total,
        per_class=ground.per_class,
        distance=far[0],
        distance_how=far[1],
        held_out=ground.holding.how,
        rungs=[],
    )
