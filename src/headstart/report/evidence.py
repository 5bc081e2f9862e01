"""What the report shows beyond the numbers of ``result.json``: the test answers, counted and exemplified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Example:
    """One test row to look at.

    Attributes:
        kind: "mistake" or "confident" (right, and sure of it).
        id: of the row.
        truth, predicted: the label, the labels or the number, as text.
        confidence: the predicted label's probability; nan for regression.
        text: the input of a text row.
        thumbnail: JPEG bytes of an image row.
    """

    kind: str
    id: str
    truth: str
    predicted: str
    confidence: float = float("nan")
    text: str | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True)
class Evidence:
    """The test answers; what a task has not got stays empty.

    Attributes:
        labels: [k] in the order of the outputs.
        confusion: [k, k] counts, rows true, columns predicted; one-label classification only.
        examples: in the order to show where confidences are equal.
        scatter: [n, 2] truth and prediction; regression only.
    """

    labels: tuple[str, ...] = ()
    confusion: np.ndarray | None = None
    examples: tuple[Example, ...] = ()
    scatter: np.ndarray | None = None
