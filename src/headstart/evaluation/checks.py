"""Whether truth and probabilities can be judged at all, said in one line."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.errors import SettingError
from headstart.ragged import Ragged

#: How far the probabilities of a row may be from summing to one: half precision over a thousand classes is within it.
TOLERANCE = 1e-3


def check_answers(task: str, y: Any, p: Any) -> None:
    """Refuse truth ``y`` and probabilities ``p`` [n, outputs] of ``task`` that no metric should be taken of.

    Raises:
        SettingError: shapes that do not match; values that are not finite; for classification and multilabel,
            probabilities outside 0 … 1, a classification's that do not sum to one, or truth of other labels.
    """
    if isinstance(p, Ragged):
        _check_ragged(y, p)
        return
    if task not in ("classification", "multilabel", "regression"):
        raise SettingError(f"task {task!r} is unknown; it may be classification, multilabel or regression.")
    y, p = np.asarray(y), np.asarray(p)
    if p.ndim != 2:
        raise SettingError(f"the probabilities have shape {p.shape}; they must be [rows, outputs].")
    expected = (len(p),) if task == "classification" else p.shape
    if y.shape != expected:
        raise SettingError(f"the truth has shape {y.shape} and the probabilities {p.shape}; {task} needs {expected}.")
    what = "predictions" if task == "regression" else "probabilities"
    _check_finite(what, p)
    if task == "regression":
        _check_finite("targets", y)
        return
    _check_shares(task, p)
    _check_truth(task, y, p.shape[1])


def _check_ragged(y: Any, p: Ragged) -> None:
    """Of rows that have several items each: the truth of as many, and probabilities as of classes."""
    if not isinstance(y, Ragged) or not np.array_equal(y.offsets, p.offsets):
        raise SettingError("the truth and the probabilities are not of the same items in the same rows.")
    _check_finite("probabilities", p.values)
    _check_shares("classification", p.values)
    _check_truth("classification", y.values, p.values.shape[1])


def _check_finite(what: str, values: np.ndarray) -> None:
    bad = np.any(~np.isfinite(values.astype(float)), axis=1)
    if bad.any():
        raise SettingError(
            f"{_rows(bad)} {what} that are not finite numbers (NaN or infinite); correct or leave out those rows."
        )


def _check_shares(task: str, p: np.ndarray) -> None:
    bad = np.any((p < -TOLERANCE) | (p > 1 + TOLERANCE), axis=1)
    if bad.any():
        raise SettingError(f"{_rows(bad)} probabilities outside 0 to 1; give probabilities, not scores or logits.")
    if task != "classification":
        return
    total = p.sum(axis=1, dtype=float)
    bad = np.abs(total - 1) > TOLERANCE
    if bad.any():
        raise SettingError(
            f"{_rows(bad)} probabilities that do not sum to one (the first: {total[bad][0]:.4g}); "
            f"give those of all {p.shape[1]} classes, after the softmax."
        )


def _check_truth(task: str, y: np.ndarray, outputs: int) -> None:
    if task == "multilabel":
        bad = np.any((y != 0) & (y != 1), axis=1)
        if bad.any():
            raise SettingError(f"{_rows(bad)} truth other than 0 and 1; multilabel truth has a 1 where a label holds.")
        return
    if not np.issubdtype(y.dtype, np.integer):
        raise SettingError(f"the truth is of type {y.dtype}; classification needs class numbers, 0 to {outputs - 1}.")
    bad = (y < 0) | (y >= outputs)
    if bad.any():
        raise SettingError(f"{_rows(bad)} a true class outside 0 to {outputs - 1}; there are {outputs} probabilities.")


def _rows(bad: np.ndarray) -> str:
    """How many rows, and which is the first, as the start of a sentence about what they have."""
    first = int(np.flatnonzero(bad)[0]) + 1
    return (
        f"row {first} has" if bad.sum() == 1 else f"{int(bad.sum()):,} of {len(bad):,} rows (the first: {first}) have"
    )
