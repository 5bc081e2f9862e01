"""What `advise` finds: the answer, and the evidence behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from headstart.notebook import panel, scored
from headstart.plain import finite
from headstart.training.distance.measured import Distance


@dataclass(frozen=True)
class DataFacts:
    """What is understood of the data."""

    modality: str
    task: str
    rows: int  # usable
    set_aside: int  # rows that cannot be used
    learn: int  # rows that a run learns from and chooses on
    test: int  # rows under seal, of which advice reads nothing
    classes: int  # classes or labels; 0 for regression
    smallest: int  # rows to learn from of the smallest class; of all for regression
    median: int
    largest: int
    near: int  # rows that have a near duplicate
    leaks: tuple[str, ...]  # what a given split parts, in words


@dataclass(frozen=True)
class BaseFacts:
    """The base that would be used."""

    name: str
    why: str
    licence: str
    trained_on: str
    distance: float  # that the ladder goes by, 0: like what it was trained on, 1: far from it; null: not told
    how: str  # what that rests on
    measures: tuple[Distance, ...]  # of how far the data are from what it was trained on, told or not
    warning: str  # where one of them says that they are far; "" where none does


@dataclass(frozen=True)
class ControlFacts:
    """The best model that borrows nothing, on the rows that the probe is scored on."""

    name: str
    score: float
    gain: float  # of the probe over it
    low: float  # paired 90 % bounds of the gain, one-sided each
    high: float
    better: bool  # whether a run would prefer it to the probe


@dataclass(frozen=True)
class Option:
    """One strategy."""

    strategy: str
    worth: bool  # whether it is worth trying
    why: str
    seconds: float  # predicted for a whole run, the base's features being there; null: not predicted
    least: float  # where training makes nothing better and stops early
    at_most: float  # where every phase runs to the end of its schedule
    memory: float  # predicted peak bytes; null: not predicted


@dataclass(frozen=True)
class CurvePoint:
    """One size of the learning curve."""

    rows: float
    per_class: float  # null for regression
    score: float  # mean over draws
    sd: float  # over draws
    draws: int


@dataclass(frozen=True)
class AheadPoint:
    """The score foretold for more rows."""

    times: float  # the rows in hand
    rows: int  # to learn from
    score: float
    low: float  # bounds that hold it with 90 %
    high: float


@dataclass(frozen=True)
class GoalFacts:
    """Rows for a goal; null where they are beyond four times those in hand."""

    goal: float
    rows: float  # to learn from, in all
    low: float
    high: float
    more: float  # labels to buy, a class where there are classes
    more_low: float
    more_high: float


@dataclass(frozen=True)
class ClassFacts:
    """A class or label, and what more rows did for it."""

    name: str
    held: int  # held-out rows that have it
    recall: float  # with the most rows learnt from
    gain: float  # from about a quarter of these rows
    gains_more: bool  # surely more than the others
    behind: bool  # surely found less often than the others


@dataclass(frozen=True)
class DataAdvice:
    """How much more data buys."""

    metric: str  # that the curve is in; where it cannot be that of the data, the task's first
    points: tuple[CurvePoint, ...]
    ahead: tuple[AheadPoint, ...]
    refused: str  # why nothing is foretold; "" where it is
    goal: GoalFacts | None
    classes: tuple[ClassFacts, ...]  # the greatest gain first; those with few held-out rows are left out


@dataclass(frozen=True)
class RuleFacts:
    """A rule of thumb."""

    rows: str
    advice: str
    source: str
    yours: bool  # whether it is the one for so many rows


@dataclass(frozen=True)
class Advice:
    """What to do with the data, and why."""

    source: str
    answer: str  # a short paragraph, `what` and `buys` in it
    what: str  # what to do, in a sentence or two
    buys: str  # what more data buys
    next_step: str  # a command
    metric: str
    metric_reason: str
    score: float  # of the probe on held-out rows
    low: float
    high: float
    held_out: str  # which rows these are
    control: ControlFacts
    data: DataFacts
    base: BaseFacts
    options: tuple[Option, ...]
    more_data: DataAdvice
    cautions: tuple[str, ...]
    rules: tuple[RuleFacts, ...]
    seconds: dict[str, float]  # by step

    def _repr_html_(self) -> str:
        """What a notebook shows: the answer, the score to expect, cautions, the next step."""
        rows = [(f"{self.base.name}, probe", scored(self.score, self.low, self.high))]
        rows.append((f"{self.control.name} (baseline)", f"{self.control.score:.3f}"))
        lines = (*self.cautions, f"Next: {self.next_step}")
        return panel(self.answer, lines, ("", f"{self.metric}, {self.held_out}"), rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that are not finite become None."""
        cleaned: dict[str, Any] = finite(asdict(self))
        return cleaned
