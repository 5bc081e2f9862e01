"""Training as the report shows it: facts and curves of each trained candidate."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from markupsafe import Markup

from headstart.evaluation.wording import metric_name
from headstart.records import Result, TrainingRecord
from headstart.report import words
from headstart.report.curves import Curve, curves
from headstart.report.figures import MISSING, count, known, number, percent, plain


@dataclass(frozen=True)
class Trained:
    """One trained candidate.

    Attributes:
        title: its strategy, and how long it was trained.
        facts: name and value.
        losses: training and validation loss over epochs.
        scores: validation score over epochs.
        kept: whether the charts mark the epochs that were kept.
        selected: whether it is the selected model.
    """

    title: str
    facts: list[tuple[str, str]]
    losses: Markup | None
    scores: Markup | None
    kept: bool
    selected: bool


def trained(result: Result) -> list[Trained]:
    """Every trained candidate, the selected one first."""
    chosen = result.chosen
    every = [
        _trained(i, record, result, bool(chosen.base) and record.strategy == chosen.strategy)
        for i, record in enumerate(result.training)
    ]
    return sorted(every, key=lambda one: not one.selected)


def _trained(place: int, record: TrainingRecord, result: Result, selected: bool) -> Trained:
    losses, scores = _charts(place, record, result.metric)
    kept = known(record.epochs) and any(known(p.epoch) and p.epoch >= record.epochs for p in record.curve)
    title = f"{record.strategy}: {plain(record.epochs)} epochs, {record.stopped}"
    return Trained(title, _facts(record), losses, scores, kept, selected)


def _charts(place: int, record: TrainingRecord, metric: str) -> tuple[Markup | None, Markup | None]:
    """Losses, and the score: two charts, as they have no unit in common."""
    look, name, title = record.curve, record.strategy, words.title(metric)
    losses = [
        Curve("training loss", [(p.epoch, p.train_loss) for p in look], "plain"),
        Curve("validation loss", [(p.epoch, p.valid_loss) for p in look], "strong"),
    ]
    scores = [Curve(title, [(p.epoch, p.valid_score) for p in look], "strong")]
    named = functools.partial(curves, across="epoch", mark=record.epochs)
    up = f"validation {metric_name(metric)}"
    return (
        named(losses, name=f"loss-{place}", title=f"Losses of {name} over epochs", up="loss"),
        named(scores, name=f"curve-{place}", title=f"{title} of {name} over epochs", up=up),
    )


def _facts(record: TrainingRecord) -> list[tuple[str, str]]:
    facts = [
        ("Trained weights", _weights(record)),
        ("Frozen and cached", f"every stage up to {record.prefix}" if record.prefix else ""),
        ("Augmentation", record.augmentation),
        ("Length", f"{count(record.steps)} steps; {plain(record.epochs)} epochs kept"),
        ("Speed", f"{number(record.examples_per_second)} rows/s" if known(record.examples_per_second) else MISSING),
        ("Rollbacks", _times(record.rollbacks, "training diverged and went on at a lower learning rate")),
        ("Batch halved", _times(record.halvings, "not enough memory")),
    ]
    return [(name, value) for name, value in facts if value]


def _weights(record: TrainingRecord) -> str:
    part = record.thawed / record.weights if record.weights else float("nan")
    return f"{count(record.thawed)} of {count(record.weights)} ({percent(part)})"


def _times(times: int, what: str) -> str:
    if not times:
        return ""
    return f"{'once' if times == 1 else f'{times} times'}: {what}"
