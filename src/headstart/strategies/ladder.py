"""The ladder: the cheapest strategy first, and a dearer one only while a paired comparison says that it pays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.evaluation.wording import DECISIONS, metric_name
from headstart.records import LadderRecord, RungRecord
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.distance import distance
from headstart.strategies.entries import entry_of, entry_of_none, first_entry, record_of
from headstart.strategies.forms import Form, fitting
from headstart.strategies.ground import Ground
from headstart.strategies.names import STRATEGIES
from headstart.strategies.plan import (
    LEVEL,
    Rung,
    choices,
    could_show,
    favoured,
    not_showable,
    rungs,
    too_short_for_any,
    too_short_for_stages,
)
from headstart.strategies.pricing import NOTHING_FOLLOWS, Following, Later
from headstart.strategies.smaller import Smaller
from headstart.strategies.solving import solved
from headstart.strategies.spending import Spending
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import starts_from, told, train_options
from headstart.strategies.way import FAR_MORE, MORE, Way
from headstart.training.crossing import SPREAD
from headstart.training.speed import Speed

#: Share of the budget that is said to be unused from there on.
UNUSED = 0.15
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
        ground: the held-out rows that ``best`` was compared on, where they may be fewer than all; None: all of them.
    """

    probe: Candidate
    best: Candidate
    candidates: list[Candidate]
    record: LadderRecord
    later: Later = field(default_factory=Later)
    ground: Ground | None = None
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
    far = distance(ground.base, ground.rows, budget) if trainable else (_NAN, "not measured: there is nothing to train")
    showable = could_show(ground, probe.held)
    planned, speed, short = _planned(ground, showable, far[0], budget) if trainable else (_frozen(ground), None, "")
    record = record_of(ground, planned, budget, far)
    progress.say(f"strategy search: {record.plan}")
    climb = Climb(probe, probe, [probe], record)
    climb.rungs.append(first_entry(probe, probe_seconds))
    progress.say(f"  {probe.strategy}: {metric_name(ground.metric)} {probe.valid_score:.3f} on {record.held_out}")
    search = _Search(climb, Smaller(ground), budget, speed, following)
    shared = sum(not rung.left_out and not rung.favoured for rung in planned)
    spending = Spending(1 - LEVEL, shared, further=search.binds(planned))
    stopped = ""
    for rung in planned:
        reason = stopped or rung.left_out or search.way().too_dear(rung)
        if reason:
            if not rung.left_out and not rung.favoured:
                spending.spent(freely=True)
            search.not_tried(rung, reason, for_later=not rung.left_out and (not stopped or spending.further))
            continue
        form = search.way().form(rung.strategy)
        candidate, gain = search.attempt(rung, form, LEVEL if rung.favoured else spending.level)
        if not rung.favoured:
            spending.spent(freely=climb.best is candidate)
        if climb.best is not candidate and candidate.runs and not _promising(gain) and not _cut_short(candidate):
            stopped = f"{rung.strategy.name} did not improve the score"
    search.go_on(spending)
    search.tell_unused(short or (stopped if budget.cut else ""))
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
        climb.rungs.append(first_entry(probe, probe_seconds))
        return climb
    search = _Search(climb, Smaller(ground), budget, _speed_for(ground, strategy, budget), following)
    way = search.way()
    form = way.form(strategy)
    if strategy.recipe and form is None and budget.seconds is not None:
        raise SettingError(way.refusal(strategy))
    if form and budget.seconds is not None:
        climb.record = replace(record, predicted_seconds=form.compared)
    candidate, said = search.asked(strategy, form)
    if not said:
        climb.rungs.append(first_entry(candidate, candidate.seconds))
        return climb
    gain = _gain(ground, candidate.held, probe.held)
    entry = entry_of(strategy, climb.record.predicted_seconds, candidate, probe, gain)
    climb.rungs += [first_entry(probe, probe_seconds), replace(entry, decision="not taken", reason=said)]
    return climb


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
            ground.task.name,
            ground.task.outputs,
            batch=train_options(ground, len(ground.rows)).batch,
            augmentation=ground.augmentation,
            also=also,
            seconds=budget.measuring,
        )


def _planned(ground: Ground, showable: bool, far: float, budget: Budget) -> tuple[list[Rung], Speed | None, str]:
    """The rungs, how fast the base is, and why there is no time for any training, as far as that is sure by now."""
    if not showable and not any(favoured(one, far) for one in STRATEGIES.values()):
        return _none(not_showable(ground)), None, ""
    left, slower = budget.left(), 1.0 if budget.seconds is None else budget.slower
    short = too_short_for_any(ground, left, slower)
    if short:
        stages = choices(ground, 0, far, showable)[0][1] or too_short_for_stages(ground, left, slower)
        if stages:
            return _none(short, stages), None, short
    speed = _measured(ground, budget, ())
    planned = rungs(ground, speed, far, showable)
    if short:
        planned = [replace(one, seconds=0.0, left_out=short) if one.strategy.recipe else one for one in planned]
    return planned, speed, short


def _frozen(ground: Ground) -> list[Rung]:
    name = ground.base.identity.name
    return _none(f"base {name!r} is a frozen graph: it has no stages and no weights to train")


def _none(reason: str, stages: str = "") -> list[Rung]:
    """No rung to try, for that ``reason``; the one on features of all stages for its own, if that is given."""
    first = Rung(STRATEGIES["head2toe"], 0.0, stages or reason)
    return [first, *(Rung(STRATEGIES[name], 0.0, reason) for name in ("partial", "full"))]


def _gain(ground: Ground, held: np.ndarray, other: np.ndarray, level: float = LEVEL) -> Interval:
    """Of answers to the first held-out rows over ``other`` answers to them, between one-sided bounds of ``level``."""
    rows = len(held)
    y, units = ground.held_y[:rows], ground.held_units[:rows]
    return paired_gain(ground.metric, y, held, other[:rows], units=units, level=2 * level - 1, seed=ground.seed)


class _Search:
    """A search that goes on: what was tried and decided so far, and the ways that are left."""

    def __init__(
        self, climb: Climb, smaller: Smaller, budget: Budget, speed: Speed | None, following: Following
    ) -> None:
        self._climb, self._smaller, self._budget, self._speed = climb, smaller, budget, speed
        self._following, self._progress = following, smaller.own.progress
        self._open: dict[str, _Open] = {}
        self._paces: dict[str, float] = {}

    def way(self) -> Way:
        """What is possible in the time that is left."""
        climb, left = self._climb, self._budget.left()
        following = self._following.within(left, self._speed) if self._speed else self._following
        smaller = self._smaller.on(climb.ground.holding) if climb.ground else self._smaller
        so_far = (climb.probe, climb.best, climb.later)
        return Way(smaller, *so_far, self._budget, self._speed, following, self._paces)

    def timed(self, way: Way, strategy: Strategy, candidate: Candidate) -> None:
        """Keep how long training the candidate took, so that later ones are priced by that."""
        if self._budget.seconds is not None and self._speed and candidate.runs:
            self._paces.pop(strategy.name, None)
            self._paces[strategy.name] = way.pace_of(strategy, candidate)

    def binds(self, planned: list[Rung]) -> bool:
        """Whether the trainings of the plan, each of them whole and the last one made again, take more than is left."""
        left, trained = self._budget.left(), [one for one in planned if one.strategy.recipe and not one.left_out]
        if left is None or not trained:
            return False
        forms = [fitting(self.way().prices(one.strategy), None) for one in trained]
        return sum(form.compared for form in forms if form) + max(form.rest for form in forms if form) > left

    def not_tried(self, rung: Rung, reason: str, *, for_later: bool) -> None:
        """Write down that a rung is not tried; ``for_later``: time is short, and may be left for it."""
        self._climb.rungs.append(entry_of_none(rung, reason))
        if for_later and rung.strategy.recipe:
            self._open[rung.strategy.name] = _Open(rung)
        tell = self._progress.detail if rung.left_out else self._progress.say  # it is not in the plan either
        tell(f"  {rung.strategy.name}: {DECISIONS['not tried']}, {reason}")

    def attempt(self, rung: Rung, form: Form | None, level: float) -> tuple[Candidate, Interval]:
        """Make the rung's candidate in that form, compare it with the best below, and take it or not."""
        way, strategy = self.way(), rung.strategy
        entry, candidate, gain = _try(rung, way, form, level)
        self.timed(way, strategy, candidate)
        earlier = self._open.pop(strategy.name, None)
        self._write(entry, candidate, again=earlier is not None)
        said = f"{DECISIONS[entry.decision]}, {metric_name(way.ground.metric)} {candidate.valid_score:.3f}"
        self._progress.say(f"  {entry.strategy}: {said}: {entry.reason}")
        if entry.decision == "taken":
            self._take(way, strategy, candidate, form)
        elif form and (_cut_short(candidate) or form.side or form.parts):
            more, made = MORE if gain.high > 0 else FAR_MORE, way.done(strategy, form, candidate)
            self._open[strategy.name] = _Open(rung, made, gain.value, more)
        return candidate, gain

    def _take(self, way: Way, strategy: Strategy, candidate: Candidate, form: Form | None) -> None:
        """The candidate is the best from here on, on the held-out rows that it was compared on."""
        climb, later = self._climb, way.later(strategy, candidate)
        climb.best, climb.later, climb.ground = candidate, later, way.narrowed(form.parts if form else None)
        climb.probe = _first_answers(climb.probe, climb.ground)
        climb.record = replace(climb.record, held_out=climb.ground.holding.how)

    def _write(self, entry: RungRecord, candidate: Candidate, *, again: bool) -> None:
        """Into the record; what is tried again takes the place of the earlier try, and says what that came to."""
        climb = self._climb
        if again:
            number = next(i for i, one in enumerate(climb.rungs) if one.strategy == entry.strategy)
            before = climb.rungs.pop(number)
            climb.candidates = [one for one in climb.candidates if one.strategy != entry.strategy]
            reason = f"{entry.reason}; before that: {before.reason}"
            entry = replace(entry, seconds=entry.seconds + before.seconds, reason=reason)
        climb.rungs.append(entry)
        climb.candidates.append(candidate)

    def go_on(self, spending: Spending) -> None:
        """Spend what is left on longer trainings of what was cut short and not taken; say why that ends.

        One try at a time, of the strategy that was the nearest to being taken. Each does `MORE` times the work of the
        one before, so that this ends.
        """
        while self._open and self._budget.seconds is not None:
            ways = [(one, *self.way().longer(one.rung.strategy, one.form, one.more)) for one in self._open.values()]
            found = [(one, form) for one, form, _ in ways if form]
            if not found:
                self.tell_unused(_joined([(one.rung.strategy.name, why) for one, _, why in ways]))
                break
            level = spending.once_more()
            if level >= 1:
                self.tell_unused("nothing was cut short when the plan was made, so that no chance was kept for more")
                break
            one, form = max(found, key=lambda pair: pair[0].gain)
            self.tell_again(one.rung.strategy)
            self.attempt(one.rung, form, level)

    def tell_again(self, strategy: Strategy) -> None:
        """Say that what is left goes into the strategy."""
        self._progress.say(
            f"  {max(0.0, self._budget.left() or 0.0):.0f} s are left for another try of {strategy.name}"
        )

    def asked(self, strategy: Strategy, form: Form | None) -> tuple[Candidate, str]:
        """The candidate of the strategy that was asked for, tried for longer while it is below the probe and that fits.

        Returns:
            It, the best one if there is no reason against it; the reason, "" for none.
        """
        climb, ground, recipe, probe = self._climb, self._smaller.own, strategy.recipe, self._climb.probe
        while True:
            way = self.way()
            way.tell(strategy, form)
            candidate = way.made(strategy, form) if recipe else solved(ground, strategy, self._budget.left())
            self.timed(way, strategy, candidate)
            climb.candidates = [probe, candidate]
            on = way.narrowed(form.parts if form else None)
            gain, said = _gain(on, candidate.held, probe.held), _below(on, candidate, _first_answers(probe, on))
            if not said or (recipe and recipe.scratch):
                self._take(way, strategy, candidate, form)
                return candidate, ""
            reason = f"asked for, but {said} on held-out rows: the probe is selected"
            again, why = None, ""
            if form and self._budget.seconds is not None:
                made = way.done(strategy, form, candidate)
                again, why = self.way().longer(strategy, made, MORE if gain.high > 0 else FAR_MORE)
            if again is None:
                self._progress.say(f"  {strategy.name}: {reason}")
                self.tell_unused(f"{strategy.name} {why}" if why else "")
                return candidate, reason
            self._progress.say(f"  {strategy.name}: {said}")
            self.tell_again(strategy)
            form = again

    def tell_unused(self, why: str) -> None:
        """Say and keep that the rest of the budget is not used, what follows the search aside."""
        left, seconds, later = self._budget.left(), self._budget.seconds, self._climb.later
        if not why or self._climb.record.unused or left is None or seconds is None:
            return
        left -= later.total + later.control
        if left < UNUSED * seconds:
            return
        said = f"about {left:.0f} s of the budget are not used: {why}"
        self._climb.record = replace(self._climb.record, unused=said)
        self._progress.say(f"  {said}")


@dataclass(frozen=True)
class _Open:
    """A strategy that may still be tried, for longer: it was not taken in ``form``, or not tried at all."""

    rung: Rung
    form: Form | None = None
    gain: float = -1.0
    more: float = MORE


def _joined(reasons: list[tuple[str, str]]) -> str:
    """(strategy, reason) as one sentence, strategies of the same reason together."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons:
        found.setdefault(reason, []).append(name)
    return "; ".join(f"{' and '.join(names)} {reason}" for reason, names in found.items())


def _below(ground: Ground, candidate: Candidate, probe: Candidate) -> str:
    """How far a candidate ended below the probe on the held-out rows, in words; "" where it did not."""
    gain = _gain(ground, candidate.held, probe.held).value
    if candidate.recipe is not None and not candidate.recipe.phases:
        return "no step of its training did better"
    if gain >= 0:
        return ""
    scores = f"{metric_name(ground.metric)} {candidate.valid_score:.3f} against {probe.valid_score:.3f}"
    return f"it ended {abs(gain):.2g} below the probe ({scores})"


def _first_answers(candidate: Candidate, ground: Ground) -> Candidate:
    """``candidate`` with its answers to those held-out rows alone that ``ground`` has."""
    rows = len(ground.held_y)
    if len(candidate.held) <= rows:
        return candidate
    kept = None if candidate.kept is None else candidate.kept[:rows]
    return replace(candidate, held=candidate.held[:rows], kept=kept, valid_score=ground.score(candidate.held[:rows]))


def _try(rung: Rung, way: Way, form: Form | None, level: float) -> tuple[RungRecord, Candidate, Interval]:
    """Make the rung's candidate and compare it with the best below, at the one-sided ``level``."""
    strategy, best = rung.strategy, way.best
    short = way.tell(strategy, form)
    ground = way.narrowed(form.parts if form else None)
    # What it starts from was chosen on these rows, and it has inherited what they favoured by chance: that cancels
    # where it is compared with the answers of those very weights.
    on = best is way.below and best.kept is not None and starts_from(strategy, best) and not (form and form.side)
    other = best.kept if on and best.kept is not None else best.held

    def gain_of(held: np.ndarray) -> Interval:
        return _gain(ground, held, other, level)

    candidate = way.made(strategy, form, lambda held: gain_of(held).value >= 0)
    gain, parts = gain_of(candidate.held), len(ground.holding.parts)
    gain = widened(gain) if (candidate.chosen or best.chosen) and not on else gain
    whole = len(candidate.held) == len(ground.held_y)
    taken = bool(gain.low > 0 or (rung.favoured and gain.high > 0)) and whole
    reason = f"gain over {best.strategy} {gain.value:+.3f}, at least {gain.low:+.3f} with {_percent(level)} confidence"
    if rung.favoured and not gain.low > 0:
        shown = "so it is accepted, not being shown to be worse" if taken else "but it is shown to be worse"
        reason = f"{reason}; {rung.favoured}, {shown}"
    if not whole:
        reason = f"behind {best.strategy} after {len(candidate.runs)} of {parts} folds ({gain.value:+.3f})"
    reason += f"; to keep the budget it was trained {short}" if short else ""
    entry = entry_of(strategy, form.compared if short and form else rung.seconds, candidate, best, gain)
    entry = replace(entry, decision="taken" if taken else "not taken", reason=reason)
    compared = taken or len(candidate.held) == len(best.held)
    return (entry if compared else replace(entry, valid_score=_NAN)), candidate, gain  # fewer rows compare with nothing


def widened(gain: Interval) -> Interval:
    """The gain of answers by chosen looks, with the spread that choosing adds and the rows do not show."""
    low, high = (gain.value + SPREAD * (bound - gain.value) for bound in (gain.low, gain.high))
    return replace(gain, low=low, high=high)


def _percent(level: float) -> str:
    """Whole per cent, rounded down: less is claimed rather than more."""
    return f"{int(100 * level + 1e-9)} %"


def _cut_short(candidate: Candidate) -> bool:
    """Whether the budget ended its training early, so that its not paying says little of dearer strategies."""
    return any(run.stopped == "budget" for run in candidate.runs)


def _promising(gain: Interval) -> bool:
    """Whether a rung that is not shown to pay may yet be the start of one that does: more likely better than worse."""
    return bool(gain.value > 0 and gain.high > abs(gain.low))
