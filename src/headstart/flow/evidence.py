"""What the report shows besides the result's numbers: confusions, and the worst mistakes with their inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.evaluation.confusion import confusion
from headstart.evaluation.thresholds import decided
from headstart.evaluation.wording import figures
from headstart.modalities import get
from headstart.report.evidence import Evidence, Example
from headstart.tasks.task import Task

if TYPE_CHECKING:  # these draw in all of training, which an evaluation has no use for
    from headstart.flow.calibration import Calibrated
    from headstart.flow.judgement import Judgement
    from headstart.flow.preparation import Prepared
    from headstart.flow.search import Climbed
    from headstart.flow.selection import Preferred

_SHOWN = 6  # mistakes of each split
_CUT = 0.5  # probability from which a label is given


@dataclass(frozen=True)
class Answered:
    """Rows of one split with the selected model's answers.

    Attributes:
        split: "test", "validation" or "new".
        ids, inputs: [n] of the rows.
        modality: of the inputs.
        y: [n] or [n, outputs] the truth.
        p: [n, outputs] probabilities, or values of a regression.
        given: [n, outputs] the same as the thresholds decide them: from 0.5 on a label is given.
    """

    split: str
    ids: np.ndarray
    inputs: np.ndarray
    modality: str
    y: np.ndarray
    p: np.ndarray
    given: np.ndarray


def gather(
    prepared: Prepared, climbed: Climbed, calibrated: Calibrated, judged: Judgement, preferred: Preferred | None
) -> Evidence:
    """Evidence on test rows and held-out ones, by task; of the baseline where that is selected."""
    task, test, working = prepared.task, judged.rows, prepared.working()
    rows = climbed.ground.holding.rows[: len(calibrated.held)]
    tested, held, limits = judged.probabilities, calibrated.held, judged.thresholds
    if preferred:
        held, limits = preferred.held, judged.limits.get(preferred.control.name)
        tested = next(run.probabilities for run in judged.panel if run.name == preferred.control.name)
    given, held_given = decided(tested, limits), decided(held, limits)
    table = working.table
    splits = (
        Answered("test", test.table.ids, test.table.inputs, table.modality, test.y, tested, given),
        Answered("validation", table.ids[rows], table.inputs[rows], table.modality, working.y[rows], held, held_given),
    )
    return evidence_of(task, splits)


def evidence_of(task: Task, splits: Sequence[Answered]) -> Evidence:
    """Evidence on ``splits``: the numbers are of the first, the mistakes of each."""
    first = splits[0]
    if task.name == "regression":
        scatter = np.column_stack([first.y[:, 0], first.p[:, 0]])
        return Evidence(examples=tuple(e for one in splits for e in _far_off(one)), scatter=scatter, rows=first.split)
    find = _label_mistakes if task.name == "multilabel" else _class_mistakes
    found = {one.split: find(one, task) for one in splits}
    wrong = {one.split: (found[one.split][1], len(one.y)) for one in splits}
    examples = tuple(example for shown, _ in found.values() for example in shown)
    matrix = confusion(first.y, first.given).matrix if task.name == "classification" else None
    return Evidence(task.labels, matrix, examples, wrong, rows=first.split)


def _class_mistakes(rows: Answered, task: Task) -> tuple[list[Example], int]:
    """The mistakes made with most confidence, and how many there are."""
    said = rows.given.argmax(1)
    sure = rows.p[np.arange(len(rows.p)), said]
    order = np.argsort(-sure, kind="stable")
    wrong = order[said[order] != rows.y[order]]

    def words(row: int) -> tuple[str, str, float]:
        return task.labels[rows.y[row]], task.labels[said[row]], float(sure[row])

    return _examples(rows, wrong, words), len(wrong)


def _label_mistakes(rows: Answered, task: Task) -> tuple[list[Example], int]:
    """The rows with a label that was missed or given with most confidence, and how many are not exactly right."""
    truth, said = rows.y > _CUT, rows.given >= _CUT
    off = np.where(truth != said, np.abs(rows.y - rows.p), 0.0).max(axis=1)
    order = np.argsort(-off, kind="stable")
    wrong = order[off[order] > 0]

    def words(row: int) -> tuple[str, str, float]:
        true, given = (", ".join(np.array(task.labels)[one[row]]) for one in (truth, said))
        return true, given, float("nan")

    return _examples(rows, wrong, words), len(wrong)


def _far_off(rows: Answered) -> list[Example]:
    """The largest errors; the confidence of a value is not known."""
    y, p = rows.y[:, 0], rows.p[:, 0]
    told = f".{figures(y)}g"

    def words(row: int) -> tuple[str, str, float]:
        return format(y[row], told), format(p[row], told), float("nan")

    return _examples(rows, np.argsort(-np.abs(y - p), kind="stable"), words)


def _examples(rows: Answered, worst: np.ndarray, words: Callable[[int], tuple[str, str, float]]) -> list[Example]:
    """The first of ``worst`` as examples: truth, answer and confidence by ``words``."""
    found = []
    for row in worst[:_SHOWN].tolist():
        value = rows.inputs[row]
        shown = get(rows.modality).show(value)
        found.append(Example(rows.split, str(rows.ids[row]), *words(row), shown.text, shown.picture, shown.sound))
    return found
