"""What an evaluation of a finished run on new labelled data came to, and what that says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from headstart.evaluation.wording import count, metric_name
from headstart.notebook import panel, scored
from headstart.plain import finite, written
from headstart.records import (
    CalibrationRecord,
    ClassRecord,
    GainRecord,
    IntervalRecord,
    MetricRecord,
    OodRecord,
    ReadingRecord,
    ShiftRecord,
    SliceRecord,
    TwoClassRecord,
)
from headstart.report.figures import bounded, capital, known


@dataclass(frozen=True)
class Evaluation:
    """What the new data say of a run's model."""

    run: str
    source: str
    task: str
    metric: str
    score: MetricRecord  # of the metric, on all rows
    n: int  # rows judged
    rejected: int  # rows that could not be read
    test: MetricRecord  # on the run's own test set; nan where it has none
    change: GainRecord  # from that to this, above 0 is better; the rows are others, so it is not paired
    tested: int  # rows that are in the run's test set too: this counts as an evaluation of it
    learnt: int  # rows that the model was made from
    unseen: MetricRecord | None  # the score without those; null where there are none
    opened: int  # how often the run's test set was evaluated so far
    metrics: dict[str, MetricRecord]
    undefined: dict[str, str]
    classes: list[ClassRecord]
    slices: list[SliceRecord]
    calibration: CalibrationRecord | None
    ood: OodRecord | None
    shift: ShiftRecord | None
    reading: ReadingRecord | None = None  # how much of the texts the base read; null for pictures and controls
    labels: list[str] = field(default_factory=list)  # in the order of the outputs; empty for regression
    confusion: list[list[int]] | None = None  # rows by true class (downwards) and predicted one; null for other tasks
    two_classes: TwoClassRecord | None = None  # null where there are not two classes
    intervals: IntervalRecord | None = None  # of a regression
    mistakes: int = 0  # wrong rows; of a regression those that are off at all

    def _repr_html_(self) -> str:
        """What a notebook shows: the score on the new rows beside that on the run's own test set."""
        new, own = self.score, self.test
        rows = [(f"{self.source} ({count(self.n, 'row')})", scored(new.value, new.low, new.high))]
        rows.append(("the run's own test set", scored(own.value, own.low, own.high)))
        unread = f"{count(self.rejected, 'row')} could not be read" if self.rejected else ""
        return panel(
            f"{self.run}: {self.metric} {scored(new.value, new.low, new.high)}", (unread,), ("", self.metric), rows
        )

    @property
    def headline(self) -> str:
        """Whether the score holds on the new rows, in a sentence."""
        name = metric_name(self.metric)
        if self.learnt == self.n:
            return "Every row is a training row, so the score says nothing about new data."
        if not known(self.score.value):
            return f"{capital(name)} cannot be computed on these rows."
        if not known(self.test.value):
            return f"{capital(name)} {_bounded(self.score)}; the run has no test set to compare this with."
        if not known(self.change.low):
            return f"{capital(name)} {_bounded(self.score)}; the rows are too few to compare with the run's test set."
        if self.change.low <= 0 <= self.change.high:
            return f"No significant difference in {name} from the run's test set."
        return f"{capital(name)} is {'better' if self.change.low > 0 else 'worse'} than on the run's test set."

    @property
    def outcome(self) -> str:
        """In a word: "better", "worse", "no significant difference" or "inconclusive"."""
        if self.learnt == self.n or not (known(self.change.low) and known(self.change.high)):
            return "inconclusive"
        if self.change.low <= 0 <= self.change.high:
            return "no significant difference"
        return "better" if self.change.low > 0 else "worse"

    @property
    def difference(self) -> str:
        """The score here less that on the run's test set, above 0 is better; "" where one of them is missing."""
        change = self.change
        found = bounded(change.value, change.low, change.high, sign=True) if known(change.value) else ""
        return found.replace("\u00a0", " ")

    @property
    def remarks(self) -> list[str]:
        """What to mind before the score is used, a sentence each."""
        said = []
        if self.learnt and self.learnt < self.n:
            rest = f"; on the others it is {_bounded(self.unseen)}" if self.unseen and known(self.unseen.value) else ""
            own = count(self.learnt, "of the rows is a training row", "of the rows are training rows")
            said.append(f"{own}, so the score is too optimistic{rest}.")
        if self.tested:
            rows = count(self.tested, "of the rows is", "of the rows are")
            said.append(f"{rows} of the run's test set, which has now been evaluated {count(self.opened, 'time')}.")
        if self.rejected:
            said.append(f"Left out as unreadable: {count(self.rejected, 'row')}.")
        if self.reading is not None and self.reading.long:
            said.append(f"{self.reading.sentence.rstrip('.')}.")
        return said

    @property
    def next_step(self) -> str:
        """The one thing to do."""
        if self.learnt:
            return "Evaluate rows that the model was not trained on."
        if self.outcome == "worse":
            return "Look through the mistakes, add rows like these to the training data, and fit again."
        if not known(self.score.low):
            return "Label more rows; so few give no interval."
        return "No action needed."

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        said = {"headline": self.headline, "next_step": self.next_step}
        cleaned: dict[str, Any] = finite(written(self) | said)
        return cleaned


def _bounded(score: MetricRecord) -> str:
    return bounded(score.value, score.low, score.high).replace("\u00a0", " ")
