"""Training as the report shows it: facts and curves of each trained candidate."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from headstart.records import Result, TrainingRecord
from headstart.report import words
from headstart.report.curves import Curve, curves
from headstart.report.figures import MISSING, count, known, number, percent, plain


@dataclass(frozen=True)
class Trained:
    """One trained candidate."""

    strategy: str
    meaning: str  # of the strategy, in a sentence
    facts: list[tuple[str, str]]
    losses: Markup | None  # training and validation loss over epochs
    scores: Markup | None  # validation score over epochs
    kept: bool  # whether the charts mark the epochs that were kept
    handed_over: bool
    fold: str  # what to click on where it starts folded, else ""


def trained(result: Result) -> list[Trained]:
    """Every trained candidate, the one handed over first; the others start folded."""
    chosen = result.chosen
    every = [
        _trained(i, record, result, bool(chosen.base) and record.strategy == chosen.strategy)
        for i, record in enumerate(result.training)
    ]
    return sorted(every, key=lambda one: not one.handed_over)


def _trained(place: int, record: TrainingRecord, result: Result, handed: bool) -> Trained:
    losses, scores = _charts(place, record, words.title(result.metric))
    folded = not handed and len(result.training) > 1
    return Trained(
        record.strategy,
        words.strategy(record.strategy),
        _facts(record),
        losses,
        scores,
        known(record.epochs) and any(known(p.epoch) and p.epoch >= record.epochs for p in record.curve),
        handed,
        f"{record.strategy}: {plain(record.epochs)} epochs, {record.stopped}" if folded else "",
    )


def _charts(place: int, record: TrainingRecord, metric: str) -> tuple[Markup | None, Markup | None]:
    """Losses, and the score: two charts, as they have no unit in common."""
    look, name = record.curve, record.strategy
    losses = [
        Curve("training loss", [(p.epoch, p.train_loss) for p in look], "plain"),
        Curve("validation loss", [(p.epoch, p.valid_loss) for p in look], "strong"),
    ]
    scores = [Curve(metric, [(p.epoch, p.valid_score) for p in look], "strong")]
    return (
        curves(losses, name=f"loss-{place}", title=f"Losses of {name} over epochs", across="epoch", mark=record.epochs),
        curves(
            scores, name=f"curve-{place}", title=f"{metric} of {name} over epochs", across="epoch", mark=record.epochs
        ),
    )


def _facts(record: TrainingRecord) -> list[tuple[str, str]]:
    return [
        ("Trained weights", _weights(record)),
        ("Cached prefix", f"every stage up to {record.prefix}, computed once" if record.prefix else "none"),
        ("Augmentation", record.augmentation or "none"),
        ("Length", f"{count(record.steps)} steps; {plain(record.epochs)} epochs kept"),
        ("Speed", f"{number(record.examples_per_second)} examples/s" if known(record.examples_per_second) else MISSING),
        ("Ended", record.stopped),
        ("Rollbacks", _times(record.rollbacks, "training diverged and went on from before, more gently")),
        ("Batch halved", _times(record.halvings, "for want of memory")),
    ]


def _weights(record: TrainingRecord) -> str:
    part = record.thawed / record.weights if record.weights else float("nan")
    return f"{count(record.thawed)} of {count(record.weights)} ({percent(part)})"


def _times(times: int, what: str) -> str:
    if not times:
        return "none"
    return f"{'once' if times == 1 else f'{times} times'}: {what}"
