"""Unknown inputs where none are given: classes left out of the training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headstart.evaluation.unknown import fit_known, unknown_scores
from headstart.evaluation.unknown_scores import max_softmax

#: (features [n, d], classes [n] of 0 … k − 1, k) -> what gives the probabilities [m, k] of features [m, d].
Fit = Callable[[np.ndarray, np.ndarray, int], Callable[[np.ndarray], np.ndarray]]

_ROUNDS = 3  # each class is left out in one of them
_MOST_ROWS = 4_000  # looked at
_FEWEST_ROWS = 30  # of all classes together
_HELD, _JUDGED = 0.2, 0.2  # shares of the known rows that ranks are told from, and that are judged


@dataclass(frozen=True)
class Made:
    """Scores of known rows and of rows whose class was left out, over all rounds.

    Attributes:
        known: [a] `unknown_scores` of rows of known classes that nothing was fitted on.
        unknown: [b] of rows of classes left out.
        known_plain: [a] minus the greatest probability.
        unknown_plain: [b] the same.
        left_out: the classes left out in each round.
        reason: why there are none, where there are none.
    """

    known: np.ndarray
    unknown: np.ndarray
    known_plain: np.ndarray
    unknown_plain: np.ndarray
    left_out: tuple[tuple[int, ...], ...]
    reason: str = ""


def made_unknown(vectors: np.ndarray, y: np.ndarray, fit: Fit, seed: int = 0) -> Made:
    """Leave a third of the classes out, fit a head and what is known on the others, and score both; three times.

    Classes left out are more like the known ones than most inputs that go astray, so this is a hard test. With
    two classes nothing can be left out that leaves a choice, and with one nothing at all: ``reason`` says so.

    Args:
        vectors: [n, d] features.
        y: [n] classes.
        fit: fits a head, best a closed form.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    reason = _why_not(len(np.unique(y)), len(y))
    if reason:
        return _nothing(reason)
    rows = np.sort(rng.permutation(len(y))[:_MOST_ROWS])
    x, y = np.asarray(vectors, np.float32)[rows], np.asarray(y)[rows]
    order, found, left = rng.permutation(np.unique(y)), [], []
    for i in range(_ROUNDS):
        strange = np.isin(y, order[i::_ROUNDS])
        if strange.any() and _choice_left(y[~strange]):
            left.append(tuple(int(c) for c in np.sort(order[i::_ROUNDS])))
            found.append(_round(x, y, strange, fit, rng))
    if not found:
        return _nothing(
            "whichever classes are left out, too few rows of others remain; give unknown inputs of your own"
        )
    known, unknown, known_plain, unknown_plain = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Made(known, unknown, known_plain, unknown_plain, tuple(left))


def _why_not(classes: int, rows: int) -> str:
    if classes < 3:
        return f"{classes} classes leave no choice once one is left out; give unknown inputs of your own"
    if rows < _FEWEST_ROWS:
        return f"{rows} rows are too few to leave classes out of; give unknown inputs of your own"
    return ""


def _nothing(reason: str) -> Made:
    nothing = np.zeros(0)
    return Made(nothing, nothing, nothing, nothing, (), reason)


def _choice_left(y: np.ndarray) -> bool:
    """Whether rows enough are known, besides one of each class, of two classes with two rows or more."""
    rows = np.bincount(y)
    spare = len(y) - np.count_nonzero(rows)
    return bool(len(y) >= _FEWEST_ROWS and spare >= _FEWEST_ROWS / 2 and np.count_nonzero(rows > 1) > 1)


def _round(
    x: np.ndarray, y: np.ndarray, strange: np.ndarray, fit: Fit, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores and plain scores of known rows and of the ``strange`` [n] ones."""
    place = rng.permutation(np.flatnonzero(~strange))
    train = np.unique(y[place], return_index=True)[1]  # a row of each class at least
    rest = np.delete(place, train)
    held, judged, more = np.split(rest, np.cumsum([round(_HELD * len(place)), round(_JUDGED * len(place))]))
    train = np.concatenate([place[train], more])
    classes, numbered = np.unique(y[train], return_inverse=True)
    answer = fit(x[train], numbered, len(classes))
    known = fit_known(x[train], numbered, answer(x[held]), x[held])
    p, q = answer(x[judged]), answer(x[strange])
    found = unknown_scores(known, p, x[judged]), unknown_scores(known, q, x[strange])
    return found[0], found[1], max_softmax(p), max_softmax(q)
