"""Where a training run stands: all of its state besides tensors, as plain values."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from headstart.evaluation.diagnosis import CurvePoint
from headstart.training.crossing import Mark


@dataclass
class Position:
    """A point of a run, from which it goes on exactly.

    Attributes:
        phase, step: the phase, and the steps done in it.
        total: steps of this phase; 0 until it is known.
        done: steps done in all phases.
        seen: training rows seen.
        seconds: spent in steps.
        spent: seconds since the run began, up to the checkpoint.
        factor: every rate is multiplied by this; lowered after a divergence.
        halvings: how often the batch was halved; a step is then made in 2^halvings parts.
        rollbacks: how often training went back after a divergence.
        waited: looks since the best one.
        start_loss: training loss of the phase's first step.
        losses: training loss since the last look, summed over all processes, and its weight.
        best_done, best_score, best_loss: the best look: its step, held-out score and loss.
        marks: the best look by each half of the held-out rows.
        back: step of the phase, and of all, that a divergence goes back to.
        ends: steps done in all phases at the end of each one that is over.
        cut_to: seconds that the run was allowed where a schedule was cut for want of time; else nan.
        stopped: why training ended: "finished", "stopped early", "budget" or "diverged".
        curve: the looks so far.
    """

    phase: int = 0
    step: int = 0
    total: int = 0
    done: int = 0
    seen: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    factor: float = 1.0
    halvings: int = 0
    rollbacks: int = 0
    waited: int = 0
    start_loss: float = math.nan
    losses: tuple[float, float] = (0.0, 0.0)
    back: tuple[int, int] = (0, 0)
    best_done: int = 0
    best_score: float = math.nan
    best_loss: float = math.nan
    marks: list[Mark] = field(default_factory=lambda: [Mark(), Mark()])
    ends: list[int] = field(default_factory=list)
    cut_to: float = math.nan
    stopped: str = "finished"
    curve: list[CurvePoint] = field(default_factory=list)

    def add_loss(self, summed: float, weight: float) -> None:
        """Count the loss of one step."""
        self.losses = self.losses[0] + summed, self.losses[1] + weight

    def mean_loss(self) -> float:
        """Mean training loss since the last look; nan if there was none."""
        return self.losses[0] / self.losses[1] if self.losses[1] else math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain values; nan as None."""
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Position:
        """The inverse of `to_dict`."""
        plain: dict[str, Any] = _numbers(values)
        plain |= {name: tuple(plain[name]) for name in ("losses", "back")}
        plain["marks"] = [Mark(**_numbers(mark)) for mark in plain["marks"]]
        plain["curve"] = [CurvePoint(**_numbers(point)) for point in plain["curve"]]
        return cls(**plain)


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in values.items()}
