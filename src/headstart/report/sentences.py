"""What a result says in sentences, for the report and the terminal alike."""

from __future__ import annotations

from markupsafe import Markup, escape

from headstart.records import CandidateRecord, ForgettingRecord, Result, RungRecord
from headstart.report.figures import count, known, percent
from headstart.report.words import control, strategy


def with_code(text: str) -> Markup:
    """The text with what stands between backticks set as code."""
    parts = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def climbed(rung: RungRecord) -> bool:
    """Whether ``rung`` was the best so far when it had been tried."""
    return rung.decision in ("start", "taken")


def judged(result: Result) -> str:
    """The borrowed model that the test scores are of: the one handed over, or the best one where a control is."""
    return ", ".join(filter(None, _judged(result)))


def is_judged(candidate: CandidateRecord, result: Result) -> bool:
    """Whether ``candidate`` is that model."""
    return (candidate.base, candidate.strategy) == _judged(result)


def _judged(result: Result) -> tuple[str, str]:
    if result.chosen.base:
        return result.chosen.base, result.chosen.strategy
    best = [rung.strategy for rung in result.ladder.rungs if climbed(rung)]
    return result.base.get("name", "base"), best[-1] if best else ""


def handed_over(result: Result) -> str:
    """What the run left to be used, and what that is."""
    chosen = result.chosen
    if chosen.base:
        return f"{judged(result)}. {strategy(chosen.strategy)}".strip()
    meaning = control(chosen.strategy)
    name = f"{chosen.strategy} ({meaning})" if meaning else chosen.strategy
    return f"the control {name}. It borrows nothing, and did better than {judged(result)} on held-out examples."


def forgetting(record: ForgettingRecord) -> str:
    """How much of what the base knew is gone, against its limit."""
    compared = f"{record.how}; {count(record.n)} inputs"
    if not known(record.error):
        return f"It could not be measured how much of what the base knew is gone ({compared})."
    said = f"{percent(record.error)} of what the base knew has changed ({compared})"
    if known(record.limit):
        side = "within" if record.error <= record.limit else "above"
        said += f", {side} the limit of {percent(record.limit)}."
    else:
        said += "; no limit was given."
    if known(record.kept) and record.kept < 1:
        said += f" Handed over is {percent(record.kept)} of the way from the base to the trained weights."
    return said
