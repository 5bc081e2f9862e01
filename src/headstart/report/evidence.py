"""What the report shows beyond the numbers of ``result.json``: answers, counted, and the mistakes among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from headstart.records import (
    CalibrationRecord,
    ClassRecord,
    IntervalRecord,
    OodRecord,
    ShiftRecord,
    SliceRecord,
    TestRecord,
    TwoClassRecord,
)


@dataclass(frozen=True)
class Example:
    """One row that the selected model got wrong.

    Attributes:
        split: "test", "validation" or "new".
        id: of the row.
        truth, predicted: the label, the labels or the number, as text.
        confidence: the predicted label's probability; nan for regression.
        text: the input of a text row.
        picture: a small JPEG or PNG of the input, where it can be shown so.
        sound: a short WAV of it, where it can be heard.
    """

    split: str
    id: str
    truth: str
    predicted: str
    confidence: float = float("nan")
    text: str | None = None
    picture: bytes | None = None
    sound: bytes | None = None


@dataclass(frozen=True)
class Evidence:
    """The selected model's answers; what a task has not got stays empty.

    Attributes:
        labels: [k] in the order of the outputs.
        confusion: [k, k] counts, rows true, columns predicted; one-label classification only.
        examples: mistakes, the worst of each split first.
        wrong: split -> how many rows were wrong, and how many there are; regression has none.
        scatter: [n, 2] truth and prediction; regression only.
        rows: what the rows are called that the numbers are of: "test", or "new" in an evaluation.
    """

    labels: tuple[str, ...] = ()
    confusion: np.ndarray | None = None
    examples: tuple[Example, ...] = ()
    wrong: dict[str, tuple[int, int]] = field(default_factory=dict)
    scatter: np.ndarray | None = None
    rows: str = "test"


class ScoredRows(Protocol):
    """What pages need of a model's scores on labelled rows: a run's `Result`, or an evaluation of new rows."""

    @property
    def task(self) -> str:
        """ "classification", "multilabel" or "regression"."""
        ...

    @property
    def metric(self) -> str:
        """What the model is scored by."""
        ...

    @property
    def test(self) -> TestRecord:
        """The scores on the rows."""
        ...

    @property
    def classes(self) -> Sequence[ClassRecord]:
        """Each class; empty for regression."""
        ...

    @property
    def slices(self) -> Sequence[SliceRecord]:
        """Each slice, worst first."""
        ...

    @property
    def calibration(self) -> CalibrationRecord | None:
        """None for regression."""
        ...

    @property
    def ood(self) -> OodRecord | None:
        """None where nothing unknown was tried."""
        ...

    @property
    def shift(self) -> ShiftRecord | None:
        """None where no corruption was tried."""
        ...

    @property
    def two_classes(self) -> TwoClassRecord | None:
        """None where there are not two."""
        ...

    @property
    def intervals(self) -> IntervalRecord | None:
        """Of a regression."""
        ...
