"""The arithmetic of the metrics, for many weightings of the rows at once.

Every kernel takes the truth ``y``, the probabilities ``p`` and weights ``w`` [n, draws], and gives one value
a draw. A column of ones gives the plain metric, a column of random weights one draw of a bootstrap, so that a
metric and its interval can never disagree about what is measured. Undefined values are nan.

Shapes: classification ``y`` [n] int, ``p`` [n, k]; multilabel ``y`` [n, k] of 0/1, ``p`` [n, k]; regression
``y`` and ``p`` [n] or [n, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Rows = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (y, p) -> a value a row [n]
Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # (y, p, w [n, draws]) -> [draws]


#: The least probability that the log loss takes at its word: float32's epsilon, which both float types can tell from 0.
LEAST = float(np.finfo(np.float32).eps)

_FEW = 256  # thresholds up to which a matrix product of many draws beats sorting, measured at 3,080 rows
_A_DRAW = 4  # thresholds for each draw up to which it does


# --- values a row, whose mean is the metric ---


def hit_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """1.0 where the most probable class is the true one."""
    return (np.argmax(p, axis=1) == y).astype(float)


def top_rows(count: int) -> Rows:
    """The rows of top-``count`` accuracy: 1.0 where the true class is among so many most probable ones.

    Of equals the first class goes first.
    """

    def rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
        true = p[np.arange(len(y)), y][:, None]
        earlier = np.arange(p.shape[1])[None, :] < y[:, None]
        return (((p > true) | ((p == true) & earlier)).sum(axis=1) < count).astype(float)

    return rows


def exact_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """1.0 where the set of labels is exactly right."""
    return ((p >= 0.5) == (y > 0.5)).all(axis=1).astype(float)


def log_loss_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Minus the log of the true class's probability, which counts as `LEAST` at least, whatever the type of ``p``."""
    return -np.log(np.maximum(p[np.arange(len(y)), y].astype(float), LEAST))


def brier_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Squared distance to the one-hot truth (Brier 1950), halved for two classes as scikit-learn does."""
    distance = np.square(p.astype(float) - np.eye(p.shape[1])[y]).sum(axis=1)
    return distance / 2 if p.shape[1] == 2 else distance


def absolute_rows(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Absolute errors."""
    return np.abs(_flat(y) - _flat(p))


def mean_of(rows: Rows) -> Kernel:
    """The kernel of a metric that is the mean of ``rows``."""

    def kernel(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
        return rows(y, p) @ w / w.sum(axis=0)

    return kernel


# --- classification ---


def balanced_accuracy(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that occur in ``y``."""
    hits, truth, _ = class_weights(y, p, w)
    present = np.unique(y)
    return _ratio(hits[present], truth[present]).mean(axis=0)


def f1_macro(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean F1 of the classes (labels) that occur in the truth or among the predictions; nan if none does."""
    hits, truth, predicted = class_weights(y, p, w)
    if y.ndim == 1:
        present = np.union1d(np.unique(y), np.argmax(p, axis=1))
    else:
        present = np.flatnonzero(((y > 0.5) | (p >= 0.5)).any(axis=0))
    if present.size == 0:
        return np.full(w.shape[1], np.nan)
    return _ratio(2 * hits[present], truth[present] + predicted[present]).mean(axis=0)


def mcc(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Matthews correlation for k classes (Gorodkin 2004); nan if truth or predictions are one class."""
    if len(np.unique(y)) < 2 or len(np.unique(np.argmax(p, axis=1))) < 2:
        return np.full(w.shape[1], np.nan)
    hits, truth, predicted = (part / w.sum(axis=0) for part in class_weights(y, p, w))
    covariance = hits.sum(axis=0) - (truth * predicted).sum(axis=0)
    spread = (1 - np.square(truth).sum(axis=0)) * (1 - np.square(predicted).sum(axis=0))
    return _ratio(covariance, np.sqrt(np.maximum(spread, 0)))


# --- multilabel ---


def f1_micro(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """F1 over all cells of the indicator matrix; nan if neither truth nor predictions have a label."""
    hits, truth, predicted = (part.sum(axis=0) for part in class_weights(y, p, w))
    return _ratio(2 * hits, truth + predicted)


# --- ranking, each class or label against the rest ---


def auroc(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, mean of the classes or labels that some rows have and others have not."""
    columns = ranked_columns(y)
    if columns.size == 0:
        return np.full(w.shape[1], np.nan)
    if y.ndim == 1 and p.shape[1] == 2:
        columns = columns[1:]  # of two classes both areas are the same
    return np.mean([_auroc(holds(y, c), p[:, c], w) for c in columns], axis=0)


def average_precision(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Step-wise area under precision and recall, mean of the classes that occur or of the labels with positives."""
    columns = ranked_columns(y) if y.ndim == 1 else np.flatnonzero((y > 0.5).any(axis=0))
    if columns.size == 0:
        return np.full(w.shape[1], np.nan)
    return np.mean([_average_precision(holds(y, c), p[:, c], w) for c in columns], axis=0)


def ranked_columns(y: np.ndarray) -> np.ndarray:
    """The classes or labels that some rows of ``y`` have and others have not."""
    if y.ndim == 2:
        return np.flatnonzero((y > 0.5).any(axis=0) & (y <= 0.5).any(axis=0))
    classes = np.unique(y)
    return classes if len(classes) > 1 else classes[:0]


def holds(y: np.ndarray, column: int | np.integer) -> np.ndarray:
    """[n] bool: the rows of class or label ``column``."""
    return np.asarray(y == column if y.ndim == 1 else y[:, column] > 0.5)


def _auroc(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted Mann–Whitney statistic: the share of (positive, negative) pairs in order, ties half."""
    own, above = w[positive], score[positive]
    below = _weight_below(above, score, w, equals=0.5) - _weight_below(above, above, own, equals=0.5)
    total = own.sum(axis=0)
    return _ratio((own * below).sum(axis=0), total * (w.sum(axis=0) - total))


def _average_precision(positive: np.ndarray, score: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Mean over the positives of the precision among the rows that score at least as high."""
    own, rank = w[positive], -score
    hits = _weight_below(rank[positive], rank[positive], own, equals=1.0)
    taken = _weight_below(rank[positive], rank, w, equals=1.0)
    return _ratio((own * _ratio(hits, taken)).sum(axis=0), own.sum(axis=0))


# --- regression ---


def r2(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """1 − squared error / squared distance to the mean; nan if ``y`` does not vary."""
    y, p = _flat(y), _flat(p)
    if len(y) < 2 or np.all(y == y[0]):
        return np.full(w.shape[1], np.nan)
    centred = y - y.mean()  # keeps the difference of squares exact for targets far from 0
    total = w.sum(axis=0)
    spread = np.square(centred) @ w / total - np.square(centred @ w / total)
    return 1 - _ratio(np.square(y - p) @ w / total, spread)


def rmse(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Root of the mean squared error."""
    return np.sqrt(np.square(_flat(y) - _flat(p)) @ w / w.sum(axis=0))


def spearman(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Correlation of the ranks, ties at their mean rank; nan if truth or predictions do not vary."""
    y, p = _flat(y), _flat(p)
    if len(y) < 2 or np.all(y == y[0]) or np.all(p == p[0]):
        return np.full(w.shape[1], np.nan)
    total = w.sum(axis=0)
    a, b = _ranks(y, w), _ranks(p, w)
    a, b = a - (a * w).sum(axis=0) / total, b - (b * w).sum(axis=0) / total
    return _ratio((w * a * b).sum(axis=0), np.sqrt((w * a * a).sum(axis=0) * (w * b * b).sum(axis=0)))


# --- shared ---


def _flat(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=float).reshape(-1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """``above`` / ``below``, nan where ``below`` is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _weight_below(threshold: np.ndarray, score: np.ndarray, w: np.ndarray, equals: float) -> np.ndarray:
    """Weight [t, draws] of the rows below each threshold, and the share ``equals`` of those at it."""
    if len(threshold) <= min(_FEW, _A_DRAW * w.shape[1]):
        share = np.where(score == threshold[:, None], equals, score < threshold[:, None])  # [t, n]
        return share @ w
    order = np.argsort(score, kind="stable")
    total = np.concatenate([np.zeros((1, w.shape[1])), np.cumsum(w[order], axis=0)])
    less = np.searchsorted(score[order], threshold, side="left")
    same = np.searchsorted(score[order], threshold, side="right")
    return total[less] * (1 - equals) + total[same] * equals


def _sums(group: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The weights [n, draws] summed within each group 0 … g−1, all of which occur: [g, draws]."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    return np.add.reduceat(w[order], starts, axis=0)


def _sums_of(code: np.ndarray, k: int, w: np.ndarray) -> np.ndarray:
    """The weights [n, draws] summed for each code 0 … k−1, of which some may not occur: [k, draws]."""
    found, inverse = np.unique(code, return_inverse=True)
    out = np.zeros((k, w.shape[1]))
    if found.size:
        out[found] = _sums(inverse, w)
    return out


def class_weights(y: np.ndarray, p: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight of the hits, of the truth and of the predictions of every class or label, each [k, draws]."""
    if y.ndim == 2:
        truth, given = y > 0.5, p >= 0.5
        return (truth & given).T @ w, truth.T @ w, given.T @ w
    k, predicted = p.shape[1], np.argmax(p, axis=1)
    hit = predicted == y
    return _sums_of(y[hit], k, w[hit]), _sums_of(y, k, w), _sums_of(predicted, k, w)


def _ranks(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted mid-ranks [n, draws]: the weight below, plus half the weight of equals."""
    _, inverse = np.unique(values, return_inverse=True)
    own = _sums(inverse, w)
    return (np.cumsum(own, axis=0) - own / 2)[inverse]
