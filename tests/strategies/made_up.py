"""Candidates that were never trained: rows, answers that are right so often, and a ladder of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.heads.linear import LinearHead
from headstart.progress import Progress
from headstart.settings import TrainingSettings
from headstart.strategies import ladder, plan, way
from headstart.strategies.candidate import Candidate
from headstart.strategies.ground import Ground
from headstart.strategies.holding import Holding
from headstart.strategies.names import STRATEGIES
from headstart.tasks.classification import Classification
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows
from headstart.training.speed import Speed

ROWS = 400
#: A distance from what the base knows at which no rung is left out.
BETWEEN = 0.4
#: A base of four stages on which one row costs a millisecond forward and three with the way back.
SPEED = Speed(forward=0.001, step=0.003, below=(0.0, 0.25, 0.5, 0.75), weights=1_000, memory=0)


class Told(Progress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str = "") -> None:
        self.lines.append(line)


def ground(metric: str = "accuracy", training: TrainingSettings | None = None, held: int = ROWS) -> Ground:
    """``2 held`` rows of two classes in turn, of which the second half is held out."""
    y = np.arange(2 * held) % 2
    half = np.arange(held), np.arange(held, 2 * held)
    return Ground(
        base=SimpleNamespace(
            identity=SimpleNamespace(name="made-up"), modality="image", trainable=True, spec=SimpleNamespace(side=0)
        ),  # type: ignore[arg-type]
        task=Classification(("no", "yes")),
        rows=TrainRows(list(y), np.array([str(i) for i in range(len(y))]), y, np.zeros((len(y), 2), np.float32)),
        holding=Holding((half,), half[1], "the validation set"),
        units=np.arange(len(y)),
        metric=metric,
        settings=training or TrainingSettings(),
        augmentation=None,
        augmented="none",
        retained=None,
        seed=0,
        progress=Told(),
    )


def answers(ground: Ground, right: int) -> np.ndarray:
    """[h, 2] probabilities that are right on the first ``right`` held-out rows."""
    y = ground.held_y
    said = np.where(np.arange(len(y)) < right, y, 1 - y)
    return np.eye(2)[said] * 0.8 + 0.1


@dataclass(frozen=True)
class Point:
    """A look at the held-out rows, as far as a ladder minds it."""

    step: int


@dataclass(frozen=True)
class Ran:
    """What a training came to, as far as a ladder looks at it."""

    strategy: str
    stopped: str
    steps: int = 80
    curve: tuple[Point, ...] = (Point(80),)


def run(strategy: str, stopped: str = "finished") -> Any:
    """A training of so many steps."""
    return Ran(strategy, stopped)


def candidate(ground: Ground, strategy: str, right: int, **given: Any) -> Candidate:
    """One that is right on ``right`` rows; with a run and a recipe where its strategy trains."""
    own = STRATEGIES[strategy]
    held = answers(ground, right)
    head = LinearHead(np.zeros((2, 2), np.float32), np.zeros(2, np.float32), "classification", "ridge")
    made = Candidate(
        base="made-up",
        strategy=strategy,
        features=own.features,
        held=held,
        valid_score=ground.score(held),
        heads=(head,),
        tried=(),
        seconds=1.0,
        runs=(run(strategy),) if own.recipe else (),
        recipe=own.recipe,
    )
    return replace(made, **given)


@dataclass
class Made:
    """Which candidates a ladder had made, from which, and in how much time.

    Attributes:
        right: strategy -> held-out rows that it gets right.
        below: strategy -> what training it started from.
        seconds: strategy -> the time it was given.
    """

    right: dict[str, int]
    below: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float | None] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Made]:
    """``make(probe=300, full=350)``: within the test, strategies come to candidates of so many right rows."""

    def patched(
        speed: Speed = SPEED, far: float = BETWEEN, weights: int = 1000, linear: bool = True, **right: int
    ) -> Made:
        made = Made(right)

        def solved(ground: Ground, strategy: Any, seconds: float | None = None) -> Candidate:
            made.order.append(strategy.name)
            return candidate(ground, strategy.name, right[strategy.name])

        def trained(ground: Ground, strategy: Any, below: Candidate, seconds: float | None, *_: Any) -> Candidate:
            made.order.append(strategy.name)
            made.below[strategy.name], made.seconds[strategy.name] = below.strategy, seconds
            return candidate(ground, strategy.name, right[strategy.name])

        for room in (ladder, way):
            monkeypatch.setattr(room, "solved", solved)
        monkeypatch.setattr(way, "trained", trained)
        monkeypatch.setattr(ladder, "distance", lambda *_: (far, "made up"))
        monkeypatch.setattr(plan, "takes_adapters", lambda base: linear)
        monkeypatch.setattr(plan, "remembered", lambda base: None)
        monkeypatch.setattr(plan, "staged_seconds", lambda on, speed: {"features": len(on.rows) * speed.forward})
        monkeypatch.setattr(
            "headstart.training.measuring.measure",
            lambda base, rows, task, outputs, **how: replace(speed, weights=weights),
        )
        return made

    return patched


__all__ = [
    "BETWEEN",
    "ROWS",
    "SPEED",
    "Made",
    "Point",
    "Recipe",
    "Told",
    "answers",
    "candidate",
    "ground",
    "make",
    "run",
]
