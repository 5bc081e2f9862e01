"""The mistakes of a model as a table: what was wrong, how sure it was, and the training example most like it.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, which the spreadsheet does not show.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.table import Table
from headstart.errors import BundleError
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.modalities import get
from headstart.tasks.task import Task
from headstart.unicode import writable

#: Names of the tables in a run's folder, and of the training examples that later tables point to.
MISTAKES, ANSWERS, EXAMPLES = "mistakes.csv", "predictions.csv", "examples.json"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TEXT = 200  # characters of a text that are shown
_BLOCK = 1024  # rows compared at a time
_HALF = 0.5


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
        targets = [] if table.targets is None else [_told(target) for target in table.targets]
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
    y: np.ndarray
    p: np.ndarray
    thresholds: Thresholds | None
    vectors: np.ndarray | None
    columns: Mapping[str, np.ndarray]

    @property
    def given(self) -> np.ndarray:
        """[n, outputs] the probabilities as the thresholds decide them."""
        return decided(self.p, self.thresholds)


def mistakes(task: Task, rows: Answered, examples: Examples | None = None) -> list[dict[str, Any]]:
    """A record a wrong row, the most confident first; of a regression all rows that are off, the largest error first.

    The confidence of several labels is that of the wrong one of which the model was surest.
    """
    wrong, sure = _wrong(task, rows)
    order = wrong[np.argsort(-sure[wrong], kind="stable")]
    answers = task.decode(rows.given)
    near = _nearest(rows, examples, order)
    return [
        _record(task, rows, int(row), answers[row], float(sure[row]), beside)
        for row, beside in zip(order, near, strict=True)
    ]


def answers_table(
    task: Task, rows: Answered, bounds: tuple[np.ndarray, np.ndarray] | None = None
) -> list[dict[str, Any]]:
    """A record a row in their order: id, truth, answer, whether it is right, confidence, bounds and slices.

    Args:
        bounds: [n] each, of the interval around each value of a regression.
    """
    answers, found = task.decode(rows.given), []
    wrong = np.zeros(len(rows.y), dtype=bool)
    wrong[_wrong(task, rows)[0]] = True
    for row in range(len(rows.y)):
        record: dict[str, Any] = {"id": str(rows.table.ids[row]), **_both(task, rows, row, answers[row])}
        if task.name == "regression":
            record["error"] = float(rows.p[row, 0] - rows.y[row, 0])
            if bounds is not None:
                record |= {"low": float(bounds[0][row]), "high": float(bounds[1][row])}
        else:
            record["right"] = "no" if wrong[row] else "yes"
        if task.name == "classification":
            record["confidence"] = round(float(rows.p[row, int(rows.given[row].argmax())]), 4)
        found.append(record | {_free(name, record): str(values[row]) for name, values in rows.columns.items()})
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


def _wrong(task: Task, rows: Answered) -> tuple[np.ndarray, np.ndarray]:
    """The wrong rows, and [n] what orders them: how sure the model was, or how far off."""
    y, p = rows.y, rows.p
    if task.name == "regression":
        off = np.abs(p[:, 0] - y[:, 0])
        return np.flatnonzero(off > 0), off
    given = rows.given
    if task.name == "classification":
        said = given.argmax(axis=1)
        return np.flatnonzero(said != y), p[np.arange(len(y)), said]
    said = given >= _HALF
    other = said != (y > _HALF)
    return np.flatnonzero(other.any(axis=1)), np.where(other, np.where(said, p, 1 - p), -1.0).max(axis=1, initial=-1.0)


def _record(task: Task, rows: Answered, row: int, answer: Any, sure: float, beside: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": str(rows.table.ids[row]), **_both(task, rows, row, answer)}
    if task.name == "regression":
        found["error"] = float(rows.p[row, 0] - rows.y[row, 0])
    else:
        found["confidence"] = round(sure, 4)
    if task.name == "multilabel":
        truth = {label for label, has in zip(task.labels, rows.y[row] > _HALF, strict=True) if has}
        found["missing"] = _told(tuple(label for label in task.labels if label in truth - set(answer)))
        found["too many"] = _told(tuple(label for label in task.labels if label in set(answer) - truth))
    modality = get(rows.table.modality)
    if modality.tokenised:
        found["text"] = (modality.show(rows.table.inputs[row]).text or "")[:_TEXT]
    return found | beside | {_free(name, found | beside): str(v[row]) for name, v in rows.columns.items()}


def _both(task: Task, rows: Answered, row: int, answer: Any) -> dict[str, Any]:
    if task.name == "regression":
        return {"truth": float(rows.y[row, 0]), "answer": float(answer)}
    if task.name == "classification":
        return {"truth": task.labels[int(rows.y[row])], "answer": str(answer)}
    truth = tuple(label for label, has in zip(task.labels, rows.y[row] > _HALF, strict=True) if has)
    return {"truth": _told(truth), "answer": _told(answer)}


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """``name``, or a longer one where a column is called that already."""
    return name if name not in taken else f"slice {name}"


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
