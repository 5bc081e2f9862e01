"""What a learning curve says of more data, in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.extrapolation import FURTHEST, Extrapolation, Needed
from headstart.evaluation.wording import metric_name, number

_SHARES = ("accuracy", "balanced_accuracy", "f1_micro")  # said in per cent
_ROUND = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)  # goals named where none was asked for
_GAP = "\u00a0"
_SAME = 0.005  # by which a goal is above what there is, to be named
_NEAR_ALL = 0.95  # score from which a tenth of a point is said


@dataclass(frozen=True)
class Counting:
    """How rows to learn from become labels to buy.

    Attributes:
        classes: among which new rows are shared out; 1 where there are none.
        share: labelled rows that it takes for one to learn from, as where a part of each new lot goes to the test.
    """

    classes: int
    share: float

    def more(self, rows: float, present: float) -> float:
        """Labels to buy, a class, to learn from ``rows`` in place of ``present``; nan of nan."""
        return float(np.maximum(0.0, rows - present)) * self.share / self.classes

    @property
    def unit(self) -> str:
        """What is counted."""
        return "a class" if self.classes > 1 else "rows"


def said(metric: str, value: float, digits: int | None = None) -> str:
    """A score: "93 %" where it is a share, with more ``digits`` near 100, else "0.931"."""
    if metric not in _SHARES:
        return number(value)
    return f"{100 * value:.{_digits(value) if digits is None else digits}f}{_GAP}%"


def _digits(value: float) -> int:
    return 1 if value > _NEAR_ALL else 0


def bounds(metric: str, interval: Interval) -> str:
    """ "94 % [93 %, 95 %]"."""
    digits = _digits(interval.value)
    value, low, high = (said(metric, one, digits) for one in (interval.value, interval.low, interval.high))
    return f"{value} [{low}, {high}]"


def ahead_sentence(metric: str, ahead: Extrapolation) -> str:
    """Where four times the data would bring the probe."""
    return f"With four times the data the probe would be at about {bounds(metric, ahead.at(FURTHEST))}."


def words_of(metric: str) -> str:
    """A metric as one says it."""
    return metric_name(metric)


def goal_of(asked: float | None, ahead: Extrapolation) -> float | None:
    """The goal to name: what was asked for, else the next round one within reach, if there is one."""
    if asked is not None:
        return asked
    reach = [goal for goal in _ROUND if ahead.value[0] + _SAME < goal <= ahead.value[-1]]
    return reach[0] if reach else None


def needed_sentence(metric: str, needed: Needed, ahead: Extrapolation, counting: Counting) -> str:
    """What it takes for a goal, or that it is out of reach."""
    name = "" if metric == "accuracy" else f"{words_of(metric)} "
    goal, now = f"{name}{said(metric, needed.goal)}", ahead.at(1.0)
    if now.value >= needed.goal:
        sure = "surely" if now.low >= needed.goal else "probably"
        return f"{goal} is {sure} reached already."
    if math.isnan(needed.rows):
        reach = "is not reachable within four times the data" if math.isnan(needed.low) else "would take more than that"
        return f"{goal} {reach}."
    more, least, most = (counting.more(rows, ahead.rows[0]) for rows in (needed.rows, needed.low, needed.high))
    if more < 1:
        return f"{goal} is as good as reached."
    upper = f"over {_rounded(counting.more(ahead.rows[-1], ahead.rows[0]))}" if math.isnan(most) else _rounded(most)
    return (
        f"For {goal} you need about {_rounded(more)} more {counting.unit} (90{_GAP}% interval {_rounded(least)} to "
        f"{upper})."
    )


def _rounded(count: float) -> str:
    """To two figures, as no more are known."""
    if count < 1:
        return "0"
    step = 10 ** max(0, math.floor(math.log10(count)) - 1)
    return f"{round(count / step) * step:,}"
