"""Training as the report shows it: facts and curves of each trained candidate."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from markupsafe import Markup

from headstart.records import Result, TrainingRecord
from headstart.report import words
from headstart.report.curves import Curve, curves, thinned
from headstart.report.figures import MISSING, count, known, number, percent, plain
from headstart.report.tables import Line, Table

_LOOKS = 25  # rows of the table beside the curves


@dataclass(frozen=True)
class Trained:
    """One trained candidate."""

    strategy: str
    meaning: str  # of the strategy, in a sentence
    facts: list[tuple[str, str]]
    losses: Markup | None  # training and validation loss over epochs
    scores: Markup | None  # validation score over epochs
    looks: Table | None  # the same as numbers
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
    losses, scores = _charts(place, record, result.metric)
    folded = not handed and len(result.training) > 1
    return Trained(
        record.strategy,
        words.strategy(record.strategy),
        _facts(record),
        losses,
        scores,
        _looks(place, record, words.title(result.metric)),
        known(record.epochs) and any(known(p.epoch) and p.epoch >= record.epochs for p in record.curve),
        handed,
        f"{record.strategy}: {plain(record.epochs)} epochs, {record.stopped}" if folded else "",
    )


def _charts(place: int, record: TrainingRecord, metric: str) -> tuple[Markup | None, Markup | None]:
    """Losses, and the score: two charts, as they have no unit in common."""
    look, name, title = record.curve, record.strategy, words.title(metric)
    losses = [
        Curve("training loss", [(p.epoch, p.train_loss) for p in look], "plain"),
        Curve("validation loss", [(p.epoch, p.valid_loss) for p in look], "strong"),
    ]
    scores = [Curve(title, [(p.epoch, p.valid_score) for p in look], "strong")]
    named = functools.partial(curves, across="epoch", mark=record.epochs)
    up = words.with_direction(metric, "on validation")
    return (
        named(losses, name=f"loss-{place}", title=f"Losses of {name} over epochs", up="loss (lower is better)"),
        named(scores, name=f"curve-{place}", title=f"{title} of {name} over epochs", up=up),
    )


def _looks(place: int, record: TrainingRecord, metric: str) -> Table | None:
    """An even choice of the points, folded."""
    chosen = [record.curve[i] for i in thinned(len(record.curve), _LOOKS)] if record.curve else []
    lines = [
        Line((plain(p.epoch), count(p.step), number(p.train_loss), number(p.valid_loss), number(p.valid_score)))
        for p in chosen
    ]
    heads = ("Epoch", "Step", "Training loss", "Validation loss", f"Validation {metric}")
    caption = f"Training of {record.strategy}, at {count(len(lines))} of {count(len(record.curve))} looks"
    return Table(f"looks-{place}", caption, heads, lines, (1, 2, 3, 4), fold="The curves as numbers") if lines else None


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
