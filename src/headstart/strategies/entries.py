"""What a search writes down of its plan and of each strategy tried."""

from __future__ import annotations

from headstart.evaluation.bootstrap import Interval
from headstart.records import LadderRecord, RungRecord
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.ground import Ground
from headstart.strategies.plan import Rung
from headstart.strategies.strategy import Strategy

_NAN = float("nan")


def record_of(ground: Ground, planned: list[Rung], budget: Budget, far: tuple[float, str]) -> LadderRecord:
    """Of a search that begins; ``far``: the distance of the data, and how it was measured."""
    tried = [rung for rung in planned if not rung.left_out]
    total = sum(rung.seconds for rung in tried)
    if tried:
        names = ", then ".join(rung.strategy.name for rung in tried)
        plan = f"probe, then {names}, each only while the one before improves the score; about {duration(total)} in all"
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


def first_entry(candidate: Candidate, seconds: float) -> RungRecord:
    """Of what a search starts from, or of the one strategy that was asked for; it took ``seconds``."""
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


def entry_of(
    strategy: Strategy, predicted: float, candidate: Candidate, against: Candidate, gain: Interval
) -> RungRecord:
    """Of a candidate that was compared, with its decision still to come; ``predicted`` seconds."""
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


def entry_of_none(rung: Rung, reason: str) -> RungRecord:
    """Of a strategy that is not tried."""
    return RungRecord(rung.strategy.name, rung.seconds, 0.0, _NAN, _NAN, _NAN, _NAN, "", "not tried", reason)


def duration(seconds: float) -> str:
    """In words: seconds, or minutes from one on."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.1f} min"
