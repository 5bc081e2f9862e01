"""What the report shows besides the result's numbers: confusions, worst mistakes, thumbnails."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from headstart.evaluation.confusion import confusion
from headstart.flow.judging import Judgement
from headstart.modalities import get as get_modality
from headstart.modalities.image import ImageSpec
from headstart.modalities.modality import Unreadable
from headstart.report.evidence import ClassScore, Evidence, Example
from headstart.tasks.task import Task

_SHOWN = 8  # examples of each kind
_THUMBNAIL = ImageSpec(size=96, resize=96, interpolation="bilinear", mean=(0.0,) * 3, std=(1.0,) * 3)
_TEXT = 400  # characters


def gather(judgement: Judgement, task: Task) -> Evidence:
    """Evidence on the test rows, by task."""
    y, p = judgement.rows.y, judgement.probabilities
    if task.name == "regression":
        scatter = np.column_stack([y[:, 0], p[:, 0]])
        return Evidence(examples=_regression_examples(judgement), scatter=scatter)
    if task.name == "multilabel":
        return Evidence(task.labels, per_class=_per_label(y > 0, p >= 0.5, task.labels))
    counted = confusion(y, p)
    scores = zip(task.labels, counted.precision, counted.recall, counted.support, strict=True)
    return Evidence(task.labels, counted.matrix, [ClassScore(*row) for row in scores], _class_examples(judgement, task))


def _per_label(truth: np.ndarray, said: np.ndarray, labels: tuple[str, ...]) -> list[ClassScore]:
    """Precision and recall of each label, from [n, k] bool; nan where undefined."""
    hits, support, given = (truth & said).sum(0), truth.sum(0), said.sum(0)
    with np.errstate(invalid="ignore"):
        rows = zip(labels, hits / given, hits / support, support, strict=True)
    return [ClassScore(*row) for row in rows]


def _class_examples(judgement: Judgement, task: Task) -> tuple[Example, ...]:
    """The mistakes made with most confidence, then the right answers given with most."""
    y, p = judgement.rows.y, judgement.probabilities
    said, sure = p.argmax(1), p.max(1)
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
    return tuple(_example(judgement, "mistake", row, f"{y[row]:.4g}", f"{p[row]:.4g}", float("nan")) for row in worst)


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
        _thumbnail(value) if table.modality == "image" else None,
    )


def _thumbnail(value: Any) -> bytes | None:
    from PIL import Image

    try:
        pixels = get_modality("image").decode(value, _THUMBNAIL)
    except Unreadable:  # gone since it was embedded
        return None
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
