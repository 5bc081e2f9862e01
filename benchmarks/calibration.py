"""The calibration error of the probe on real texts, before and after its temperature, with sets and abstaining."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from benchmarks.benchmark import Benchmark, Findings, Options, Table
from benchmarks.data import read_csv, real
from headstart.evaluation.abstain import answered_error, fit_abstain
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.calibration import calibration_error, calibration_interval, temperature
from headstart.evaluation.conformal import coverage, fit_conformal, mean_size
from headstart.heads.solve import solve

_QUICK_CLASSES = 5
_RISK = 0.05


@dataclass(frozen=True)
class Texts:
    """One data set, split as given; labels are class numbers."""

    name: str
    train: list[str]
    y_train: np.ndarray
    test: list[str]
    y_test: np.ndarray


def measure(options: Options) -> Findings:
    """Both data sets, from their training rows alone to the given test rows."""
    sets = [_banking77(real("banking77"), options.quick), _clinc150(real("clinc150"), options.quick)]
    judged = [_judged(texts) for texts in sets]
    header = (
        "data",
        "test rows",
        "accuracy",
        "temperature",
        "calibration error",
        "freed of chance",
        "without temperature",
    )
    promises = ("data", "sets of 90 %: coverage", "labels a set", f"risk {_RISK:.0%}: answered", "of those wrong")
    tables = Table(header, tuple(row[0] for row in judged)), Table(promises, tuple(row[1] for row in judged))
    return Findings(tables, _NOTES)


_NOTES = (
    "The head is solved in closed form on the embedded base's features of the training rows; the temperature, the "
    "sets and the threshold come from its out-of-fold scores; the test rows are used for nothing but the figures.",
    "Calibration error: 15 bins of equally many rows (plug-in). Freed of chance: the same less what chance alone "
    "makes of so few rows, with its 95 % interval.",
)


def _judged(texts: Texts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The row of either table."""
    from headstart.bases.catalogue import open_base
    from headstart.training.features import extract

    base = open_base(None, "text")
    solved = solve(extract(base, texts.train).vectors, texts.y_train, "classification")
    known = np.isfinite(solved.scores).all(axis=1)
    held, y_held = solved.scores[known], texts.y_train[known]
    t = temperature(held, y_held)
    scores = solved.head.scores(extract(base, texts.test).vectors)
    p, y = softmax(scores / t, axis=1), texts.y_test
    before = calibration_error(y, softmax(scores, axis=1))
    error = calibration_interval(y, p)
    accuracy = float((p.argmax(axis=1) == y).mean())
    figures = (f"{len(y):,}", f"{accuracy:.3f}", f"{t:.2f}", f"{calibration_error(y, p):.3f}", _span(error))
    held_p = softmax(held / t, axis=1)
    conformal, abstain = fit_conformal(held_p, y_held), fit_abstain(held_p, y_held, _RISK)
    wrong = answered_error(abstain, p, y)
    promises = (
        _span(coverage(conformal, p, y)),
        f"{mean_size(conformal, p):.2f}",
        f"{wrong.n / len(y):.0%}",
        _span(wrong),
    )
    return (texts.name, *figures, f"{before:.3f}"), (texts.name, *promises)


def _span(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})"


def _banking77(folder: Path, quick: bool) -> Texts:
    train, test = (
        [(row["text"], row["category"]) for row in read_csv(folder / f"{part}.csv")] for part in ("train", "test")
    )
    return _texts("banking77", train, test, quick)


def _clinc150(folder: Path, quick: bool) -> Texts:
    listed = read_csv(folder / "utterances.csv")
    train, test = (
        [(row["text"], row["intent"]) for row in listed if row["split"] == part] for part in ("train", "test")
    )
    return _texts("clinc150", train, test, quick)


def _texts(name: str, train: list[tuple[str, str]], test: list[tuple[str, str]], quick: bool) -> Texts:
    labels = sorted({label for _, label in train})[: _QUICK_CLASSES if quick else None]
    number = {label: i for i, label in enumerate(labels)}
    train, test = ([row for row in part if row[1] in number] for part in (train, test))
    y_train, y_test = (np.array([number[label] for _, label in part]) for part in (train, test))
    return Texts(name, [text for text, _ in train], y_train, [text for text, _ in test], y_test)


BENCHMARK = Benchmark(
    "calibration",
    "the probe's calibration error on real texts, its sets and its abstaining",
    measure,
    how="once; nothing in it is random but the folds",
)
