"""What stands beside the score of a run, a line each, for the terminal."""

from __future__ import annotations

from headstart.records import Result
from headstart.report.figures import bounded, known, number, rate
from headstart.report.sentences import slice_name, worse_slices

_ERRORS = ("error", "warning")


def beside_lines(result: Result) -> list[str]:
    """Calibration, sets, what is answered, unknown inputs, slices that are surely worse, and findings in the data."""
    every = (_decided, _calibrated, _unknown, _slices, _damage, _data)
    lines = [line for some in every for line in some(result)]
    if lines and not result.chosen.base:
        lines.insert(0, "of the borrowed model (what `predict` says comes of the control):")
    return [line.replace("\u00a0", " ") for line in lines]


def _calibrated(result: Result) -> list[str]:
    told = result.calibration
    if told is None:
        return []
    lines = [f"calibration  error {bounded(told.ece, told.low, told.high)}, temperature {number(told.temperature)}"]
    if told.conformal:
        sets = told.conformal
        lines.append(
            f"sets         of {sets.mean_size:.2f} labels hold the true one in {rate(sets.coverage)} of the test "
            f"rows ({rate(sets.low)} to {rate(sets.high)}; promised {rate(sets.level)})"
        )
    if told.abstain:
        risk = told.abstain
        if not risk.answered:
            few = (
                f"{told.conformal.n:,} held-out rows cannot promise"
                if told.conformal
                else "held-out rows are too few for"
            )
            return [*lines, f"answered     nothing: {few} a risk of {rate(risk.risk)}; label more, or allow more"]
        lines.append(
            f"answered     {rate(risk.answered)} of the test rows, of which {rate(risk.error)} wrong "
            f"(asked for: at most {rate(risk.risk)})"
        )
    return lines


def _unknown(result: Result) -> list[str]:
    told = result.ood
    if told is None or not known(told.auroc):
        return []
    beside = f"; {told.beside}" if told.beside else ""
    auroc = bounded(told.auroc, told.low, told.high)
    return [f"unknown      told from known with AUROC {auroc}; on {told.judged_on}{beside}"]


def _decided(result: Result) -> list[str]:
    """Thresholds, the class that is looked for, and prediction intervals, as far as the task has them."""
    lines, limits, two, spans = [], result.thresholds, result.two_classes, result.intervals
    if limits is not None:
        values = sorted(limits.values.values())
        told = number(values[0]) if values[0] == values[-1] else f"{number(values[0])} to {number(values[-1])}"
        told = number(two.threshold) if two else told
        lines.append(f"threshold    {told} ({limits.rule})")
    if two is not None and limits is not None:
        one = ", ".join(
            f"{name} {bounded(found.value, found.low, found.high)}"
            for name, found in (("precision", two.precision), ("recall", two.recall))
        )
        lines.append(f"positive     {two.positive} ({two.reason}): {one}")
    if spans is not None:
        lines.append(
            f"intervals    prediction ± {number(spans.half_width)} hold the true value in {rate(spans.coverage)} of "
            f"the test rows (target {rate(spans.level)})"
        )
    return lines


def _slices(result: Result) -> list[str]:
    worse = worse_slices(result)
    if not worse:
        return []
    first = worse[0]
    more = f", and {len(worse) - 1} more slices" if len(worse) > 1 else ""
    return [f"worst slice  {slice_name(first)}: {bounded(first.score, first.low, first.high)}, {first.n:,} rows{more}"]


def _damage(result: Result) -> list[str]:
    if result.shift is None:
        return []
    worst = sorted(result.shift.damage, key=lambda d: d.score)[:1]
    return [f"damage       worst: {d.kind} of strength {d.strength}, {number(d.score)}" for d in worst]


def _counted(findings: int) -> str:
    return f"{findings:,} finding{'s' * (findings != 1)}"


def _data(result: Result) -> list[str]:
    grave = [one for one in result.audit.findings if one.severity in _ERRORS]
    naive = result.audit.naive
    lines = [f"data         {_counted(result.audit.found)}; the worst: {grave[0].sentence}"] if grave else []
    if naive:
        lines.append(
            f"data         a split that parts {naive.why} would have claimed {number(naive.naive)} where this kind "
            f"gives {number(naive.honest)}"
        )
    return lines
