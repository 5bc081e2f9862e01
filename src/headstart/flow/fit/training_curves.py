"""What training left to tell: a record of each run, and what its curves say."""

from __future__ import annotations

from dataclasses import replace

from headstart.bases.base import Base
from headstart.evaluation.diagnosis import Finding, Symptoms, diagnose
from headstart.evaluation.metrics import METRICS
from headstart.flow.search import Climbed
from headstart.records import PointRecord, TrainingRecord
from headstart.strategies.candidate import Candidate
from headstart.strategies.plan import takes_adapters


def training_records(climbed: Climbed) -> list[TrainingRecord]:
    """One a trained candidate, of its first part's run."""
    return [_record(one, climbed.ground.augmented) for one in climbed.climb.candidates if one.runs]


def _record(candidate: Candidate, augmentation: str) -> TrainingRecord:
    first = candidate.runs[0]
    return TrainingRecord(
        strategy=candidate.strategy,
        thawed=first.thawed,
        weights=first.weights,
        prefix=first.prefix,
        augmentation=augmentation,
        steps=max(run.steps for run in candidate.runs),
        epochs=first.epochs,
        examples_per_second=first.rows_per_second,
        rollbacks=sum(run.rollbacks for run in candidate.runs),
        halvings=max(run.halvings for run in candidate.runs),
        stopped=first.stopped,
        curve=[PointRecord(**vars(point)) for point in first.curve],
    )


def learnt(climbed: Climbed) -> list[Finding]:
    """What the curves of the best trained candidate say; nothing where nothing was trained.

    Of one that was not taken it is said so: the model that is handed over has none of it.
    """
    ground, climb = climbed.ground, climbed.climb
    trained = [candidate for candidate in climb.candidates if candidate.runs]
    if not trained:
        return []
    shown = climb.best if climb.best.runs else trained[-1]
    first, forgetting = shown.runs[0], climbed.final.forgetting
    symptoms = Symptoms(
        curve=first.curve,
        train_score=first.train_score,
        valid_score=first.score,
        higher_is_better=METRICS[ground.metric].higher_is_better,
        metric=ground.metric,
        forgetting=forgetting.error if forgetting else None,
        rollbacks=sum(run.rollbacks for run in shown.runs),
        n_train=len(ground.holding.parts[0][0]),
        classes=len(ground.task.labels),
        stopped_early=first.stopped == "stopped early",
        out_of_budget=first.stopped == "budget",
        max_forgetting=ground.settings.max_forgetting,
    )
    found = diagnose(symptoms)
    if any(symptoms.fewer in one.suggestion for one in found):
        found = diagnose(replace(symptoms, fewer=_fewer(ground.base, shown.strategy)))
    return found if climb.best.runs else [_of(one, shown.strategy) for one in found if one.name != "healthy"]


def _fewer(base: Base, strategy: str) -> str:
    """The option that trains fewer weights than ``strategy`` did: adapters stand beside linear layers only."""
    if strategy == "lora":
        return "--strategy probe"
    if takes_adapters(base):
        return "--strategy lora"
    return "--strategy probe" if strategy == "norm" else "--strategy partial --unfreeze 1"


def _of(found: Finding, strategy: str) -> Finding:
    """The finding as one of a strategy that was tried and not taken."""
    name, _, said = found.sentence.partition(": ")
    return replace(found, sentence=f"{name}: in {strategy}, which was not accepted, {said}")
