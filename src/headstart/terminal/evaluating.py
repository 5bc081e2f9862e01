"""An evaluation as text for the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.delivery.target_folder import INDEX, TABLE
from headstart.evaluation.metrics import METRICS
from headstart.evaluation.wording import count, metric_name
from headstart.files import shown_path
from headstart.flow.evaluate.evaluate import PAGE, RECORD
from headstart.flow.evaluate.page import Evaluation
from headstart.flow.mistakes import ANSWERS, MISTAKES
from headstart.records import MetricRecord
from headstart.report import confusion
from headstart.report.figures import bounded, known, number
from headstart.report.sentences import slice_name
from headstart.targets import TargetEvaluations
from headstart.terminal.tables import aligned, columns, labelled, paragraph

_WORST = 5  # slices and pairs of classes shown
_READABLE = 6  # classes up to which the confusion matrix fits a line


def evaluations_text(found: Evaluation | TargetEvaluations, out: Path | None = None, *, verbose: bool = False) -> str:
    """One evaluation, or those of several target columns with what lies over them."""
    if isinstance(found, Evaluation):
        return evaluation_text(found, out, verbose=verbose)
    folders = {row.target: row.folder for row in found.rows}
    blocks = [
        f"target {column}\n" + evaluation_text(one, out / folders[column] if out else None, verbose=verbose)
        for column, one in found.items()
    ]
    over = [f"all: {shown_path(out / INDEX)}, {TABLE} and {RECORD} beside it"] if out else []
    return "\n\n".join([*blocks, *over])


def evaluation_text(found: Evaluation, out: Path | None = None, *, verbose: bool = False) -> str:
    """Whether the score holds, what it was before, what to mind and to do, and what was written to ``out``."""
    facts = [
        (metric_name(found.metric), f"{_with_bounds(found.score)} on {count(found.n, 'row')} of {found.source}"),
        ("test set", _own(found)),
        *(("warning", one) for one in found.remarks),
        ("mistakes", _confused(found)),
        *_asked(found),
        ("next", found.next_step),
        *_written(found, out),
    ]
    lines = [*paragraph(found.headline), *labelled(facts)]
    return "\n".join([*lines, *(_details(found) if verbose else [])]).replace("\u00a0", " ")


def _own(found: Evaluation) -> str:
    """The run's test score, and how far the new one is from it."""
    if not known(found.test.value):
        return f"run {found.run} has no test score of its own"
    change = f"; difference {found.difference}" if found.difference else ""
    return f"{_with_bounds(found.test)} of run {found.run}{change}"


def _confused(found: Evaluation) -> str:
    """The most frequent confusion; "" where there is none."""
    if found.confusion is None:
        return ""
    pairs = confusion.pairs(np.array(found.confusion), tuple(found.labels))
    if not pairs:
        return ""
    return f"{count(found.mistakes, 'mistake')}; most often {pairs[0].truth} predicted as {pairs[0].predicted}"


def _asked(found: Evaluation) -> list[tuple[str, str]]:
    """What ``--ood`` and ``--corruptions`` found."""
    told = []
    if found.ood:
        auroc = bounded(found.ood.auroc, found.ood.low, found.ood.high)
        told.append(("OOD detection", f"AUROC {auroc} ({found.ood.judged_on})"))
    if found.shift and found.shift.damage:
        scored = [d for d in found.shift.damage if known(d.score)]
        higher = found.metric not in METRICS or METRICS[found.metric].higher_is_better
        worst = min(scored, key=lambda d: d.score if higher else -d.score, default=None)
        if worst is not None:
            score = bounded(worst.score, worst.low, worst.high)
            told.append(("corrupted", f"worst under {worst.kind} of strength {worst.strength} (of 5): {score}"))
    return told


def _written(found: Evaluation, out: Path | None) -> list[tuple[str, str]]:
    if out is None:
        return [("page", "--out FOLDER writes report.html with pictures of the mistakes, and mistakes.csv")]
    if out.suffix == ".json":
        return [("record", shown_path(out))]
    return [("report", shown_path(out / PAGE)), ("tables", f"{MISTAKES}, {ANSWERS} and {RECORD} beside it")]


def _details(found: Evaluation) -> list[str]:
    """Every metric, the worst slices, confusions, calibration and corruption, in blocks."""
    blocks = [_metrics(found), _slices(found), _confusion(found), _calibration(found), _corruption(found)]
    return [line for block in blocks if block for line in ["", *block]]


def _metrics(found: Evaluation) -> list[str]:
    rows = [(metric_name(name), _with_bounds(one)) for name, one in found.metrics.items()]
    told = (f"({metric_name(name)} is undefined: {reason})" for name, reason in found.undefined.items())
    undefined = [line for one in told for line in paragraph(one)]
    return [*aligned([("metric", "value [95 % interval]"), *rows], ()), *undefined]


def _slices(found: Evaluation) -> list[str]:
    worst = [s for s in found.slices if known(s.low)][:_WORST]
    if not worst:
        return []
    by = metric_name(worst[0].metric or found.metric)
    rows = [(slice_name(s), f"{s.n:,}", bounded(s.score, s.low, s.high)) for s in worst]
    return aligned([("worst slices", "rows", f"{by} [corrected for the number of slices]"), *rows], (1,))


def _confusion(found: Evaluation) -> list[str]:
    """The whole matrix of few classes, the most confused pairs of many."""
    if found.confusion is None or not found.mistakes:
        return []
    counts, labels = np.array(found.confusion), tuple(found.labels)
    heads = ("true class", *(f"as {label}" for label in labels))
    rows = [(label, *(f"{n:,}" for n in row)) for label, row in zip(labels, found.confusion, strict=True)]
    whole = aligned([heads, *rows], tuple(range(1, len(labels) + 1))) if len(labels) <= _READABLE else []
    if whole and max(map(len, whole)) <= columns():
        return ["confusion matrix", *whole]
    pairs = confusion.pairs(counts, labels)[:_WORST]
    shown = [(pair.truth, pair.predicted, f"{pair.count:,}") for pair in pairs]
    return aligned([("true class", "predicted as", "rows"), *shown], (2,))


def _calibration(found: Evaluation) -> list[str]:
    error = found.calibration
    return [f"calibration error {bounded(error.ece, error.low, error.high)}"] if error else []


def _corruption(found: Evaluation) -> list[str]:
    if not found.shift:
        return []
    rows = []
    for kind in dict.fromkeys(d.kind for d in found.shift.damage):
        rows.append((kind, *(number(d.score) for d in found.shift.damage if d.kind == kind)))
    most = max((len(row) for row in rows), default=1)
    rows = [(*row, *[""] * (most - len(row))) for row in rows]
    title = ("corruption, strength", *(str(i) for i in range(1, most)))
    clean = f"(without corruption {number(found.shift.clean)})"
    return [*aligned([title, *rows], tuple(range(1, most))), clean]


def _with_bounds(m: MetricRecord) -> str:
    return bounded(m.value, m.low, m.high)
