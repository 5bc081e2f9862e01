"""What the report shows beyond the numbers of ``result.json``: answers, counted, and the mistakes among them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Example:
    """One row that the selected model got wrong.

    Attributes:
        split: "test" or "validation".
        id: of the row.
        truth, predicted: the label, the labels or the number, as text.
        confidence: the predicted label's probability; nan for regression.
        text: the input of a text row.
        thumbnail: JPEG bytes of an image row.
    """

    split: str
    id: str
    truth: str
    predicted: str
    confidence: float = float("nan")
    text: str | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True)
class Evidence:
    """The selected model's answers; what a task has not got stays empty.

    Attributes:
        labels: [k] in the order of the outputs.
        confusion: [k, k] counts of test rows, rows true, columns predicted; one-label classification only.
        examples: mistakes, the worst of each split first.
        wrong: split -> how many rows were wrong, and how many there are; regression has none.
        scatter: [n, 2] truth and prediction; regression only.
    """

    labels: tuple[str, ...] = ()
    confusion: np.ndarray | None = None
    examples: tuple[Example, ...] = ()
    wrong: dict[str, tuple[int, int]] = field(default_factory=dict)
    scatter: np.ndarray | None = None
