"""What `--verbose` adds to the summary of a run: strategy search, all scores, what was found beside them, the cost."""

from __future__ import annotations

from headstart.evaluation.wording import DECISIONS, metric_name
from headstart.records import CalibrationRecord, Result, RungRecord
from headstart.report import words
from headstart.report.figures import MISSING, bounded, interval, known, number, rate, signed
from headstart.report.sentences import forgetting, independent, judged, slice_name, worse_slices
from headstart.terminal.tables import columns, fitted, paragraph

_GRAVE = ("error", "warning")
_NARROW = 100  # columns under which the interval of a gain is left to the report
_SEARCH_NOTE = "(90 % intervals of the gain, for all steps together; these rows chose among the steps.)"


def details(result: Result) -> list[str]:
    """The lines, in blocks with an empty line between."""
    blocks = [
        search_lines(result),
        score_lines(result),
        beside_lines(result),
        finding_lines(result),
        cost_lines(result),
    ]
    return [line.replace("\u00a0", " ") for block in blocks if block for line in ["", *block]]


def search_lines(result: Result) -> list[str]:
    """The steps of the strategy search; nothing where there was but one: nothing was compared."""
    rungs = result.ladder.rungs
    if len(rungs) < 2:
        return []
    wide = columns() >= _NARROW
    title = ("strategy search", metric_name(result.metric), "gain", *(("90 % interval",) if wide else ()), "seconds")
    rows = [(*title, "decision"), *(_step(rung, wide) for rung in rungs)]
    return [*fitted(rows, right=(1, 2, 3, 4) if wide else (1, 2, 3), wrapped=()), *paragraph(_SEARCH_NOTE)]


def _step(rung: RungRecord, wide: bool) -> tuple[str, ...]:
    bounds = (interval(rung.low, rung.high, sign=True),) if wide else ()
    tried = rung.decision != "not tried" and known(rung.seconds)
    seconds = f"{rung.seconds:.1f}" if tried else MISSING
    decision = DECISIONS.get(rung.decision, rung.decision)
    return rung.strategy, number(rung.valid_score), signed(rung.gain), *bounds, seconds, decision


def score_lines(result: Result) -> list[str]:
    """The transfer model and the baselines on the test set."""
    test = result.test
    name = f"{judged(result)} ({result.chosen.head})" if result.chosen.head else judged(result)
    own = (name, bounded(test.score, test.low, test.high))
    rows = [own, *((c.name, bounded(c.score, c.low, c.high)) for c in result.controls)]
    title = (f"test set, {test.n:,} rows{independent(test)}", f"{metric_name(result.metric)} [95 % interval]")
    notes = [f"({c.name}: {meaning})" for c in result.controls if (meaning := words.control(c.name))]
    return [*fitted([title, *rows], right=(), wrapped=()), *notes]


def beside_lines(result: Result) -> list[str]:
    """Calibration, conformal sets, abstention, OOD detection, the worst slice, robustness, a naive split."""
    lines = [
        *_decided(result),
        *_calibrated(result.calibration),
        *_unknown(result),
        *_slices(result),
        *_corrupted(result),
        *_naive(result),
    ]
    return [wrapped for line in lines for wrapped in paragraph(line.replace("\u00a0", " "), "", "  ")]


def _decided(result: Result) -> list[str]:
    """Thresholds, the positive class, and prediction intervals, as far as the task has them."""
    lines, limits, two, spans = [], result.thresholds, result.two_classes, result.intervals
    if limits is not None:
        values = sorted(limits.values.values())
        told = number(values[0]) if values[0] == values[-1] else f"{number(values[0])} to {number(values[-1])}"
        lines.append(f"threshold: {number(two.threshold) if two else told} ({limits.rule})")
    if two is not None and limits is not None:
        scores = (("precision", two.precision), ("recall", two.recall))
        one = ", ".join(f"{name} {bounded(found.value, found.low, found.high)}" for name, found in scores)
        lines.append(f"positive class: {two.positive} ({two.reason}): {one}")
    if spans is not None:
        covered = f"coverage {rate(spans.coverage)} of the test rows, target {rate(spans.level)}"
        lines.append(f"prediction intervals: ± {number(spans.half_width)}; {covered}")
    return lines


def _calibrated(told: CalibrationRecord | None) -> list[str]:
    if told is None:
        return []
    lines = [f"calibration error: {bounded(told.ece, told.low, told.high)}, temperature {number(told.temperature)}"]
    if told.conformal:
        sets = told.conformal
        lines.append(
            f"conformal sets: coverage {rate(sets.coverage)} [{rate(sets.low)}, {rate(sets.high)}], mean size "
            f"{sets.mean_size:.2f} (target {rate(sets.level)})"
        )
    if told.abstain:
        risk = told.abstain
        if not risk.answered:
            rows = f"{told.conformal.n:,} held-out rows are" if told.conformal else "held-out rows are"
            return [*lines, f"abstention: nothing is answered; {rows} too few to show an error of {rate(risk.risk)}"]
        lines.append(
            f"abstention: {rate(risk.answered)} of the test rows answered, {rate(risk.error)} of these wrong "
            f"(target {rate(risk.risk)} at most)"
        )
    return lines


def _unknown(result: Result) -> list[str]:
    told = result.ood
    if told is None or not known(told.auroc):
        return []
    whose = "" if result.chosen.base else f" of {judged(result)}"
    return [f"OOD detection{whose}: AUROC {bounded(told.auroc, told.low, told.high)}; on {told.judged_on}"]


def _slices(result: Result) -> list[str]:
    worse = worse_slices(result)
    if not worse:
        return []
    first = worse[0]
    more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
    return [f"worst slice: {slice_name(first)}, {bounded(first.score, first.low, first.high)}, {first.n:,} rows{more}"]


def _corrupted(result: Result) -> list[str]:
    if result.shift is None:
        return []
    worst = sorted(result.shift.damage, key=lambda d: d.score)[:1]
    return [f"corruption robustness: worst {d.kind} of strength {d.strength}, {number(d.score)}" for d in worst]


def _naive(result: Result) -> list[str]:
    naive = result.audit.naive
    if not naive:
        return []
    return [f"random split that separates {naive.why}: {number(naive.naive)} in place of {number(naive.honest)}"]


def finding_lines(result: Result) -> list[str]:
    """Forgetting, each finding of the diagnosis, and the worst ones in the data."""
    found = [("forgetting", forgetting(result.forgetting))] if result.forgetting else []
    found += [(one.name, f"{one.sentence} {one.suggestion}".rstrip()) for one in result.diagnosis]
    found += [("data", one.sentence) for one in result.audit.findings if one.severity in _GRAVE]
    return [line for name, text in found for line in paragraph(text.replace("\u00a0", " "), f"{name}: ", "  ")]


def cost_lines(result: Result) -> list[str]:
    """Seconds in all and by step, and what was cut to keep the budget."""
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.timing.items() if seconds >= 0.05)
    budget = result.ladder.budget_seconds
    given = f" of {budget:g} s" if known(budget) else ""
    return paragraph(f"took {result.seconds:.1f} s{given}: {steps}", "", "  ")
