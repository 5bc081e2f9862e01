"""What the report shows besides the result's numbers: confusions, worst mistakes, thumbnails."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.confusion import confusion
from headstart.evaluation.wording import figures
from headstart.flow.judging import Judgement
from headstart.flow.thumbnails import thumbnail
from headstart.report.evidence import Evidence, Example
from headstart.tasks.task import Task

_SHOWN = 8  # examples of each kind
_TEXT = 400  # characters


def gather(judgement: Judgement, task: Task) -> Evidence:
    """Evidence on the test rows, by task."""
    y, p = judgement.rows.y, judgement.probabilities
    if task.name == "regression":
        scatter = np.column_stack([y[:, 0], p[:, 0]])
        return Evidence(examples=_regression_examples(judgement), scatter=scatter)
    if task.name == "multilabel":
        return Evidence(task.labels)
    return Evidence(task.labels, confusion(y, judgement.decided).matrix, _class_examples(judgement, task))


def _class_examples(judgement: Judgement, task: Task) -> tuple[Example, ...]:
    """The mistakes made with most confidence, then the right answers given with most."""
    y, p = judgement.rows.y, judgement.probabilities
    said = judgement.decided.argmax(1)
    sure = p[np.arange(len(p)), said]
    order = np.argsort(-sure, kind="stable")
    wrong, right = order[said[order] != y[order]][:_SHOWN], order[said[order] == y[order]][:_SHOWN]
    return tuple(
        _example(judgement, kind, row, task.labels[y[row]], task.labels[said[row]], float(sure[row]))
        for kind, rows in (("mistake", wrong), ("confident", right))
        for row in rows
    )


def _regression_examples(judgement: Judgement) -> tuple[Example, ...]:
    """The largest errors; the confidence of a value is not known."""
    y, p = judgement.rows.y[:, 0], judgement.probabilities[:, 0]
    worst = np.argsort(-np.abs(y - p), kind="stable")[:_SHOWN]
    told = f".{figures(y)}g"
    return tuple(
        _example(judgement, "mistake", row, format(y[row], told), format(p[row], told), float("nan")) for row in worst
    )


def _example(judgement: Judgement, kind: str, row: int, truth: str, said: str, sure: float) -> Example:
    table = judgement.rows.table
    value = table.inputs[row]
    text = value[:_TEXT] if table.modality == "text" else None
    return Example(
        kind,
        str(table.ids[row]),
        truth,
        said,
        sure,
        text,
        thumbnail(value) if table.modality == "image" else None,
    )
