"""What a result says in sentences, for the report and the terminal alike."""

from __future__ import annotations

from markupsafe import Markup, escape

from headstart.evaluation.baselines import PREFIX
from headstart.evaluation.metrics import METRICS
from headstart.records import CandidateRecord, ForgettingRecord, Result, RungRecord, SliceRecord, TestRecord
from headstart.report.figures import count, known, number, percent
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
        return f"{judged(result)}. {strategy(chosen.strategy)} {_instead(result)}".strip()
    meaning = control(chosen.strategy)
    name = f"{chosen.strategy} ({meaning})" if meaning else chosen.strategy
    if str(result.settings.get("strategy", "")).startswith(PREFIX):
        return f"the baseline {name}, as asked for. It borrows nothing."
    return f"the control {name}. It borrows nothing, and did better than {judged(result)} on held-out examples."


def _instead(result: Result) -> str:
    """Why it is not the strategy that was asked for; "" where it is."""
    asked = result.settings.get("strategy", result.chosen.strategy)
    rung = next((rung for rung in result.ladder.rungs if rung.strategy == asked), None)
    if asked == result.chosen.strategy or rung is None or rung.decision != "not taken":
        return ""
    return f"Strategy {asked} was {rung.reason}."


def independent(test: TestRecord) -> str:
    """What the test rows' intervals rest on where rows come in groups, to follow their number; "" where they do not."""
    return f" in {test.units:,} independent group{'' if test.units == 1 else 's'}" if 0 < test.units < test.n else ""


def opened(test: TestRecord) -> str:
    """How often the test rows were read, by this run and by earlier ones, and what that means for the score."""
    if not test.opened:
        return "This run evaluated no test set."
    own = "once, after every choice had been made" if test.opened == 1 else f"{count(test.opened)} times"
    said = f"This run opened the test part {own}"
    if not test.opened_before:
        earlier = "; no earlier run on this machine opened the same examples."
    else:
        earlier = f"; earlier runs on this machine opened the same examples {_times(test.opened_before)}."
    if test.opened + test.opened_before <= 1:
        return said + earlier
    return said + earlier + " Each look after the first lets choices lean towards them, so the score may flatter."


def _times(n: int) -> str:
    return "once" if n == 1 else f"{count(n)} times"


def slice_name(one: SliceRecord) -> str:
    """The value with its column, unless it names that itself."""
    return one.value if one.value.startswith(one.column) else f"{one.column}: {one.value}"


def worse_slices(result: Result) -> list[SliceRecord]:
    """The slices whose whole interval lies on the bad side of the score of all test rows, worst first."""
    found = [s for s in result.slices if known(s.low) and known(s.high)]
    return [s for s in found if _worse(s, s.metric or result.metric, whole(result, s))]


def _worse(one: SliceRecord, metric: str, score: float) -> bool:
    higher = metric not in METRICS or METRICS[metric].higher_is_better
    return one.high < score if higher else one.low > score


def whole(result: Result, one: SliceRecord) -> float:
    """The score of all test rows by the metric that a slice is scored with."""
    found = result.test.metrics.get(one.metric)
    return result.test.score if found is None else found.value


def slices(result: Result) -> str:
    """Which slices are shown to be worse than the whole, and how far the intervals were widened."""
    worse = worse_slices(result)
    looked = (
        f"{count(len(result.slices))} slices were looked at" if len(result.slices) > 1 else "One slice was looked at"
    )
    widened = "; every interval is widened so that all of them hold at once with 95\u00a0% confidence"
    names = "; ".join(slice_name(s) for s in worse[:3]) + ("; …" if len(worse) > 3 else "")
    verdict = (
        f"Shown to be worse than all test examples together ({number(whole(result, result.slices[0]))}): {names}."
        if worse
        else f"None is shown to be worse than all test examples together ({number(whole(result, result.slices[0]))})."
    )
    return f"{looked}{widened if len(result.slices) > 1 else ''}. {verdict}"


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
