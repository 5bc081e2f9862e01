"""An evaluation as text for the terminal."""

from __future__ import annotations

from headstart.evaluation.wording import metric_name
from headstart.flow.evaluating import Evaluation
from headstart.records import MetricRecord
from headstart.report.figures import bounded, known, number
from headstart.terminal.tables import aligned

_WORST = 5  # slices and classes shown


def evaluation_text(found: Evaluation) -> str:
    """The score beside the run's own, what stands out, and what to mind."""
    own = f"{found.run}'s own test had {_with_bounds(found.test)}"
    tested = known(found.test.value)
    own = own if tested else f"{found.run} has no test set of its own to compare that with"
    lines = [
        f"{found.source}: {metric_name(found.metric)} {_with_bounds(found.score)} on {found.n:,} rows; {own}",
        *([_changed(found)] if tested else []),
        *_minded(found),
        "",
        *aligned(
            [
                ("metric", "value [95 % interval]"),
                *((metric_name(n), _with_bounds(m)) for n, m in found.metrics.items()),
            ],
            (),
        ),
        *(f"({metric_name(name)} is undefined: {reason})" for name, reason in found.undefined.items()),
    ]
    worst = [s for s in found.slices if known(s.low)][:_WORST]
    if worst:
        lines += ["", "worst slices (intervals corrected for the number of slices)"]
        lines += aligned(
            [
                (f"  {s.column} = {s.value}", f"{s.n:,} rows", _with_bounds(MetricRecord(s.score, s.low, s.high)))
                for s in worst
            ],
            (1,),
        )
    if found.calibration:
        error = found.calibration
        lines += ["", f"calibration error {_with_bounds(MetricRecord(error.ece, error.low, error.high))}"]
    if found.ood:
        lines.append(
            f"OOD detection ({found.ood.judged_on}): AUROC "
            f"{_with_bounds(MetricRecord(found.ood.auroc, found.ood.low, found.ood.high))} by {found.ood.method}"
        )
    if found.shift:
        lines += ["", "corruption robustness (strength 1 to 5)"]
        for kind in dict.fromkeys(d.kind for d in found.shift.damage):
            scores = [number(d.score) for d in found.shift.damage if d.kind == kind]
            lines.append(f"  {kind}: {' '.join(scores)} (without corruption {number(found.shift.clean)})")
    return "\n".join(lines).replace("\u00a0", " ")


def _changed(found: Evaluation) -> str:
    change = found.change
    if change.low > 0 or change.high < 0:
        word = "better" if change.low > 0 else "worse"
        return f"{word} than there, difference {bounded(change.value, change.low, change.high, sign=True)}"
    return f"no significant difference: {bounded(change.value, change.low, change.high, sign=True)}"


def _minded(found: Evaluation) -> list[str]:
    said = []
    if found.rejected:
        said.append(f"{found.rejected:,} rows cannot be read and are left out")
    if found.reading is not None and found.reading.long:
        said.append(found.reading.sentence.rstrip("."))
    if found.learnt:
        rest = f"; on the others {_with_bounds(found.unseen)}" if found.unseen else ""
        said.append(f"{found.learnt:,} of the rows are training rows, so the score is too optimistic{rest}")
    if found.tested:
        said.append(
            f"{found.tested:,} of the rows are of the run's test set, which has now been evaluated {found.opened} times"
        )
    return said


def _with_bounds(m: MetricRecord) -> str:
    return bounded(m.value, m.low, m.high)
