"""Whether what was chosen among several is judged as surely as is said: equal looks, rungs, bases and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from scipy.special import softmax

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.simulations import Rows, rows
from headstart.evaluation.bootstrap import paired_gain, score_interval
from headstart.evaluation.calibration import logits, temperature
from headstart.evaluation.conformal import fit_conformal, sets
from headstart.evaluation.metrics import get
from headstart.evaluation.proportions import wilson
from headstart.evaluation.verdict import judge, strict_level
from headstart.progress import Progress
from headstart.ranking.halving import race, sizes, survivors
from headstart.settings import TrainingSettings
from headstart.strategies import ladder, way
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.ground import Ground
from headstart.strategies.holding import Holding
from headstart.strategies.names import STRATEGIES
from headstart.strategies.plan import LEVEL, Rung
from headstart.tasks.classification import Classification
from headstart.training.crossing import Crossing, as_good, halves_of, is_better
from headstart.training.rows import TrainRows

_DRAWS, _QUICK_DRAWS = 500, 20
_NOISE = 0.5  # standard deviation of what a model adds to the scores that all share
_PATIENCE = 6  # looks without a better one after which training stops, as `TrainOptions` has it
_NEW = 2000  # rows that a promise is judged on, by their exact probabilities
_LEVEL = 0.9  # of the sets
_CLASSES = 10
#: Looks of a run, and how like the scores' noise of one look is to that of the next.
COURSES = ((6, 0.0), (6, 0.7), (12, 0.9), (20, 0.95))
_PLAN = ("head2toe", "partial", "full")


@dataclass(frozen=True)
class Trained:
    """A made-up run and what it hands on.

    Attributes:
        scores: [n, k] of the weights kept.
        held, kept, chosen, stopped: as a run gives them (see `headstart.training.job`).
        best: [n, k] answers of the look with the best score, whatever the last one is.
    """

    scores: np.ndarray
    held: np.ndarray
    kept: np.ndarray
    chosen: bool
    best: np.ndarray
    stopped: str = "finished"


def train(
    rng: np.random.Generator, held: Rows, start: np.ndarray, course: tuple[int, float], gain: float = 0.0
) -> Trained:
    """A run whose looks are all as good as ``start`` [n, k] in law, or rise by ``gain`` at the truth on their way.

    Looks, patience and choice are the engine's; the scores' noise goes on from look to look as an autoregression.
    """
    looks, likeness = course
    n, k = held.scores.shape
    truth = np.eye(k)[held.y]
    noise, crossing = start - held.scores, Crossing(halves_of(held.y, "classification", None, 0), "accuracy")
    best, waited, scores = (-np.inf, np.inf, start, 0), 0, start
    for look in range(looks + 1):
        if look:
            noise = likeness * noise + np.sqrt(1 - likeness**2) * _NOISE * rng.standard_normal((n, k))
        scores = held.scores + noise + gain * min(1.0, 1.5 * look / looks) * truth
        seen = [_seen(scores[crossing.halves == half], held.y[crossing.halves == half]) for half in (0, 1)]
        crossing.see(look, np.asarray(softmax(scores, axis=1)), seen)
        score, loss = _seen(scores, held.y)
        better = is_better("accuracy", score, loss, *best[:2])
        best, waited = ((score, loss, scores, look), 0) if better else (best, waited + 1)
        if waited >= _PATIENCE:
            break
    finished = waited < _PATIENCE
    chosen = crossing.settle(look, finished)
    keeps_last = finished and best[3] and as_good("accuracy", score, best[0], n)
    kept = scores if keeps_last else best[2]
    answers = crossing.held if crossing.held is not None else np.zeros((n, k))
    return Trained(kept, answers, np.asarray(softmax(kept, axis=1)), chosen, np.asarray(softmax(best[2], axis=1)))


def _seen(scores: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    return float((scores.argmax(axis=1) == y).mean()), float(Classification.row_losses(scores, y).mean())


def looks_told_better(
    n: int, parts: int, course: tuple[int, float], draws: int, gain: float = 0.0
) -> tuple[float, float]:
    """Share of draws in which training is told to pay by the look that did best, and by the crossed answers.

    One-sided at 90 %, ``n`` held-out rows in so many parts, each with a run of its own.
    """
    rng = np.random.default_rng(n + parts)
    told = np.zeros(2)
    for _ in range(draws):
        some = [rows(rng, n // parts, _CLASSES) for _ in range(parts)]
        starts = [_noisy(rng, one) for one in some]
        runs = [train(rng, one, start, course, gain) for one, start in zip(some, starts, strict=True)]
        y, probe = np.concatenate([one.y for one in some]), _answers(starts)
        best, crossed = (np.concatenate([getattr(run, name) for run in runs]) for name in ("best", "held"))
        told[0] += _gain(y, best, probe).low > 0
        over = _gain(y, crossed, probe)
        told[1] += (ladder.widened(over) if any(run.chosen for run in runs) else over).low > 0
    return float(told[0] / draws), float(told[1] / draws)


def rungs_taken(
    n: int, parts: int, course: tuple[int, float], draws: int, gain: float = 0.0, rungs: Sequence[str] = _PLAN
) -> float:
    """Share of draws in which the ladder takes any rung, each as good as the probe, or ``gain`` better than the last.

    The ladder is the real one; runs are made up.
    """
    rng = np.random.default_rng(n + parts + len(rungs))
    taken = 0
    for _ in range(draws):
        some = [rows(rng, n // parts, _CLASSES) for _ in range(parts)]
        climbed = _climb(rng, some, course, gain, rungs)
        taken += climbed.best is not climbed.probe
    return taken / draws


def _climb(
    rng: np.random.Generator, some: list[Rows], course: tuple[int, float], gain: float, rungs: Sequence[str]
) -> ladder.Climb:
    ground, starts = _ground(some), [_noisy(rng, one) for one in some]
    made: dict[int, list[np.ndarray]] = {}

    def candidate(name: str, held: np.ndarray, scores: list[np.ndarray], **given: Any) -> Candidate:
        features = STRATEGIES[name].features
        found = Candidate("made-up", name, features, held, ground.score(held), (), (), 1.0, **given)
        made[id(found)] = scores
        return found

    def solved(_: Ground, strategy: Any, *__: Any) -> Candidate:
        scores = [_noisy(rng, one) + gain * np.eye(_CLASSES)[one.y] for one in some]
        return candidate(strategy.name, _answers(scores), scores)

    def trained(_: Ground, strategy: Any, below: Candidate, *__: Any) -> Candidate:
        runs = [train(rng, one, start, course, gain) for one, start in zip(some, made[id(below)], strict=True)]
        held, kept = (np.concatenate([getattr(run, name) for run in runs]) for name in ("held", "kept"))
        given = {"runs": tuple(runs), "kept": kept, "chosen": any(run.chosen for run in runs)}
        return candidate(strategy.name, held, [run.scores for run in runs], **given)

    planned = [Rung(STRATEGIES[name], 1.0, "") for name in rungs]
    probe = candidate("probe", _answers(starts), starts)
    with (
        mock.patch.object(way, "solved", solved),
        mock.patch.object(way, "trained", trained),
        mock.patch.object(ladder, "distance", return_value=(float("nan"), "made up")),
        mock.patch.object(ladder, "_planned", return_value=(planned, None, "")),
    ):
        return ladder.climb(ground, probe, Budget(None), 1.0)


def _ground(some: list[Rows]) -> Ground:
    y, edges = np.concatenate([one.y for one in some]), np.cumsum([0, *(len(one.y) for one in some)])
    every = np.arange(len(y))
    parts = [every[a:b] for a, b in pairwise(edges)]
    holding = Holding(tuple((np.setdiff1d(every, part), part) for part in parts), every, "made up")
    keys, task = np.array([str(row) for row in every]), Classification(tuple(map(str, range(_CLASSES))))
    base: Any = SimpleNamespace(identity=SimpleNamespace(name="made-up"), modality="image", trainable=True)
    known = TrainRows(list(y), keys, y, np.zeros((len(y), 1), np.float32))
    return Ground(base, task, known, holding, every, "accuracy", TrainingSettings(), None, "none", None, 0, Progress())


def sets_kept(n: int, course: tuple[int, float], draws: int) -> tuple[float, float]:
    """Share of draws whose sets reach their level: from the best look's answers, and from the crossed ones."""
    rng = np.random.default_rng(n)
    kept = np.zeros(2)
    for _ in range(draws):
        held, new = rows(rng, n, _CLASSES), rows(rng, _NEW, _CLASSES)
        run, shown = train(rng, held, _noisy(rng, held), course), softmax(_noisy(rng, new), axis=1)
        for i, answers in enumerate((run.best, run.held)):
            t = temperature(logits(answers), held.y)
            conformal = fit_conformal(softmax(logits(answers) / t, axis=1), held.y, _LEVEL)
            chosen = sets(conformal, softmax(logits(shown) / t, axis=1))
            kept[i] += new.right[chosen].sum() / _NEW >= _LEVEL
    return float(kept[0] / draws), float(kept[1] / draws)


def races_decided(n: int, bases: int, draws: int, ahead: float = 0.0, k: int = _CLASSES) -> tuple[float, float, float]:
    """Share of races that leave one base: the leader against each of the others at 95 %, and as `race` does it.

    And the share in which `race` tells any two apart. The last base's scores are ``ahead`` at the truth; 0: all are
    equal. A base's answers differ from round to round, as those of heads fitted on more rows do.
    """
    rng = np.random.default_rng(n + bases)
    names = [str(base) for base in range(bases)]
    told = np.zeros(3)
    for draw in range(draws):
        some = rows(rng, n, k)
        own = {name: _noisy(rng, some) for name in names}
        own[names[-1]] = own[names[-1]] + ahead * np.eye(k)[some.y]
        known: dict[tuple[str, int], np.ndarray] = {}
        for name in names:
            for count in sizes(n):
                noise = 0.5 * _NOISE * rng.standard_normal((count, k))
                known[name, count] = np.asarray(softmax(own[name][:count] + noise, axis=1))

        def held(
            base: str, which: np.ndarray, known: dict[tuple[str, int], np.ndarray] = known
        ) -> tuple[np.ndarray, np.ndarray]:
            return known[base, len(which)], which

        rounds = race(names, held, some.y, np.arange(n), "accuracy", seed=draw)
        apart = any(one.dropped for each in rounds for one in each.behind)
        told += _decided_before(known, some.y, names), len(survivors(rounds)) == 1, apart
    before, now, apart = told / draws
    return float(before), float(now), float(apart)


def _decided_before(known: dict[tuple[str, int], np.ndarray], y: np.ndarray, names: list[str]) -> bool:
    """Whether one base is left where each round drops those behind its leader by a one-sided bound of 95 %."""
    running = names
    for count in sizes(len(y)):
        said = {name: known[name, count] for name in running}
        best = max(running, key=lambda name: get("accuracy").function(y[:count], said[name]))
        running = [n for n in running if n == best or not _gain(y[:count], said[best], said[n], 0.95).low > 0]
    return len(running) == 1


def verdicts(n: int, controls: int, draws: int, gain: float = 0.0) -> tuple[float, float, float]:
    """Share of test parts of ``n`` rows on which borrowing "hurt" by the best control alone and by the verdict's rule.

    And on which it helped. All controls are equal; the model's scores are ``gain`` at the truth.
    """
    rng = np.random.default_rng(n + controls)
    told = np.zeros(3)
    for _ in range(draws):
        test = rows(rng, n, _CLASSES)
        model = softmax(_noisy(rng, test) + gain * np.eye(_CLASSES)[test.y], axis=1)
        others = {str(i): softmax(_noisy(rng, test), axis=1) for i in range(controls)}
        gains = {name: paired_gain("accuracy", test.y, model, p) for name, p in others.items()}
        level = strict_level(gains)
        strict = {name: paired_gain("accuracy", test.y, model, p, level=level) for name, p in others.items()}
        score = score_interval("accuracy", test.y, model)
        told += (
            judge(score, "accuracy", gains).outcome == "hurt",
            (found := judge(score, "accuracy", gains, strict=strict).outcome) == "hurt",
            found == "helped",
        )
    alone, corrected, helped = told / draws
    return float(alone), float(corrected), float(helped)


def _noisy(rng: np.random.Generator, some: Rows) -> np.ndarray:
    """A model's scores: those of the truth, and noise of its own."""
    return np.asarray(some.scores + _NOISE * rng.standard_normal(some.scores.shape))


def _answers(scores: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(softmax(np.concatenate(scores), axis=1))


def _gain(y: np.ndarray, a: np.ndarray, b: np.ndarray, level: float = LEVEL) -> Any:
    return paired_gain("accuracy", y, a, b, level=2 * level - 1)


def measure(options: Options) -> Findings:
    """Every simulation."""
    draws = _QUICK_DRAWS if options.quick else _DRAWS
    return Findings((_looks(draws), _rungs(draws), _sets(draws), _races(draws), _controls(draws)), _NOTES)


def _looks(draws: int) -> Table:
    header = (
        "held-out rows",
        "parts",
        "looks",
        "likeness",
        "told to pay, best look",
        "told to pay, crossed",
        "with a gain: best look",
        "with a gain: crossed",
    )
    found = []
    for parts in (1, 3):
        for course in COURSES:
            none, some = (looks_told_better(400, parts, course, draws, gain) for gain in (0.0, 0.3))
            shares = (*none, *some)
            found.append(("400", str(parts), *map(str, course), *(_share(share, draws) for share in shares)))
    return Table(header, tuple(found))


def _rungs(draws: int) -> Table:
    header = ("rungs", "parts", "looks", "likeness", "any taken, none gains", "any taken, each gains")
    found = []
    for plan in (_PLAN[1:], _PLAN):
        for parts in (1, 3):
            for course in COURSES[1:3]:
                shares = [rungs_taken(400, parts, course, draws, gain, plan) for gain in (0.0, 0.2)]
                cells = [_share(share, draws) for share in shares]
                found.append((", ".join(plan), str(parts), *map(str, course), *cells))
    return Table(header, tuple(found))


def _sets(draws: int) -> Table:
    header = ("held-out rows", "looks", "likeness", "sets keep their promise: best look", "crossed")
    found = []
    for n in (100, 400):
        for course in COURSES:
            found.append((str(n), *map(str, course), *(_share(one, draws) for one in sets_kept(n, course, draws))))
    return Table(header, tuple(found))


def _races(draws: int) -> Table:
    header = (
        "rows",
        "bases",
        "equal, one is left: leader against each",
        "all pairs",
        "any two told apart",
        "one ahead, one is left: leader against each",
        "all pairs",
    )
    found = []
    for n in (200, 2000):
        for bases in (2, 3):
            equal, ahead = (races_decided(n, bases, draws, by) for by in (0.0, 0.5 if n < 1000 else 0.15))
            found.append((f"{n:,}", str(bases), *(_share(one, draws) for one in (*equal, *ahead[:2]))))
    return Table(header, tuple(found))


def _controls(draws: int) -> Table:
    header = ("test rows", "controls", "model", "hurt: best control at 95 %", "hurt: corrected", "helped")
    found = []
    for n in (100, 1000):
        for controls in (1, 2, 3):
            for name, gain in (("equal", 0.0), ("worse", -0.3 if n < 1000 else -0.12)):
                shares = verdicts(n, controls, 4 * draws, gain)
                found.append((f"{n:,}", str(controls), name, *(_share(one, 4 * draws) for one in shares)))
    return Table(header, tuple(found))


def _share(share: float, draws: int) -> str:
    """The share with the 95 % interval that so many draws leave."""
    low, high = wilson(share, draws, 0.95)
    return f"{share:.1%} ({low:.1%}–{high:.1%})"


_NOTES = (
    "Made-up models: the same scores with noise of the same law, ten classes. In brackets the 95 % interval that so "
    "few draws leave of the share.",
    "Looks: one training run a part, whose looks are all as good as its start; likeness is that of one look's noise to "
    "the next one's. The nominal share is 10 %. With a gain: the looks rise to one.",
    "Rungs: the real ladder on made-up runs; the nominal share for all rungs together is 10 %.",
    "Sets: 90 % coverage promised with 95 % confidence, after a temperature from the same answers.",
    "Races: three rounds, a base's answers differ from one to the next. Nominal: 5 % for all rounds and pairs.",
    "Controls: all equal to one another; 2.5 % of one-sided false verdicts is nominal.",
)

BENCHMARK = Benchmark(
    "choices",
    "whether what was chosen among several is judged as surely as is said, on made-up models whose truth is known",
    measure,
    how=f"{_DRAWS} draws a row, {4 * _DRAWS:,} of the last table",
)
