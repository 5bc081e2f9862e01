"""An evaluation as text for the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.evaluation.wording import count, metric_name
from headstart.flow.evaluating import RECORD, Evaluation
from headstart.flow.mistakes import ANSWERS, MISTAKES
from headstart.records import MetricRecord
from headstart.report import confusion
from headstart.report.figures import bounded, known, number
from headstart.terminal.tables import aligned

_WORST = 5  # slices and pairs of classes shown
_READABLE = 6  # classes up to which the confusion matrix fits a line


def evaluation_text(found: Evaluation, out: Path | None = None) -> str:
    """The score beside the run's own, what stands out, what to mind, and what was written to ``out``."""
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
        by = worst[0].metric or found.metric
        lines += ["", f"worst slices by {by} (intervals corrected for the number of slices)"]
        lines += aligned(
            [
                (f"  {s.column} = {s.value}", f"{s.n:,} rows", _with_bounds(MetricRecord(s.score, s.low, s.high)))
                for s in worst
            ],
            (1,),
        )
    lines += _confusion(found)
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
    lines += _written(found, out)
    return "\n".join(lines).replace("\u00a0", " ")


def _confusion(found: Evaluation) -> list[str]:
    """The whole matrix of few classes, the most confused pairs of many."""
    if found.confusion is None or not found.mistakes:
        return []
    counts, labels = np.array(found.confusion), tuple(found.labels)
    if len(labels) <= _READABLE:
        heads = ("true class", *(f"as {label}" for label in labels))
        rows = [(label, *(f"{n:,}" for n in row)) for label, row in zip(labels, found.confusion, strict=True)]
        return ["", "confusion matrix", *aligned([heads, *rows], tuple(range(1, len(labels) + 1)))]
    pairs = confusion.pairs(counts, labels)[:_WORST]
    return ["", "most confused classes", *(f"  {p.truth} taken for {p.predicted}: {p.count:,} rows" for p in pairs)]


def _written(found: Evaluation, out: Path | None) -> list[str]:
    if out is None:
        return []
    if out.suffix == ".json":
        return ["", f"record       {out}"]
    wrong = f"{found.mistakes:,} {'row' if found.mistakes == 1 else 'rows'}"
    return [
        "",
        f"mistakes     {out / MISTAKES}   ({wrong})",
        f"predictions  {out / ANSWERS}",
        f"record       {out / RECORD}",
    ]


def _changed(found: Evaluation) -> str:
    change = found.change
    if change.low > 0 or change.high < 0:
        word = "better" if change.low > 0 else "worse"
        return f"{word} than there, difference {bounded(change.value, change.low, change.high, sign=True)}"
    return f"no significant difference: {bounded(change.value, change.low, change.high, sign=True)}"


def _minded(found: Evaluation) -> list[str]:
    said = []
    if found.rejected:
        said.append(f"left out as unreadable: {count(found.rejected, 'row')}")
    if found.reading is not None and found.reading.long:
        said.append(found.reading.sentence.rstrip("."))
    if found.learnt:
        own = count(found.learnt, "of the rows is a training row", "of the rows are training rows")
        rest = f"; on the others {_with_bounds(found.unseen)}" if found.unseen else ""
        said.append(f"{own}, so the score is too optimistic{rest}")
    if found.tested:
        own, times = count(found.tested, "of the rows is", "of the rows are"), count(found.opened, "time")
        said.append(f"{own} of the run's test set, which has now been evaluated {times}")
    return said


def _with_bounds(m: MetricRecord) -> str:
    return bounded(m.value, m.low, m.high)
