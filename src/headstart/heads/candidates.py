"""What each kind of solver offers: one setting, or a few, with the scores of rows that were held out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.heads import lda, logistic, ridge
from headstart.heads.comparison import Candidate, Terms, best_setting
from headstart.heads.rotation import Rotation
from headstart.tasks import get


@dataclass(frozen=True)
class Trial(Terms):
    """What every candidate is fitted and judged on.

    Attributes:
        rotation: the features of all n rows.
        grouped: whether rows come in groups, so that leaving out one row alone says too little.
    """

    rotation: Rotation
    grouped: bool


#: Times as long as ridge that the next kinds take at least, measured from 2 to 600 classes.
_LDA, _SHORT, _FIRST = 4.0, 1.0, 1.5
_GROWS = 1.3  # times as long as the one before that a step of logistic regression's path takes


def candidates(trial: Trial, seconds: float | None = None) -> tuple[list[Candidate], tuple[str, ...]]:
    """Every candidate: those in closed form, and logistic regression for classes and labels.

    Args:
        seconds: that all may take; None: as many as they need. Ridge is solved in any case, the others while they fit.

    Returns:
        The candidates, and the kinds that were left out, or not followed to the end, for want of time.
    """
    begun = time.perf_counter()
    found = [_ridge(trial)]
    if get(trial.task).values:
        return found, ()

    def left() -> float:
        return float("inf") if seconds is None else seconds - (time.perf_counter() - begun)

    out: list[str] = []
    if get(trial.task).exclusive:
        whole = left() >= _LDA * found[0].seconds
        if whole or left() >= _SHORT * found[0].seconds:
            found.append(_lda(trial, short=not whole))
        out += [] if whole else ["lda"]
    path = _logistic(trial) if left() >= _FIRST * found[0].seconds else iter(())
    steps = _while_time(path, left)
    found += steps
    if seconds is not None and left() < _GROWS * (steps[-1].seconds if steps else _FIRST * found[0].seconds):
        out.append("logistic")
    return found, tuple(out)


def _while_time(path: Iterator[Candidate], left: Callable[[], float]) -> list[Candidate]:
    """The candidates of a path, as long as there is time for one more."""
    found = []
    for one in path:
        found.append(one)
        if left() < _GROWS * one.seconds:
            break
    return found


def closed_form(trial: Trial) -> list[Candidate]:
    """Ridge for any task, LDA for classes."""
    return [_ridge(trial), _lda(trial)] if get(trial.task).exclusive else [_ridge(trial)]


def full_fit(
    kind: str, settings: dict[str, Any], trial: Trial, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Weight [r, outputs] and bias [outputs] from all rows in the rotated features."""
    if kind == "ridge":
        found = ridge.fit(trial.rotation, _aim(trial), settings["alpha"])
        return found.weight, found.bias
    if kind == "lda":
        rows, weights = trial.rotation.rows, trial.rotation.weights
        means = lda.classes(rows, weights, trial.y, trial.outputs)
        return lda.fit(trial.rotation, means, settings["shrinkage"])
    problem = _problem(trial, None)
    solution = logistic.fit(problem, settings["C"], problem.start() if start is None else start)
    return solution[:-1], solution[-1]


def every_row(candidate: Candidate, trial: Trial) -> np.ndarray:
    """[n, outputs] held-out scores: leave-one-out where that is exact, else the parts' with nan elsewhere."""
    if not trial.grouped and candidate.kind == "ridge":
        return ridge.leave_one_out(trial.rotation, _aim(trial), candidate.settings["alpha"])
    if not trial.grouped and candidate.kind == "lda":
        found = lda.classes(trial.rotation.rows, trial.rotation.weights, trial.y, trial.outputs)
        return lda.leave_one_out(trial.rotation, trial.y, found, candidate.settings["shrinkage"])
    scores = np.full((len(trial.y), trial.outputs), np.nan, np.float32)
    scores[trial.held] = candidate.scores
    return scores


def _aim(trial: Trial) -> ridge.Aim:
    return ridge.aim(trial.rotation, ridge.code(trial.y, trial.task, trial.outputs))


def _ridge(trial: Trial) -> Candidate:
    begun = time.perf_counter()
    aim = _aim(trial)

    def one(alpha: float) -> np.ndarray:
        return ridge.leave_one_out(trial.rotation, aim, alpha)

    def part(alpha: float, rows: np.ndarray) -> np.ndarray:
        return ridge.leave_part_out(trial.rotation, aim, alpha, rows)

    def error(scores: np.ndarray, rows: np.ndarray) -> float:
        return float(((scores - aim.targets[rows]) ** 2).mean())

    alpha = _best_setting(trial, ridge.GRID, one, part, error)
    scores = np.concatenate([part(alpha, rows) for rows in trial.parts])
    return Candidate("ridge", {"alpha": alpha}, scores, time.perf_counter() - begun)


def _lda(trial: Trial, short: bool = False) -> Candidate:
    """With the best shrinkage of the grid; in ``short``, with the one that the rows themselves ask for."""
    begun = time.perf_counter()
    rotation, y = trial.rotation, trial.y
    found = lda.classes(rotation.rows, rotation.weights, y, trial.outputs)

    def one(gamma: float) -> np.ndarray:
        return lda.leave_one_out(rotation, y, found, gamma)

    def part(gamma: float, rows: np.ndarray) -> np.ndarray:
        return lda.leave_part_out(rotation, y, trial.outputs, gamma, rows)

    def loss(scores: np.ndarray, rows: np.ndarray) -> float:
        return trial.loss(scores, y[rows])

    own = lda.ledoit_wolf(rotation, y, found)
    gamma = own if short else _best_setting(trial, (own, *lda.GRID), one, part, loss)
    scores = np.concatenate([part(gamma, rows) for rows in trial.parts])
    return Candidate("lda", {"shrinkage": gamma}, scores, time.perf_counter() - begun)


def _best_setting(
    trial: Trial,
    grid: Iterable[float],
    one: Callable[[float], np.ndarray],
    part: Callable[[float, np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], float],
) -> float:
    """The value of ``grid`` that does best, leaving out one row at a time, or one part if grouped."""
    if not trial.grouped:
        return best_setting(trial, np.arange(len(trial.y)), grid, one, loss)

    def parts(value: float) -> np.ndarray:
        return np.concatenate([part(value, rows) for rows in trial.parts])

    return best_setting(trial, trial.held, grid, parts, loss)


def _logistic(trial: Trial) -> Iterator[Candidate]:
    rows = trial.rotation.rows
    return logistic_path(trial, [_problem(trial, part) for part in trial.parts], [rows[part] for part in trial.parts])


def logistic_path(
    terms: Terms, problems: Sequence[logistic.Problem], held: Sequence[np.ndarray]
) -> Iterator[Candidate]:
    """A warm-started path from strong to weak penalty, ended once the held-out rows have clearly turned.

    Args:
        terms: to judge by.
        problems: one a part, on the rows that it does not hold out.
        held: the rows [m, r] that each part holds out, in the axes of its problem.
    """
    solutions = [problem.start() for problem in problems]
    best_value, best_loss = -np.inf, np.inf
    for c in logistic.GRID:
        begun = time.perf_counter()
        solutions = [logistic.fit(p, c, s, logistic.ROUGH) for p, s in zip(problems, solutions, strict=True)]
        scores = np.concatenate([logistic.scores(rows, s) for rows, s in zip(held, solutions, strict=True)])
        start = np.mean(solutions, axis=0) if len({s.shape for s in solutions}) == 1 else None
        yield Candidate("logistic", {"C": c}, scores, time.perf_counter() - begun, start)
        y = terms.y[terms.held]
        value, loss = float(terms.values(scores, y).mean()), terms.loss(scores, y)
        if value <= best_value and loss > 1.02 * best_loss:
            return
        best_value, best_loss = max(value, best_value), min(loss, best_loss)


def _problem(trial: Trial, without: np.ndarray | None) -> logistic.Problem:
    """The logistic problem on all rows, or on all but ``without``."""
    rows, weights, y = trial.rotation.rows, trial.rotation.weights, trial.y
    if without is not None:
        keep = np.ones(len(y), bool)
        keep[without] = False
        rows, weights, y = rows[keep], weights[keep], y[keep]
    return logistic.Problem(rows, weights, y, trial.outputs)
