"""Whether there are rows enough: to learn each class, and to say how good the result is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.audit.finding import Finding, finding_id
from headstart.evaluation.proportions import wilson
from headstart.heads.scoring import row_scores
from headstart.tasks.task import Task

_LEVEL = 0.95
_AIMS = (0.05, 0.02)  # half-widths of the interval of the test score that rows are counted for
_WIDE = 0.05  # half-width from which many a real difference cannot be told


@dataclass(frozen=True)
class Size:
    """What so many rows allow.

    Attributes:
        rows: usable rows.
        per_class: rows of the smallest class; None for regression.
        test: rows of the test part, given or to be drawn.
        accuracy: out-of-fold accuracy of a linear probe, and so about what to expect; nan where unknown.
        half_width: of the 95 % interval of that accuracy on so many test rows; nan where unknown.
        needed: half-width -> test rows that it takes.
    """

    rows: int
    per_class: int | None
    test: int
    accuracy: float
    half_width: float
    needed: dict[str, int]

    @property
    def sentence(self) -> str:
        """What the sizes allow, in words."""
        smallest = f", {self.per_class:,} in the smallest class" if self.per_class is not None else ""
        said = f"{self.rows:,} rows{smallest}; about {self.test:,} in test"
        if math.isnan(self.half_width):
            return f"{said}."
        counts = ", ".join(f"±{aim} {rows:,} rows" for aim, rows in self.needed.items())
        return (
            f"{said}. At an accuracy near {self.accuracy:.2f}, which a linear probe reaches on held-out rows, a test "
            f"set of that size measures it to about ±{self.half_width:.3f} (95 %); needed for {counts}."
        )

    @property
    def short(self) -> str:
        """How exactly the test set measures, in a line."""
        if math.isnan(self.half_width):
            return self.sentence
        return (
            f"a test set of {self.test:,} rows measures an accuracy near {self.accuracy:.2f} to about "
            f"±{self.half_width:.3f} (95 %)"
        )


def size_of(y: np.ndarray, task: Task | type[Task], answers: np.ndarray | None, test: int) -> Size:
    """What the rows with targets ``y`` (as the task encodes them) allow.

    Args:
        y, task: the targets.
        answers: [n, outputs] out-of-fold probabilities of a probe; None where there is none.
        test: rows that the test set has or will have.
    """
    per_class = None
    counts = task.counts(y)
    if counts is not None:
        per_class = int(counts[counts > 0].min()) if counts.any() else 0
    accuracy = half = float("nan")
    needed: dict[str, int] = {}
    if task.exclusive and answers is not None and np.isfinite(answers).all() and test:
        accuracy = float(row_scores(answers, y, task.name, "accuracy").mean())
        half = half_width(accuracy, test)
        needed = {f"{aim:.2f}": rows_for(accuracy, aim) for aim in _AIMS}
    return Size(len(y), per_class, test, accuracy, half, needed)


def half_width(accuracy: float, rows: int) -> float:
    """Half the width of Wilson's 95 % interval for ``accuracy`` on ``rows`` rows."""
    low, high = wilson(accuracy, rows, _LEVEL)
    return (high - low) / 2


def rows_for(accuracy: float, aim: float) -> int:
    """The fewest rows on which the interval of ``accuracy`` is no wider than ± ``aim``, to two digits."""
    most = _doubled(lambda rows: half_width(accuracy, rows) <= aim)
    low, high = most // 2, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(accuracy, middle) <= aim else (middle, high)
    step = 10 ** max(0, len(str(high)) - 2)
    return -(-high // step) * step


def _doubled(enough: Callable[[int], bool]) -> int:
    rows = 1
    while not enough(rows):
        rows *= 2
    return rows


def find_small(size: Size) -> list[Finding]:
    """A finding where the test set is too small to tell much."""
    if math.isnan(size.half_width) or size.half_width <= _WIDE:
        return []
    needed = size.needed[f"{_WIDE:.2f}"]
    sentence = f"a test set of {size.test:,} rows measures the accuracy only to about ±{size.half_width:.2f} (95 %)"
    advice = f"gather about {needed:,} test rows for ±{_WIDE}; until then, compare by cross-validation (--folds)"
    return [Finding(finding_id("size", ["test"]), "size", "warning", sentence, advice)]
