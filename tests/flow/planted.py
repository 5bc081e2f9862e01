"""Made-up data whose truth is known, judged as a run judges them: solved heads, controls, the verdict, the findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart.controls.majority import Majority
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.calibration import confidence_gap
from headstart.evaluation.findings import RunEvidence, about_run
from headstart.evaluation.per_class import confusion
from headstart.evaluation.verdict import MAJORITY, Verdict, judge
from headstart.heads.linear import LinearHead
from headstart.heads.solve import refit, solve
from headstart.tasks import get

PIXELS = "pixels + linear"
WIDTH = 12  # of made-up features


@dataclass(frozen=True)
class Part:
    """Rows: features by who sees them ("base", "pixels" …), each [n, d] float32, and targets."""

    seen: Mapping[str, np.ndarray]
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Any) -> Part:
        return Part({name: x[rows] for name, x in self.seen.items()}, self.y[rows])


@dataclass(frozen=True)
class Planted:
    """A situation: what is learnt from, what is judged on, and what else the run would know."""

    train: Part
    test: Part
    metric: str = "accuracy"
    task: str = "classification"
    temperature: float = 1.0  # of the chosen model; below 1: surer than it is right
    leaked: np.ndarray | None = None  # [test rows] bool
    known: Mapping[str, Any] = field(default_factory=dict)  # fields of the evidence


@dataclass(frozen=True)
class Told:
    """What was said of a situation."""

    verdict: Verdict
    findings: dict[str, str]  # name -> sentence and suggestion
    evidence: RunEvidence


def classes(rng: np.random.Generator, y: np.ndarray, strength: float, count: int, width: int = WIDTH) -> np.ndarray:
    """Features [n, width]: noise of spread 1 about a centre a class, centres ``strength`` from the middle."""
    centres = np.random.default_rng(99).normal(size=(count, width))
    centres *= strength / np.linalg.norm(centres, axis=1, keepdims=True)
    return (centres[y] + rng.normal(size=(len(y), width))).astype(np.float32)


def labels(rng: np.random.Generator, n: int, shares: np.ndarray | int) -> np.ndarray:
    """Class numbers [n], every class as often as its share says, in random order."""
    part = np.full(shares, 1 / shares) if isinstance(shares, int) else np.asarray(shares)
    edges = np.round(np.cumsum(part) * n).astype(int)
    return rng.permutation(np.searchsorted(edges, np.arange(n), side="right"))


def part(rng: np.random.Generator, n: int, shares: np.ndarray | int, **strengths: float) -> Part:
    """Rows of classes; ``strengths``: how well each sees them, 0 not at all, 3 nearly without error."""
    y = labels(rng, n, shares)
    count = shares if isinstance(shares, int) else len(shares)
    return Part({name: classes(rng, y, strength, count) for name, strength in strengths.items()}, y)


def planted(seed: int, train: int, test: int, shares: np.ndarray | int, **strengths: float) -> Planted:
    """Two parts of one source."""
    rng = np.random.default_rng(seed)
    return Planted(part(rng, train, shares, **strengths), part(rng, test, shares, **strengths))


def tell(given: Planted) -> Told:
    """Fit the model and the controls, judge once on the test rows that did not leak, and collect the findings."""
    outputs = int(given.train.y.max()) + 1 if given.task == "classification" else given.train.y.shape[1]
    solved = solve(given.train.seen["base"], given.train.y, given.task, outputs=outputs)
    answers = {name: _answers(name, given, outputs) for name in (MAJORITY, *given.train.seen) if name != "base"}
    model = _sharpened(solved.head.scores(given.test.seen["base"]), given)
    y, leaked = given.test.y, _leaked(given)
    gains = {name: paired_gain(given.metric, y[~leaked], model[~leaked], p[~leaked]) for name, p in answers.items()}
    clean = score_interval(given.metric, y[~leaked], model[~leaked])
    evidence = RunEvidence(
        task=given.task,
        metric=given.metric,
        test=score_interval(given.metric, y, model),
        gains=gains,
        valid=_valid(given, solved.scores),
        rows=len(given.train),
        base="made-up",
        leaked=int(leaked.sum()),
        clean=clean if leaked.any() else None,
    )
    if given.task == "classification":
        evidence = replace(evidence, **_of_classes(given, answers, model, outputs))
    evidence = replace(evidence, **given.known)
    verdict = judge(clean, given.metric, gains, leaked=int(leaked.sum()))
    found = about_run(evidence)
    assert len({one.name for one in found}) == len(found) > 0
    return Told(verdict, {one.name: f"{one.sentence} {one.suggestion}" for one in found}, evidence)


def more_rows(given: Planted) -> Interval:
    """Gain, on held-out rows, of a head on the training rows over one on half of them."""
    n, outputs = len(given.train), int(given.train.y.max()) + 1
    held = np.arange(n) % 3 == 0
    learnt = np.flatnonzero(~held)
    x, y = given.train.seen["base"], given.train.y
    whole = solve(x[learnt], y[learnt], given.task, outputs=outputs).head
    half = refit(whole, x[learnt[::2]], y[learnt[::2]], given.task, outputs=outputs)
    return paired_gain(given.metric, y[held], whole.probabilities(x[held]), half.probabilities(x[held]))


def _answers(name: str, given: Planted, outputs: int) -> np.ndarray:
    """Of one control, on the test rows."""
    if name == MAJORITY:
        control = Majority(outputs)
        control.fit([], given.train.y, given.task, 0)
        return control.probabilities(given.test.y)
    head: LinearHead = solve(given.train.seen[name], given.train.y, given.task, outputs=outputs).head
    return head.probabilities(given.test.seen[name])


def _sharpened(scores: np.ndarray, given: Planted) -> np.ndarray:
    return get(given.task).probabilities(scores / np.float32(given.temperature))


def _leaked(given: Planted) -> np.ndarray:
    return np.zeros(len(given.test), bool) if given.leaked is None else given.leaked


def _valid(given: Planted, scores: np.ndarray) -> Interval | None:
    told = np.isfinite(scores).all(axis=1)
    return score_interval(given.metric, given.train.y[told], _sharpened(scores[told], given))


def _of_classes(given: Planted, answers: Mapping[str, np.ndarray], model: np.ndarray, outputs: int) -> dict[str, Any]:
    y = given.test.y
    return {
        "labels": tuple("abcdefghijklmnopqrstuvwxyz"[:outputs]),
        "over_majority": {
            name: paired_gain(given.metric, y, p, answers[MAJORITY]) for name, p in answers.items() if name != MAJORITY
        },
        "auroc": score_interval("auroc", y, model, draws=200),
        "rows_a_class": np.bincount(given.train.y, minlength=outputs),
        "confusion": confusion(y, model).matrix,
        "confidence_gap": confidence_gap(y, model),
    }
