"""Whether the intervals and promises of the evaluation hold: made-up models whose truth is known, drawn many times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from benchmarks import grouped
from benchmarks.benchmark import Benchmark, Findings, Options, Table
from headstart.evaluation.abstain import answered, fit_abstain
from headstart.evaluation.bootstrap import paired_gain, score_interval
from headstart.evaluation.calibration import calibration_error, calibration_interval, temperature
from headstart.evaluation.conformal import fit_conformal, sets
from headstart.evaluation.metrics import get

_DRAWS, _QUICK_DRAWS = 500, 20
_BOOTSTRAP = 400  # draws inside each interval; percentiles of 90 % need no more
_POPULATION = 20_000  # rows that stand for everything the model will ever meet
_NEW = 2000  # rows a threshold is judged on, by their exact probabilities
_STRENGTH = {2: 2.0, 10: 3.0, 77: 6.0}  # standard deviation of the scores: 17 to 34 % wrong at best
_ROWS_AND_CLASSES = ((100, 2), (300, 10), (1000, 77))
_METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "auroc", "log_loss")
_LEVEL, _CHANCE = 0.9, 0.9  # of conformal sets; of the draws that keep a risk
#: How the shown probabilities differ from the right ones: by a factor of the scores.
SHARPNESS = {"right": 1.0, "overconfident": 1.7, "underconfident": 0.6}


@dataclass(frozen=True)
class Rows:
    """Rows whose right probabilities [n, k] are known, and truth [n] drawn from them."""

    scores: np.ndarray
    y: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """The right probabilities [n, k]."""
        return np.asarray(softmax(self.scores, axis=1))


def rows(rng: np.random.Generator, n: int, k: int) -> Rows:
    """``n`` rows of ``k`` classes: normal scores, and classes drawn from their softmax."""
    scores = _STRENGTH[k] * rng.standard_normal((n, k))
    below = np.asarray(softmax(scores, axis=1)).cumsum(axis=1) < rng.random((n, 1))
    return Rows(scores, below.sum(axis=1).clip(0, k - 1))


def score_held(metric: str, n: int, k: int, draws: int) -> float:
    """Share of test parts of ``n`` rows whose 90 % interval holds the metric of the whole population."""
    rng = np.random.default_rng(n)
    held = 0
    for draw in range(draws):
        if draw % 50 == 0:  # a few populations, so that the steps of a proportion average out
            everything = rows(rng, _POPULATION, k)
            p = everything.right
            truth = get(metric).function(everything.y, p)
        test = rng.integers(0, _POPULATION, n)
        interval = score_interval(metric, everything.y[test], p[test], level=0.9, draws=_BOOTSTRAP, seed=draw)
        held += interval.low <= truth <= interval.high
    return held / draws


def called_different(metric: str, n: int, k: int, draws: int) -> float:
    """Share of test parts of ``n`` rows whose 95 % interval of the gain between equal models leaves out 0."""
    rng = np.random.default_rng(n)
    different = 0
    for draw in range(draws):
        test = rows(rng, n, k)
        p_a, p_b = (softmax(test.scores + 0.5 * rng.standard_normal((n, k)), axis=1) for _ in range(2))
        gain = paired_gain(metric, test.y, p_a, p_b, draws=_BOOTSTRAP, seed=draw)
        different += not gain.low <= 0 <= gain.high
    return different / draws


def sets_kept(n: int, k: int, draws: int) -> tuple[float, float, float]:
    """Share of draws of ``n`` held-out rows whose sets reach the level, mean coverage and mean size of a set.

    The probabilities shown are too sharp and mended by a temperature from the same rows, as a fit does.
    """
    rng = np.random.default_rng(n + k)
    covered, sizes = [], []
    for _ in range(draws):
        held, new = rows(rng, n, k), rows(rng, _NEW, k)
        t = temperature(1.5 * held.scores, held.y)
        conformal = fit_conformal(softmax(1.5 * held.scores / t, axis=1), held.y, _LEVEL)
        chosen = sets(conformal, softmax(1.5 * new.scores / t, axis=1))
        covered.append(float(new.right[chosen].sum() / _NEW))
        sizes.append(float(chosen.sum(axis=1).mean()))
    return float(np.mean(np.array(covered) >= _LEVEL)), float(np.mean(covered)), float(np.mean(sizes))


def risk_kept(n: int, k: int, risk: float, draws: int) -> tuple[float, float]:
    """Share of draws of ``n`` held-out rows whose threshold keeps to ``risk``, and the share of rows answered."""
    rng = np.random.default_rng(n + k)
    kept, shares = 0, []
    for _ in range(draws):
        held, new = rows(rng, n, k), rows(rng, _NEW, k)
        chosen = answered(fit_abstain(held.right, held.y, risk, _CHANCE), new.right)
        kept += not chosen.any() or 1 - new.right.max(axis=1)[chosen].mean() <= risk
        shares.append(float(chosen.mean()))
    return kept / draws, float(np.mean(shares))


def calibration_held(sharpness: float, n: int, k: int, draws: int) -> tuple[float, float, float, float]:
    """Share of 95 % intervals that hold the true calibration error, the error, and what two estimates say on average.

    They are the plug-in estimate, and the value that the interval belongs to.
    """
    rng = np.random.default_rng(n + k)
    truth = _true_error(rows(rng, _POPULATION, k), sharpness)
    held, plugged, freed = 0, [], []
    for draw in range(draws):
        test = rows(rng, n, k)
        p = softmax(sharpness * test.scores, axis=1)
        interval = calibration_interval(test.y, p, seed=draw)
        held += interval.low <= truth + 1e-3 and truth <= interval.high + 1e-3
        plugged.append(calibration_error(test.y, p))
        freed.append(interval.value)
    return held / draws, truth, float(np.mean(plugged)), float(np.mean(freed))


def _true_error(everything: Rows, sharpness: float) -> float:
    """Mean of |confidence − probability of being right|; both rise together, so bins would not change it."""
    shown = softmax(sharpness * everything.scores, axis=1)
    right = everything.right[np.arange(_POPULATION), np.argmax(shown, axis=1)]
    return float(np.abs(shown.max(axis=1) - right).mean())


def measure(options: Options) -> Findings:
    """Every simulation."""
    draws = _QUICK_DRAWS if options.quick else _DRAWS
    found = (_scores(grouped.MORE * draws), *grouped.tables(draws), _sets(draws), _risks(draws), _calibration(draws))
    return Findings(found, _NOTES)


def _scores(draws: int) -> Table:
    def row(metric: str, n: int, k: int) -> tuple[str, ...]:
        held, different = score_held(metric, n, k, draws), called_different(metric, n, k, draws)
        return metric, f"{n:,}", str(k), grouped.share(held, draws), grouped.share(different, draws)

    header = ("metric", "test rows", "classes", "90 % intervals that hold the score", "equal models called different")
    return Table(header, _each(row, [(metric, *case) for metric in _METRICS for case in _ROWS_AND_CLASSES]))


def _sets(draws: int) -> Table:
    def row(n: int, k: int) -> tuple[str, ...]:
        kept, covered, size = sets_kept(n, k, draws)
        return f"{n:,}", str(k), grouped.share(kept, draws), f"{covered:.3f}", f"{size:.2f}"

    header = ("held-out rows", "classes", "draws whose sets hold the truth ≥ 90 %", "mean coverage", "labels a set")
    return Table(header, _each(row, [(n, k) for k in _STRENGTH for n in (20, 50, 300, 1000)]))


def _risks(draws: int) -> Table:
    def row(n: int, k: int, risk: float) -> tuple[str, ...]:
        kept, share = risk_kept(n, k, risk, draws)
        return f"{n:,}", str(k), f"{risk:.0%}", grouped.share(kept, draws), f"{share:.0%}"

    header = ("held-out rows", "classes", "risk asked for", "draws that keep to it", "rows answered")
    return Table(header, _each(row, [(n, k, risk) for k in _STRENGTH for n in (300, 1000) for risk in (0.05, 0.1)]))


def _calibration(draws: int) -> Table:
    def row(name: str, n: int, k: int) -> tuple[str, ...]:
        held, truth, plugged, freed = calibration_held(SHARPNESS[name], n, k, draws)
        return name, f"{n:,}", str(k), f"{truth:.3f}", f"{plugged:.3f}", f"{freed:.3f}", grouped.share(held, draws)

    header = (
        "probabilities",
        "rows",
        "classes",
        "true error",
        "plug-in",
        "freed of chance",
        "95 % intervals that hold it",
    )
    cases = [(name, n, k) for name in SHARPNESS for k in _STRENGTH for n in (100, 300, 1000, 3000)]
    return Table(header, _each(row, cases))


def _each(row: Callable[..., tuple[str, ...]], cases: Sequence[tuple[object, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(row(*case) for case in cases)


_NOTES = (
    "Every row is its own set of draws; in brackets the 95 % interval that so few draws leave of the share.",
    "Score: test parts drawn from 20,000 rows, whose metric is the truth. Equal models: the same scores with noise "
    "of the same law, 95 % paired intervals.",
    "Groups: test sets of groups drawn from 4,000; correlation: of being right, within a group. Equal models: each has "
    "its own view of every group.",
    "Rows of each class: the truth is the score of a population with as many of each, a new one after 50 draws. AUROC "
    "near 1 rests on few rows, and its lower bound allows for worse ones that were not seen; here there are none, so "
    "that it misses from above alone. Two such areas are told apart by few rows, so seldom.",
    "Sets: 90 % coverage promised with 95 % confidence, after a temperature from the same held-out rows; fewer than "
    "29 rows give full sets. Coverage is the right probability of what is in the set, not a count.",
    "Risk: promised with 90 % confidence; answering nothing keeps to every risk.",
    "Calibration: the true error is known from the right probabilities; 15 bins of like numbers of rows, fewer under "
    "300 rows.",
)

BENCHMARK = Benchmark(
    "simulations",
    "whether intervals and promises hold, on made-up models whose truth is known",
    measure,
    how=f"{_DRAWS} draws a row, {grouped.MORE * _DRAWS:,} of scores where these are quick",
)
