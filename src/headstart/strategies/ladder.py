"""The ladder: the cheapest strategy first, and a dearer one only while a paired comparison says that it pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain
from headstart.records import LadderRecord, RungRecord
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.distance import distance
from headstart.strategies.ground import Ground
from headstart.strategies.names import STRATEGIES
from headstart.strategies.plan import LEVEL, Rung, could_show, favoured, not_showable, rungs
from headstart.strategies.solving import solved
from headstart.strategies.strategy import Strategy
from headstart.strategies.training import train_options, trained

_AFTER = 1.5  # share of a training run's seconds that the same training on all rows takes, with some to spare
_LEAST = 1.0  # seconds under which nothing can be trained
_NAN = float("nan")


@dataclass
class Climb:
    """What a ladder came to.

    Attributes:
        probe: the candidate that every ladder starts from.
        best: the candidate chosen.
        candidates: all that were made.
        record: plan and decisions.
        seconds_again: predicted for training the best one on all working rows.
    """

    probe: Candidate
    best: Candidate
    candidates: list[Candidate]
    record: LadderRecord
    seconds_again: float = 0.0
    rungs: list[RungRecord] = field(default_factory=list)


def climb(ground: Ground, probe: Candidate, budget: Budget, probe_seconds: float) -> Climb:
    """Try rung after rung above ``probe``; take each whose gain over the best so far is shown; stop where one is not.

    The rung on features of all stages is a side step: where it does not pay, training may still. On data far from what
    the base knows it is taken unless it is shown to be worse (`headstart.strategies.plan`).

    Args:
        probe_seconds: that the probe took, the base's features included.
    """
    progress = ground.progress
    trainable = ground.base.trainable
    far = distance(ground.base, ground.rows) if trainable else (_NAN, "not measured: there is nothing to climb")
    planned = _planned(ground, could_show(ground, probe.held), far[0]) if trainable else _frozen(ground)
    record = _record(ground, planned, budget, far)
    progress.say(f"ladder: {record.plan}")
    climb = Climb(probe, probe, [probe], record)
    climb.rungs.append(_first(probe, probe_seconds))
    progress.say(f"  {probe.strategy}: {ground.metric} {probe.valid_score:.3f} on {record.held_out}")
    stopped = ""
    for rung in planned:
        reason = stopped or rung.left_out or _too_dear(rung, budget)
        if reason:
            climb.rungs.append(_not_tried(rung, reason))
            progress.say(f"  {rung.strategy.name}: not tried, {reason}")
            continue
        entry, candidate, gain = _try(ground, rung, climb, budget)
        climb.rungs.append(entry)
        climb.candidates.append(candidate)
        said = f"{entry.decision}, {ground.metric} {candidate.valid_score:.3f}"
        progress.say(f"  {entry.strategy}: {said}: {entry.reason}")
        if entry.decision == "taken":
            climb.best = candidate
            climb.seconds_again = _AFTER * entry.seconds / len(ground.holding.parts) if candidate.runs else 0.0
        elif candidate.runs and not _promising(gain):
            stopped = f"{entry.strategy} did not pay"
    return climb


def single(ground: Ground, strategy: Strategy, probe: Candidate, budget: Budget, probe_seconds: float) -> Climb:
    """The one strategy that was asked for, as a ladder of one rung.

    Raises:
        SettingError: the budget leaves no time for it.
    """
    if strategy.name == probe.strategy:
        candidate, seconds = probe, probe_seconds
    else:
        candidate = _made(ground, strategy, probe, _time_for(strategy, budget))
        seconds = candidate.seconds
    rung = _first(candidate, seconds)
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
    # the probe is what is handed over where training makes nothing better
    climb = Climb(probe, candidate, [probe] if candidate is probe else [probe, candidate], record)
    climb.rungs.append(rung)
    climb.seconds_again = _AFTER * seconds if candidate.runs else 0.0
    return climb


def _time_for(strategy: Strategy, budget: Budget) -> float | None:
    """Seconds for comparing the one strategy, of those that are left; None: no limit."""
    seconds = budget.share(1.0, 1.0 + 2 * _AFTER)
    if seconds is not None and seconds < _LEAST:
        raise SettingError(
            f"the budget of {budget.seconds:g} s leaves no time for strategy {strategy.name!r} once features, controls "
            "and test are paid for; give a larger --budget, or take --strategy probe, which is made by then."
        )
    return seconds


def _planned(ground: Ground, showable: bool, far: float) -> list[Rung]:
    from headstart.training.measuring import measure

    if not showable and not any(favoured(one, far) for one in STRATEGIES.values()):
        return _none(not_showable(ground))
    batch = train_options(ground, len(ground.rows)).batch
    speed = measure(ground.base, ground.rows, ground.task.outputs, batch=batch, augmentation=ground.augmentation)
    return rungs(ground, speed, far, showable)


def _frozen(ground: Ground) -> list[Rung]:
    return _none(f"base {ground.base.identity.name!r} is a frozen graph: it has no stages and no weights to train")


def _none(reason: str) -> list[Rung]:
    return [Rung(STRATEGIES[name], 0.0, reason) for name in ("head2toe", "partial", "full")]


def _too_dear(rung: Rung, budget: Budget) -> str:
    needed = rung.seconds * (1 + _AFTER if rung.strategy.recipe else 1)
    if budget.allows(needed):
        return ""
    left = max(0.0, budget.left() or 0.0)
    return f"it would take about {needed:.0f} s and {left:.0f} s of the budget are left"


def _try(ground: Ground, rung: Rung, climb: Climb, budget: Budget) -> tuple[RungRecord, Candidate, Interval]:
    """Make the rung's candidate and compare it with the best below."""
    strategy, best = rung.strategy, climb.best
    seconds = budget.share(1.0, 1 + 2 * _AFTER) if strategy.recipe else None
    below = best if best.features != "stages" else climb.probe

    def gain_of(held: np.ndarray) -> Interval:
        rows = len(held)
        y, other, level = ground.held_y[:rows], best.held[:rows], 2 * LEVEL - 1
        return paired_gain(ground.metric, y, held, other, units=ground.held_units[:rows], level=level, seed=ground.seed)

    candidate = _made(ground, strategy, below, seconds, lambda held: gain_of(held).value >= 0)
    gain, parts = gain_of(candidate.held), len(ground.holding.parts)
    whole = len(candidate.held) == len(best.held)
    taken = bool(gain.low > 0 or (rung.favoured and gain.high > 0)) and whole
    reason = f"gain over {best.strategy} {gain.value:+.3f}, at least {gain.low:+.3f} with 90 % confidence"
    if rung.favoured and not gain.low > 0:
        shown = "so it is taken, being not shown to be worse" if taken else "but it is shown to be worse"
        reason = f"{reason}; {rung.favoured}, {shown}"
    if not whole:
        reason = f"behind {best.strategy} after {len(candidate.runs)} of {parts} folds ({gain.value:+.3f})"
    entry = RungRecord(
        strategy=strategy.name,
        predicted_seconds=rung.seconds,
        seconds=candidate.seconds,
        valid_score=candidate.valid_score if whole else _NAN,  # on fewer rows it compares with nothing
        gain=gain.value,
        low=gain.low,
        high=gain.high,
        against=best.strategy,
        decision="taken" if taken else "not taken",
        reason=reason,
    )
    return entry, candidate, gain


def _made(
    ground: Ground,
    strategy: Strategy,
    below: Candidate,
    seconds: float | None,
    hopeful: Callable[[np.ndarray], bool] | None = None,
) -> Candidate:
    if strategy.recipe is None:
        return solved(ground, strategy)
    return trained(ground, strategy, below, seconds, hopeful)


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
        reason="where every ladder starts" if candidate.strategy == "probe" else "asked for",
    )


def _not_tried(rung: Rung, reason: str) -> RungRecord:
    return RungRecord(rung.strategy.name, rung.seconds, 0.0, _NAN, _NAN, _NAN, _NAN, "", "not tried", reason)


def _record(ground: Ground, planned: list[Rung], budget: Budget, far: tuple[float, str]) -> LadderRecord:
    tried = [rung for rung in planned if not rung.left_out]
    total = sum(rung.seconds for rung in tried)
    if tried:
        names = ", then ".join(rung.strategy.name for rung in tried)
        plan = f"probe, then {names}, each only while the one before pays; about {total / 60:.1f} min for all of them"
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
