"""What a result says in sentences, for the report and the terminal alike."""

from __future__ import annotations

from markupsafe import Markup, escape

from headstart.evaluation.baselines import PREFIX
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import count as counted
from headstart.records import (
    DiagnosisRecord,
    ForgettingRecord,
    IntervalRecord,
    Result,
    RungRecord,
    SliceRecord,
    TestRecord,
    TwoClassRecord,
)
from headstart.report.evidence import ScoredRows
from headstart.report.figures import bounded, capital, count, known, number, percent, rate
from headstart.report.words import control, strategy
from headstart.tasks import get


def with_code(text: str) -> Markup:
    """The text with what stands between backticks set as code."""
    parts = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def parted(text: str) -> Markup:
    """A number with its interval as two pieces, between which a narrow page may break; other text as it is."""
    value, gap, bounds = text.partition("\u00a0[")
    return Markup('{} <span class="whole">[{}</span>').format(value, bounds) if value and gap else escape(text)


def accepted(rung: RungRecord) -> bool:
    """Whether ``rung`` was the best so far when it had been tried."""
    return rung.decision in ("start", "taken")


#: Independent groups a row up to which it is said that there are fewer of them than rows.
_TELLING = 0.95
_NAMED = 12  # labels listed


def headline(result: Result) -> str:
    """The verdict without its numbers: "Transfer learning improved accuracy."."""
    return result.verdict.sentence.partition(": ")[0].rstrip(".") + "."


def remark(result: Result) -> str:
    """What the verdict says after its numbers, such as which rows were left out; "" where that is nothing."""
    return result.verdict.sentence.partition(". ")[2]


def labels(result: Result) -> str:
    """What answers name, the first of them; "" where they are values."""
    task = get(result.task)(labels=tuple(result.data.labels))
    more = ", …" if len(task.names) > _NAMED else ""
    return f"{task.named}: {', '.join(task.names[:_NAMED])}{more}" if task.names else ""


def understood(result: Result) -> str:
    """What the data were taken for, and how many rows each split has."""
    data, task = result.data, get(result.task)(labels=tuple(result.data.labels))
    classes = f" of {task.named}" if data.labels else f" for {task.purpose()}"
    names = {"train": "training", "valid": "validation"}
    parts = ", ".join(f"{count(n)} {names.get(part, part)}" for part, n in data.parts.items())
    excluded = f"; {counted(data.rejected, 'excluded row')} (rejected.csv)" if data.rejected else ""
    noun = (data.inputs or data.modality).removesuffix("s")
    return f"{counted(data.rows, noun)}{classes}: {parts}{excluded}"


def judged(result: Result) -> str:
    """The transfer model that the test scores are of: the selected one, or the best one where a baseline is."""
    return ", ".join(filter(None, _judged(result)))


def _judged(result: Result) -> tuple[str, str]:
    if result.chosen.base:
        return result.chosen.base, result.chosen.strategy
    best = [rung.strategy for rung in result.ladder.rungs if accepted(rung)]
    return result.base.get("name", "base"), best[-1] if best else ""


def selected(result: Result) -> str:
    """The model that the run left to be used, and what that is."""
    chosen = result.chosen
    if chosen.base:
        meaning = strategy(chosen.strategy, result.task)
        return f"{judged(result)}{f': {uncapital(meaning)}' if meaning else ''} {_instead(result)}".strip()
    meaning = control(chosen.strategy)
    name = f"{chosen.strategy} ({meaning})" if meaning else chosen.strategy
    if str(result.settings.get("strategy", "")).startswith(PREFIX):
        return f"the baseline {name}, as asked for."
    return f"the baseline {name}, which did better than {judged(result)} on validation rows."


def uncapital(text: str) -> str:
    """With a small letter at the start; the rest as it is."""
    return text[:1].lower() + text[1:]


def _instead(result: Result) -> str:
    """Why it is not the strategy that was asked for; "" where it is."""
    asked = result.settings.get("strategy", result.chosen.strategy)
    rung = next((rung for rung in result.ladder.rungs if rung.strategy == asked), None)
    if asked == result.chosen.strategy or rung is None or rung.decision != "not taken":
        return ""
    return f"Strategy {asked} was {rung.reason}."


_GRAVE = ("error", "warning")
_PLAIN = ("healthy", "no gain shown")  # findings that warn of nothing
_VERDICTS = ("wrong base", "negative transfer")  # findings that a verdict "hurt" has said
_WARNED = 3


def grave(result: Result) -> list[DiagnosisRecord]:
    """The findings of the diagnosis that warn of something, the weightiest first."""
    return [one for one in result.diagnosis if one.name not in _PLAIN]


def warnings(result: Result, most: int = _WARNED) -> list[str]:
    """What to mind before the result is used, the gravest first, a sentence each; how many more the report has.

    What the verdict itself says is not said again.
    """
    hurt = result.verdict.outcome == "hurt"
    told = [one for one in grave(result) if not (hurt and one.name in _VERDICTS)]
    found = [f"{one.name}: {one.sentence}" for one in told]
    data = [one.sentence for one in result.audit.findings if one.severity in _GRAVE]
    found += [one for one in data if not any(one in other for other in found)]
    found += [f"To keep the budget: {one}." for one in result.ladder.cut]
    found = [capital(one) if one.endswith(".") else f"{capital(one)}." for one in found]
    more = len(found) - most
    return [*found[:most], f"{more} more in the report."] if more > 0 else found


def independent(test: TestRecord) -> str:
    """What the test rows' intervals rest on where rows come in groups, to follow their number.

    "" where they do not, or where so few repeat others that the number of rows says it.
    """
    return f" in {counted(test.units, 'independent group')}" if 0 < test.units < _TELLING * test.n else ""


def opened(test: TestRecord) -> str:
    """How often the test set was evaluated, by this run and by earlier ones, and what that means for the score."""
    if not test.opened:
        return "This run evaluated no test set."
    own = "once, after every choice was made" if test.opened == 1 else f"{count(test.opened)} times"
    said = f"This run evaluated the test set {own}."
    if test.opened_before:
        said += f" Earlier runs on this machine evaluated the same rows {_times(test.opened_before)}."
    if test.opened + test.opened_before > 1:
        said += " Choices may have adapted to it, so the score may be too optimistic."
    return said


def _times(n: int) -> str:
    return "once" if n == 1 else f"{count(n)} times"


def slice_name(one: SliceRecord) -> str:
    """The value with its column, unless it names that itself."""
    return one.value if one.value.startswith(one.column) else f"{one.column}: {one.value}"


def worse_slices(result: ScoredRows) -> list[SliceRecord]:
    """The slices whose whole interval lies on the bad side of the score of all rows, worst first."""
    found = [s for s in result.slices if known(s.low) and known(s.high)]
    return [s for s in found if _worse(s, s.metric or result.metric, whole(result, s))]


def _worse(one: SliceRecord, metric: str, score: float) -> bool:
    higher = metric not in METRICS or METRICS[metric].higher_is_better
    return one.high < score if higher else one.low > score


def whole(result: ScoredRows, one: SliceRecord) -> float:
    """The score of all rows by the metric that a slice is scored with."""
    found = result.test.metrics.get(one.metric)
    return result.test.score if found is None else found.value


def two_class_sentence(two: TwoClassRecord) -> str:
    """The positive class, its threshold, and precision and recall there."""
    scores = ", ".join(
        f"{name} {bounded(one.value, one.low, one.high)}"
        for name, one in (("precision", two.precision), ("recall", two.recall), ("specificity", two.specificity))
    )
    return f"Positive class: {two.positive} ({two.reason}). Threshold {number(two.threshold)} ({two.rule}): {scores}."


def interval_sentence(spans: IntervalRecord | None, rows: str = "test") -> str:
    """The width of prediction intervals and how many rows they hold; "" where there are none."""
    if spans is None:
        return ""
    covered = f"coverage {rate(spans.coverage)} [{rate(spans.low)}, {rate(spans.high)}] of the {rows} rows"
    return f"Prediction intervals: ± {number(spans.half_width)}; {covered}, target {rate(spans.level)}."


def slices(result: ScoredRows, rows: str = "test") -> str:
    """Which slices are shown to be worse than the whole, and how far the intervals were widened."""
    worse, every = worse_slices(result), len(result.slices)
    names = "; ".join(slice_name(s) for s in worse[:3]) + ("; …" if len(worse) > 3 else "")
    verdict = (
        f"Worse than all {rows} rows together ({number(whole(result, result.slices[0]))}): {names}."
        if worse
        else f"None is shown to be worse than all {rows} rows ({number(whole(result, result.slices[0]))})."
    )
    widened = ", with intervals corrected for that" if every > 1 else ""
    return f"{capital(counted(every, 'slice'))} compared{widened}. {verdict}"


def forgetting(record: ForgettingRecord) -> str:
    """How much of the base's earlier behaviour has changed, against its limit."""
    compared = f"{record.how}; {count(record.n)} inputs"
    if not known(record.error):
        return f"It could not be measured how far the base has changed ({compared})."
    said = f"{percent(record.error)} of the base's answers have changed ({compared})"
    if known(record.limit):
        said += f", {'within' if record.error <= record.limit else 'above'} the limit of {percent(record.limit)}."
    else:
        said += "; no limit was given."
    if known(record.kept) and record.kept < 1:
        said += f" The selected weights are {percent(record.kept)} of the way from the base to the trained weights."
    return said
