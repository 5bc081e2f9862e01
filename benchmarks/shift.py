"""How far off the accuracy estimated without labels is on damaged inputs, beside the guess that it stays the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import banking77, hymenoptera
from benchmarks.spread import against
from headstart.bases.catalogue import open_base
from headstart.data.source import open_source
from headstart.data.table import Table as Rows
from headstart.delivery.answers import HELD, Answers
from headstart.delivery.bundle import Bundle
from headstart.delivery.model import Model
from headstart.evaluation.calibration import temperature
from headstart.flow.corruption import damage_suite
from headstart.heads.solve import solve
from headstart.records import DamageRecord
from headstart.settings import SourceSettings
from headstart.tasks.classification import Classification
from headstart.training.features import extract

_GOAL = 3.0  # points
_ROWS = 3_000  # damaged; fewer where there are fewer: the score itself must be known better than the estimate
_QUICK_ROWS = 20


@dataclass(frozen=True)
class _Suite:
    """One data set: the scores of a frozen base with a solved head."""

    name: str
    held: int  # held-out rows
    plain: float  # accuracy on them
    clean: float  # on the test rows that are damaged, undamaged
    damage: list[DamageRecord]

    def off(self, kind: str = "") -> list[float]:
        """Estimate less score of each strength of ``kind``, "": of all, in points."""
        return [100 * (d.estimated - d.score) for d in self.damage if kind in ("", d.kind)]

    def plain_off(self, kind: str = "") -> list[float]:
        """The same of the guess that the accuracy stays that of the held-out rows."""
        return [100 * (self.plain - d.score) for d in self.damage if kind in ("", d.kind)]


def measure(options: Options) -> Findings:
    """Both sets."""
    return findings([_suite(hymenoptera(options), options), _suite(banking77(options), options)])


def findings(suites: list[_Suite]) -> Findings:
    """How far off on average, then kind by kind, then every score."""
    means = [*((s.name, s.off(), s.plain_off()) for s in suites)]
    means.append(("all kinds of both", [o for _, off, _ in means for o in off], [o for *_, off in means for o in off]))
    average = Table(
        ("set", "estimate, points off", "goal", "greatest", "same as held-out rows, points off"),
        tuple(
            (name, f"{_mean(off):.1f}", against(_mean(off), _GOAL), _most(off), f"{_mean(plain):.1f}")
            for name, off, plain in means
        ),
    )
    kinds = Table(
        ("set", "damage", "rows", "score at strength 1 … 5", "estimated", "points off", "plain guess"),
        tuple(_line(suite, kind) for suite in suites for kind in dict.fromkeys(d.kind for d in suite.damage)),
    )
    sizes = Table(
        ("set", "held-out rows", "accuracy on them", "accuracy on the test rows undamaged"),
        tuple((s.name, f"{s.held:,}", f"{s.plain:.3f}", f"{s.clean:.3f}") for s in suites),
    )
    return Findings((average, kinds, sizes), _NOTES)


_NOTES = (
    "Points off: mean over kinds and strengths of |estimated − true accuracy| × 100. The true one is that of the "
    "damaged test rows with their labels, and is itself known to ± 1 to 2 points (3,000 rows) or ± 4 to 7 (153).",
    "The model is the default base, frozen, with a head solved on the training rows; held-out rows are those of the "
    "head's own comparison, the temperature is fitted on them. No labels of damaged rows are used.",
)


def _mean(off: list[float]) -> float:
    return fmean(abs(o) for o in off)


def _most(off: list[float]) -> str:
    return f"{max(off, key=abs):+.0f}".replace("-", "−")


def _line(suite: _Suite, kind: str) -> tuple[str, ...]:
    own = [d for d in suite.damage if d.kind == kind]
    return (
        suite.name,
        kind,
        f"{own[0].n:,}",
        " ".join(f"{d.score:.2f}" for d in own),
        " ".join(f"{d.estimated:.2f}" for d in own),
        f"{_mean(suite.off(kind)):.1f}",
        f"{_mean(suite.plain_off(kind)):.1f}",
    )


def _suite(source: Path, options: Options) -> _Suite:
    table = open_source(source, SourceSettings()).table
    train, test = table.take(table.split == "train"), table.take(table.split != "train")
    model, held = _fitted(train)
    inputs, y = _readable(model, test)
    damage = damage_suite(model, inputs, y, held=held, rows=_QUICK_ROWS if options.quick else _ROWS)
    clean = float((model.predict_proba(inputs).argmax(axis=1) == y).mean())
    plain = float((held.probabilities.argmax(axis=1) == held.truth).mean())
    return _Suite(source.name, len(held), plain, clean, damage)


def _fitted(train: Rows) -> tuple[Model, Answers]:
    """The default base with a solved head, and its answers on rows held out of the solving."""
    base = open_base(None, train.modality)
    features = extract(base, train.inputs)
    train = train.take(features.kept)
    task = Classification.from_targets([] if train.targets is None else train.targets)
    y = task.encode([] if train.targets is None else train.targets)
    solved = solve(features.vectors[features.kept], y, task.name, outputs=task.outputs)
    held = np.flatnonzero(np.isfinite(solved.scores).all(axis=1))
    scale = temperature(solved.scores[held], y[held])
    p = task.probabilities(solved.scores[held] / np.float32(scale))
    parts = np.full(len(held), HELD)
    none = np.zeros(len(held), dtype=int)
    answers = Answers(parts, train.ids[held], train.ids[held], y[held], p, none, task.labels, task.name, "accuracy")
    bundle = Bundle.of_base(base, features.dtype, task, solved.head.scaled(scale), {})
    return Model(bundle, base), answers


def _readable(model: Model, test: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and classes of the test rows that can be read."""
    features = extract(model.base, test.inputs)
    test = test.take(features.kept)
    return test.inputs, model.bundle.task.encode([] if test.targets is None else test.targets)


BENCHMARK = Benchmark(
    "shift",
    "the accuracy estimated without labels on damaged inputs, against the true one",
    measure,
    how="one draw of rows and damage, always the same",
)
