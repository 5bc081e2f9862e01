"""The mistakes of a model as a table: what was wrong, how sure it was, and the training example most like it.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, which the spreadsheet does not show.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.table import Table
from headstart.errors import BundleError
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.modalities import get
from headstart.tasks import get as get_task
from headstart.tasks.task import Task
from headstart.unicode import writable

#: Names of the tables in a run's folder, and of the training examples that later tables point to.
MISTAKES, ANSWERS, EXAMPLES = "mistakes.csv", "predictions.csv", "examples.json"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TEXT = 200  # characters of a text that are shown
_BLOCK = 1024  # rows compared at a time


@dataclass(frozen=True)
class Examples:
    """Training rows that mistakes are compared with.

    Attributes:
        vectors: [m, d] features.
        ids: [m] of the source.
        targets: [m] as text.
        texts: [m] their beginnings; () where inputs are no texts.
    """

    vectors: np.ndarray
    ids: Sequence[str]
    targets: Sequence[str]
    texts: Sequence[str] = ()

    @classmethod
    def of(cls, table: Table, vectors: np.ndarray) -> Examples:
        """The rows of ``table``, which have ``vectors`` [m, d]."""
        modality = get(table.modality)
        texts = [(modality.show(value).text or "")[:_TEXT] for value in table.inputs] if modality.tokenised else ()
        task, n = get_task(table.task), range(len(table))
        targets = [] if table.targets is None else [task.written(table.targets[i], table.inputs[i]) for i in n]
        return cls(vectors, [str(one) for one in table.ids], targets, texts)

    def to_json(self) -> str:
        """All but the vectors, which the bundle keeps in the same order."""
        names = ("ids", "targets", "texts")
        return json.dumps({name: [writable(v) for v in getattr(self, name)] for name in names}, ensure_ascii=False)

    @classmethod
    def load(cls, run: Path, vectors: np.ndarray) -> Examples | None:
        """What `to_json` wrote into the folder ``run``; None where there is none, or ``vectors`` are not its own.

        Raises:
            BundleError: it is damaged.
        """
        try:
            said = json.loads((run / EXAMPLES).read_text(encoding="utf-8"))
            found = cls(vectors, *([str(v) for v in said[name]] for name in ("ids", "targets", "texts")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"{run / EXAMPLES} is damaged ({type(error).__name__})"
            raise BundleError(f"{what}; restore it or fit again.") from error
        return found if len(found.ids) == len(vectors) else None


@dataclass(frozen=True)
class Answered:
    """Rows with what a model answered.

    Attributes:
        table: n rows with their targets.
        y: as the task encodes them.
        p: [n, outputs] probabilities, or values.
        thresholds: from which labels are given, or None.
        vectors: [n, d] features in the space of the examples; None: there are none.
        columns: name -> [n] of slices.
    """

    table: Table
    y: Any
    p: Any
    thresholds: Thresholds | None
    vectors: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def given(self) -> Any:
        """[n, outputs] the probabilities as the thresholds decide them."""
        return decided(self.p, self.thresholds)


def mistakes(task: Task, rows: Answered, examples: Examples | None = None) -> list[dict[str, Any]]:
    """A record a wrong row, the most confident first; of a regression all rows that are off, the largest error first.

    The confidence of several labels is that of the wrong one of which the model was surest.
    """
    off, sure = task.mistakes(rows.y, rows.p, rows.given)
    wrong = np.flatnonzero(off)
    order = wrong[np.argsort(-sure[wrong], kind="stable")]
    truths, answers, modality = task.targets(rows.y), task.decode(rows.given), get(rows.table.modality)
    found = []
    for row, beside in zip(order, _nearest(rows, examples, order), strict=True):
        record = _both(task, rows, row, truths, answers)
        if not task.values:
            record["confidence"] = round(float(sure[row]), 4)
        record |= {
            name: _cell_of(one)
            for name, one in task.difference(truths[row], answers[row], rows.table.inputs[row]).items()
        }
        if modality.tokenised:
            record["text"] = (modality.show(rows.table.inputs[row]).text or "")[:_TEXT]
        found.append(_with_slices(record | beside, rows, row))
    return found


def answers_table(
    task: Task, rows: Answered, bounds: tuple[np.ndarray, np.ndarray] | None = None
) -> list[dict[str, Any]]:
    """A record a row in their order: id, truth, answer, whether it is right, confidence, bounds and slices.

    Args:
        bounds: [n] each, of the interval around each value of a regression.
    """
    truths, answers, found = task.targets(rows.y), task.decode(rows.given), []
    wrong, sure = task.mistakes(rows.y, rows.p, rows.given)
    for row in range(len(rows.y)):
        record = _both(task, rows, row, truths, answers)
        if task.values:
            record |= task.difference(truths[row], answers[row])
            if bounds is not None:
                record |= {"low": float(bounds[0][row]), "high": float(bounds[1][row])}
        else:
            record["right"] = "no" if wrong[row] else "yes"
        if task.exclusive:
            record["confidence"] = round(float(sure[row]), 4)
        found.append(_with_slices(record, rows, row))
    return found


def as_csv(records: Sequence[Mapping[str, Any]], empty: Sequence[str] = ("id", "truth", "answer")) -> str:
    """The records as CSV; ``empty``: the columns where there is none."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([safe(name) for name in (records[0] if records else empty)])
    writer.writerows([_cell(value) for value in one.values()] for one in records)
    return buffer.getvalue()


def safe(text: str) -> str:
    """``text`` so that a spreadsheet does not take it for a formula."""
    text = writable(text).replace("\r\n", "\n").replace("\r", "\n")  # the csv module leaves a lone \r unquoted
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cell(value: Any) -> str:
    return safe(value) if isinstance(value, str) else ("" if value != value else f"{value:.15g}")


def _both(task: Task, rows: Answered, row: int, truths: np.ndarray, answers: np.ndarray) -> dict[str, Any]:
    value = rows.table.inputs[row]
    both = {"truth": truths[row], "answer": answers[row]}
    cells = {name: one if isinstance(one, float) else task.written(one, value) for name, one in both.items()}
    return {"id": str(rows.table.ids[row]), **cells}


def _with_slices(record: dict[str, Any], rows: Answered, row: int) -> dict[str, Any]:
    return record | {_free(name, record): str(values[row]) for name, values in rows.columns.items()}


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """``name``, or a longer one where a column is called that already."""
    return name if name not in taken else f"slice {name}"


def _cell_of(target: Any) -> str | float:
    """A number as it is, all else as text."""
    return target if isinstance(target, float) else _told(target)


def _told(target: Any) -> str:
    return "; ".join(map(str, target)) if isinstance(target, tuple | list) else str(target)


def _nearest(rows: Answered, examples: Examples | None, order: np.ndarray) -> list[dict[str, Any]]:
    """For each row of ``order`` the training example of greatest cosine; empty where there is nothing to compare."""
    if examples is None or rows.vectors is None or not len(examples.ids):
        return [{"nearest id": "", "nearest target": "", "similarity": float("nan")} for _ in order]
    near, found = _unit(examples.vectors), []
    for start in range(0, len(order), _BLOCK):
        similar = _unit(rows.vectors[order[start : start + _BLOCK]]) @ near.T  # [block, m]
        best = similar.argmax(axis=1)
        for at, cosine in zip(best, similar.max(axis=1), strict=True):
            target = examples.targets[at] if len(examples.targets) else ""
            one = {"nearest id": examples.ids[at], "nearest target": target, "similarity": round(float(cosine), 4)}
            found.append(one | ({"nearest text": examples.texts[at]} if len(examples.texts) else {}))
    return found


def _unit(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, dtype=np.float32)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(lengths > 0, lengths, 1))
