"""What the report shows besides the result's numbers: confusions, and the worst mistakes with their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from headstart.evaluation.per_class import confusion
from headstart.evaluation.wording import figures
from headstart.flow.mistakes import Answered
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
    splits = {
        "test": Answered(test.table, test.y, tested, limits),
        "validation": Answered(working.table.take(rows), working.y[rows], held, limits),
    }
    return evidence_of(task, splits)


def evidence_of(task: Task, splits: Mapping[str, Answered]) -> Evidence:
    """Evidence on ``splits``, "test", "validation" or "new": the numbers are of the first, the mistakes of each."""
    found: list[Example] = []
    wrong: dict[str, tuple[int, int]] = {}
    for split, one in splits.items():
        off, sure = task.mistakes(one.y, one.p, one.given)
        order = np.argsort(-sure, kind="stable")
        found += _examples(task, split, one, order[off[order]], sure)
        wrong[split] = (int(off.sum()), len(one.y))
    name, first = next(iter(splits.items()))
    matrix = confusion(first.y, first.given).matrix if task.exclusive else None
    scatter = np.column_stack([first.y[:, 0], first.p[:, 0]]) if task.values else None
    return Evidence(task.labels, matrix, tuple(found), wrong, scatter, name)


def _examples(task: Task, split: str, rows: Answered, worst: np.ndarray, sure: np.ndarray) -> list[Example]:
    """The first of ``worst``; only of one label a row is the confidence that of the answer."""
    worst, table, found = worst[:_SHOWN], rows.table, []
    truths, answers = task.targets(rows.y[worst]), task.decode(rows.given[worst])
    digits = f".{figures(rows.y)}g" if task.values else ""
    for row, *both in zip(worst.tolist(), truths, answers, strict=True):
        truth, answer = (format(one, digits) if task.values else task.written(one, table.inputs[row]) for one in both)
        shown = get(table.modality).show(table.inputs[row])
        confidence = float(sure[row]) if task.exclusive else float("nan")
        found.append(
            Example(split, str(table.ids[row]), truth, answer, confidence, shown.text, shown.picture, shown.sound)
        )
    return found
