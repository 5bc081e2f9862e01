"""Metrics of what each class or label gets: rows of it that are found, rows that have it, rows that are given it.

A class of few rows understates its own spread; one of a single row shows none at all. What F1 moves with the rows is
therefore taken from each class's value drawn towards the mean of all classes by `TOWARDS` rows, and what squares of
such deviations lack is made good. False positives are counts whose squares lack nothing. It is the derivative of what
the interval is centred on: F1 freed of what few rows pull it off.
"""

from __future__ import annotations

import numpy as np

from headstart.evaluation.answers import Dense
from headstart.evaluation.metric import Cells, ratio

#: Rows by which a class's value is drawn towards the mean of all.
TOWARDS = 1.0

_BENT = 2  # rows of a class up to which a second derivative by their number says nothing
_EXACT = 20  # rows of a class up to which the mean of its F1 is summed up
_PUT_RIGHT = 0.05  # share of mistakes for a difference quotient


def class_cells(truth: Dense, said: Dense) -> Cells:
    """[n, 3 k] of each class or label: whether a row has it and is given it, has it, is given it."""
    y, p = truth.values, said.values
    k = p.shape[1]
    if y.ndim == 2:
        has, given = y > 0.5, p >= 0.5
        places = [np.nonzero(part) for part in (has & given, has, given)]
    else:
        answer, every = np.argmax(p, axis=1), np.arange(len(y))
        hit = np.flatnonzero(answer == y)
        places = [(hit, y[hit]), (every, y), (every, answer)]
    column = np.concatenate([column + part * k for part, (_, column) in enumerate(places)])
    return Cells(np.concatenate([row for row, _ in places]), column, (len(y), 3 * k))


def rows_of_classes(s: np.ndarray) -> np.ndarray:
    """[k] the rows of each class or label."""
    return np.split(s, 3)[1]


def recalled(ready: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Of rows of one class each: [n] of 0/1 whether its class is found, [n] the class."""
    k = ready.shape[1] // 3
    none, each = np.zeros(k), np.arange(k, dtype=float)
    return ready @ np.concatenate([none + 1, none, none]), ready @ np.concatenate([none, each, none])


def balanced_accuracy(s: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that occur."""
    hits, truth, _ = np.split(s, 3)
    return _mean_of_known(ratio(hits, truth), truth > 0)


def f1_macro(s: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes (labels) that occur in the truth or among the predictions; nan if none does."""
    hits, truth, given = np.split(s, 3)
    return _mean_of_known(ratio(2 * hits, truth + given), truth + given > 0)


def f1_micro(s: np.ndarray) -> np.ndarray:
    """F1 over all cells of the indicator matrix; nan if neither truth nor predictions have a label."""
    hits, truth, given = (part.sum(axis=0) for part in np.split(s, 3))
    return ratio(2 * hits, truth + given)


def mcc(s: np.ndarray) -> np.ndarray:
    """Matthews correlation for k classes (Gorodkin 2004); nan if truth or predictions are one class."""
    hits, truth, given = np.split(s, 3)
    total = truth.sum(axis=0)
    share, answered = truth / total, given / given.sum(axis=0)  # of a single class exactly 1
    covariance = hits.sum(axis=0) / total - (share * answered).sum(axis=0)
    spread = (1 - np.square(share).sum(axis=0)) * (1 - np.square(answered).sum(axis=0))
    return ratio(covariance, np.sqrt(np.maximum(spread, 0)))


def _mean_of_known(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    return ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))


# --- F1 of classes of few rows ---


def f1_slope(s: np.ndarray, towards: float = TOWARDS) -> np.ndarray:
    """[3 k] by what F1 freed of `f1_bias` moves with the sums; with ``towards`` 0 the derivative of `f1_macro`."""
    hits, truth, given = np.split(s, 3)
    either, present = truth + given, max(1, int(np.count_nonzero(truth + given)))
    score = 2 * hits / np.where(either > 0, either, 1)
    rows = np.where(truth > 0, truth, either)
    centre = drawn(score, rows, float(score.sum()) / present, towards)
    false = (_rise(hits, truth, given) if towards else 1.0) / np.where(either > 0, either, 1) / present
    own = np.sqrt(made_good(rows, towards)) * false
    hit, missed, spurious = 2 * (1 - centre) * own, -centre * own, -centre * false
    return np.concatenate([hit - missed - spurious, missed, spurious])


def f1_bias(s: np.ndarray) -> float:
    """By how much few rows of a class make its F1 come out too low, averaged over the classes.

    The hits of a class of n rows are taken for binomial and its false positives for Poisson, both rates drawn towards
    those of all classes; up to `_EXACT` rows the mean of F1 over them is summed up, above them the second order does. A
    class with one row has an F1 of 0, 1 or the reciprocal of a number, and its mean is far from the F1 of many rows.
    Where the number of rows of a class is itself random (`randomness`), its variance, n, adds half the second
    derivative of F1 by it.
    """
    hits, truth, given = np.split(s, 3)
    n, recall, spurious = _rates(hits, truth, given)
    off = _mean_f1(n, recall, spurious) - _f1_of(n, recall, spurious)
    bend = np.where(n > _BENT, 2 * n * recall * spurious * (1 + recall) / (n + n * recall + spurious) ** 3, 0.0)
    return float((off - randomness(truth[truth > 0]) * bend).sum() / np.count_nonzero(truth + given))


def _rates(hits: np.ndarray, truth: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[c] rows, recall and expected false positives of the classes that have rows."""
    n, found, false = (part[truth > 0] for part in (truth, hits, given - hits))
    recall = drawn(found / n, n, float(found.sum() / max(1.0, n.sum())))
    return n, recall, drawn(false / n, n, float(false.sum() / max(1.0, n.sum()))) * n


def _rise(hits: np.ndarray, truth: np.ndarray, given: np.ndarray) -> float:
    """How much F1 of many rows rises for each rise of F1 of so few, were a part of all mistakes put right."""
    n, recall, spurious = _rates(hits, truth, given)
    right = recall + _PUT_RIGHT * (1 - recall), spurious * (1 - _PUT_RIGHT)
    rises = [float((f1(n, *right) - f1(n, recall, spurious)).sum()) for f1 in (_f1_of, _mean_f1)]
    return rises[0] / rises[1] if rises[1] > 1e-12 else 1.0


def _f1_of(n: np.ndarray, recall: np.ndarray, spurious: np.ndarray) -> np.ndarray:
    return np.asarray(2 * n * recall / (n + n * recall + spurious))


def _mean_f1(n: np.ndarray, recall: np.ndarray, spurious: np.ndarray) -> np.ndarray:
    """[c] mean F1 of classes of ``n`` rows with these rates; second order as in Cochran (1977), section 6.8."""
    found, few = _f1_of(n, recall, spurious), n <= _EXACT
    total, varied = n + n * recall + spurious, n * recall * (1 - recall)
    found += np.where(few, 0.0, (found * (varied + spurious) - 2 * varied) / total**2)
    found[few] = _expected_f1(n[few], recall[few], spurious[few])
    return found


def _expected_f1(n: np.ndarray, recall: np.ndarray, spurious: np.ndarray) -> np.ndarray:
    """[c] mean F1 of classes of ``n`` rows (rounded) with binomial hits and Poisson false positives."""
    from scipy.special import gammaln, xlogy

    whole, hits = np.maximum(np.rint(n), 1.0)[:, None], np.arange(_EXACT + 1.0)[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        log = gammaln(whole + 1) - gammaln(hits + 1) - gammaln(np.maximum(whole - hits, 0) + 1)
        log = log + xlogy(hits, recall[:, None]) + xlogy(np.maximum(whole - hits, 0), 1 - recall[:, None])
    chance = np.where(hits <= whole, np.exp(log), 0.0)  # [c, hits]
    most = int(np.ceil(spurious.max(initial=0.0) + 8 * np.sqrt(spurious.max(initial=0.0)) + 8))
    false = np.arange(most + 1.0)
    rate = np.exp(xlogy(false, spurious[:, None]) - spurious[:, None] - gammaln(false + 1))  # [c, false]
    score = 2 * hits[..., None] / (whole[..., None] + hits[..., None] + false)  # [c, hits, false]
    return np.asarray(np.einsum("ch,cf,chf->c", chance, rate, score))


# --- means over classes of any kind ---


def randomness(counts: np.ndarray) -> float:
    """Share of the variance of a Poisson count that the rows of classes ``counts`` [k] have, at most 1.

    Rows drawn at random have it (Fisher's index of dispersion); where each class has as many, they were chosen and add
    nothing of their own.
    """
    return min(1.0, float(counts.var(ddof=1) / counts.mean())) if len(counts) > 1 else 1.0


def drawn(values: np.ndarray, rows: np.ndarray, mean: float, towards: float = TOWARDS) -> np.ndarray:
    """The classes' ``values`` [k], each of so many ``rows`` [k], drawn towards their ``mean``."""
    total = rows + towards
    return np.asarray((values * rows + mean * towards) / np.where(total > 0, total, 1.0))


def made_good(rows: np.ndarray, towards: float = TOWARDS) -> np.ndarray:
    """What squares of deviations from a `drawn` value, of classes of ``rows`` [k], are to be multiplied with.

    Of n values of variance s² around the mean that t rows draw to, the squares of deviations from the drawn value sum
    to s² n ((n + t − 1)² + n − 1) / (n + t)². Around the plain mean the factor is n / (n − 1), which one row has not;
    without drawing nothing is made good.
    """
    if not towards:
        return np.ones(np.shape(rows))
    n = np.maximum(rows, 1.0)
    return np.asarray((n + towards) ** 2 / ((n + towards - 1) ** 2 + n - 1))
