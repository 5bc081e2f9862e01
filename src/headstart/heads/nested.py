"""Solvers compared where each held-out part has features of its own: those chosen without its rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.heads import lda, logistic, ridge
from headstart.heads.candidates import logistic_path
from headstart.heads.comparison import Candidate, Terms, best_setting
from headstart.heads.rotation import Rotation, rotate
from headstart.tasks import get

#: (fold, setting) -> weight [r, outputs], bias [outputs].
_Fit = Callable[["Fold", float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Fold:
    """One held-out part and the rows that its head is fitted on.

    Attributes:
        rotation: of the rows trained on.
        y: their targets.
        held: [m, r] float32: the part's rows in the same axes.
    """

    rotation: Rotation
    y: np.ndarray
    held: np.ndarray


def fold(x: np.ndarray, y: np.ndarray, weights: np.ndarray, held: np.ndarray) -> Fold:
    """Of features ``x`` [n, d], targets and weights to train on, and the features of the part, ``held`` [m, d]."""
    rotation = rotate(x, weights)
    return Fold(rotation, y, (held - rotation.centre.astype(np.float32)) @ rotation.axes)


def nested_candidates(terms: Terms, folds: Sequence[Fold]) -> list[Candidate]:
    """Ridge for any task, LDA for classes, logistic regression for classes and labels.

    One fold for each of ``terms.parts``. Unlike in `candidates.candidates`, each setting is chosen on the parts: in
    leave-one-out scores the other rows would have taken part in choosing the features.
    """
    found = [_ridge(terms, folds)]
    if get(terms.task).exclusive:
        found.append(_lda(terms, folds))
    if get(terms.task).graded:
        problems = [logistic.Problem(f.rotation.rows, f.rotation.weights, f.y, terms.outputs) for f in folds]
        found += list(logistic_path(terms, problems, [f.held for f in folds]))
    return found


def _ridge(terms: Terms, folds: Sequence[Fold]) -> Candidate:
    begun = time.perf_counter()
    targets = ridge.code(terms.y, terms.task, terms.outputs)
    aims = {id(f): ridge.aim(f.rotation, ridge.code(f.y, terms.task, terms.outputs)) for f in folds}

    def fit(fold: Fold, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        solution = ridge.fit(fold.rotation, aims[id(fold)], alpha)
        return solution.weight, solution.bias

    def error(scores: np.ndarray, rows: np.ndarray) -> float:
        return float(((scores - targets[rows]) ** 2).mean())

    alpha = best_setting(terms, terms.held, ridge.GRID, lambda a: _scores(folds, fit, a), error)
    return Candidate("ridge", {"alpha": alpha}, _scores(folds, fit, alpha), time.perf_counter() - begun)


def _lda(terms: Terms, folds: Sequence[Fold]) -> Candidate:
    begun = time.perf_counter()
    classes = {id(f): lda.classes(f.rotation.rows, f.rotation.weights, f.y, terms.outputs) for f in folds}

    def fit(fold: Fold, gamma: float) -> tuple[np.ndarray, np.ndarray]:
        return lda.fit(fold.rotation, classes[id(fold)], gamma)

    def loss(scores: np.ndarray, rows: np.ndarray) -> float:
        return terms.loss(scores, terms.y[rows])

    closed = float(np.mean([lda.ledoit_wolf(f.rotation, f.y, classes[id(f)]) for f in folds]))
    gamma = best_setting(terms, terms.held, (closed, *lda.GRID), lambda g: _scores(folds, fit, g), loss)
    return Candidate("lda", {"shrinkage": gamma}, _scores(folds, fit, gamma), time.perf_counter() - begun)


def _scores(folds: Sequence[Fold], fit: _Fit, setting: float) -> np.ndarray:
    """[rows held out, outputs] float32, part after part."""
    found = []
    for one in folds:
        weight, bias = fit(one, setting)
        found.append(one.held @ weight.astype(np.float32) + bias.astype(np.float32))
    return np.concatenate(found)
