"""Made-up ladders and training runs, like those of real runs."""

from __future__ import annotations

import math
from dataclasses import replace

from headstart.records import (
    DiagnosisRecord,
    ForgettingRecord,
    LadderRecord,
    PointRecord,
    RungRecord,
    TrainingRecord,
)

NAN = float("nan")


def rung(strategy: str, score: float, decision: str = "taken", **changes: object) -> RungRecord:
    """A rung compared with the probe; ``changes`` are other fields."""
    made = RungRecord(
        strategy=strategy,
        predicted_seconds=40.0,
        seconds=42.5,
        valid_score=score,
        gain=0.03,
        low=0.004,
        high=0.056,
        against="probe",
        decision=decision,
        reason="the gain is above 0 for sure",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def start(score: float = 0.905) -> RungRecord:
    """The lowest rung, with nothing to compare."""
    return rung("probe", score, "start", gain=NAN, low=NAN, high=NAN, against="", seconds=3.1, reason="the cheapest")


def not_tried(strategy: str, reason: str) -> RungRecord:
    """A rung that the budget left no time for."""
    unknown = {"valid_score": NAN, "gain": NAN, "low": NAN, "high": NAN, "seconds": 0.0}
    return rung(strategy, NAN, "not tried", **unknown, predicted_seconds=900.0, against="", reason=reason)


def ladder(rungs: list[RungRecord]) -> LadderRecord:
    """A ladder of these rungs."""
    return LadderRecord(
        plan="probe, then head2toe, then the top stages, since there are 127 examples a class",
        budget_seconds=600.0,
        predicted_seconds=310.0,
        per_class=127,
        distance=0.22,
        distance_how="share of probe weight on unusual features",
        held_out="5 folds",
        rungs=rungs,
    )


def probe_only() -> LadderRecord:
    """Of a run that tried the probe alone and knows nothing else."""
    return replace(
        ladder([replace(start(), predicted_seconds=NAN)]),
        plan="the probe alone",
        budget_seconds=NAN,
        predicted_seconds=NAN,
        distance=NAN,
        distance_how="",
        held_out="the validation set",
    )


def climb() -> LadderRecord:
    """Four rungs tried, one for want of time not."""
    return ladder(
        [
            start(),
            rung("head2toe", 0.921, gain=0.016, low=0.002, high=0.031, seconds=4.0),
            rung("partial", 0.948, gain=0.027, low=0.006, high=0.047, against="head2toe", seconds=48.0),
            rung(
                "lora",
                0.951,
                "not taken",
                gain=0.003,
                low=-0.011,
                high=0.017,
                against="partial",
                seconds=160.0,
                reason="the gain over partial may be chance",
            ),
            not_tried("full", "predicted to take 15 min, and 6 min of the budget are left"),
        ]
    )


def curve(points: int) -> list[PointRecord]:
    """Over-fitting: the validation loss falls and rises again; the loss before the first step is not known."""
    return [
        PointRecord(
            step=40 * i,
            epoch=i / 2,
            train_loss=NAN if i == 0 else 1.4 * math.exp(-i / 4),
            valid_loss=0.4 + 0.7 * math.exp(-i / 3) + 0.015 * i,
            valid_score=0.95 - 0.1 * math.exp(-i / 2),
            rate=1e-3,
        )
        for i in range(points)
    ]


def training(strategy: str = "partial", points: int = 17) -> TrainingRecord:
    """A trained candidate with a curve of so many looks."""
    return TrainingRecord(
        strategy=strategy,
        thawed=1_130_000,
        weights=3_373_000,
        prefix="block 5",
        augmentation="random crop, flip, RandAugment 2 of magnitude 5",
        steps=640,
        epochs=4.5,
        examples_per_second=412.3,
        rollbacks=1,
        halvings=0,
        stopped="stopped early",
        curve=curve(points),
    )


def forgotten(**changes: float) -> ForgettingRecord:
    """Within its limit, as the weights were drawn back."""
    made = ForgettingRecord(0.041, "10 nearest neighbours of each validation image", 63, 0.05, 0.7)
    return replace(made, **changes)  # type: ignore[arg-type]


def findings() -> list[DiagnosisRecord]:
    """Two, the worst first."""
    return [
        DiagnosisRecord(
            "over-fitting",
            "The model learnt its rows by heart: accuracy is 1.000 on them and 0.948 on held-out ones.",
            "Use a strategy that moves fewer weights, such as `--strategy lora`.",
        ),
        DiagnosisRecord("plateau", "The score stood still over the last half.", "More rows help now, not more epochs."),
    ]
