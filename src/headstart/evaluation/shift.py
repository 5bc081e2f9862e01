"""Whether new inputs look different from known ones, in the features: altogether, and class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation import proportions

_LEVEL = 0.95
_MOST = 1_000  # rows of each side that the classifier sees: its error is known to ± 0.02 by then
_FOLDS = 5
_DEAD = 0.01  # share of the median feature's spread up to which a feature is dead
_FEWEST = 10  # rows of each side below which nothing is told
_FEWEST_IN_CLASS = 5
_NAN = float("nan")


@dataclass(frozen=True)
class Distance:
    """Proxy A-distance of new inputs to known ones, 0 (not to be told apart) to 2 (never taken for the other).

    Attributes:
        value, low, high: with its 95 % interval; nan below 10 rows of either side.
        null: what two parts of the known inputs give, the smaller of as many rows as the new inputs where half of
            them are enough; about 0, and more by chance.
        null_high: the upper bound of that.
        reference: known rows compared.
        n: new rows compared.
    """

    value: float
    low: float
    high: float
    null: float
    null_high: float
    reference: int
    n: int

    @property
    def shifted(self) -> bool:
        """Whether the new inputs differ by more than known ones do among themselves; false where too few tell."""
        return self.low > self.null


@dataclass(frozen=True)
class Drift:
    """How far the rows given one class lie from the known rows of that class.

    Attributes:
        output: number of the class.
        value: squared distance of the two means over the known rows' total variance, unbiased, so that it may be
            below 0; nan below 5 rows of either side.
        low, high: 95 % interval.
        n: new rows given this class.
    """

    output: int
    value: float
    low: float
    high: float
    n: int


def proxy_a_distance(reference: np.ndarray, target: np.ndarray, seed: int = 0) -> Distance:
    """How well a linear classifier tells ``target`` [n, d] from ``reference`` [m, d].

    2 (1 − 2 ε), ε its balanced error on rows that it did not learn from (Ben-David et al. 2007, "Analysis of
    representations for domain adaptation"), at least 0. The classifier is ridge regression on
    standardised features, penalty d, cross-fitted in 5 folds, on at most 1,000 rows of each side. Features of rows
    that a base was trained on may differ from those of like rows that it was not; the null does not show that.

    Raises:
        SettingError: widths that differ, or values that are not finite.
    """
    _check(reference, target)
    rng = np.random.default_rng(seed)
    reference, target = _at_most(reference, _MOST, rng), _at_most(target, _MOST, rng)
    n = min(len(target), len(reference) // 2)
    value, low, high = _distance(reference, target, rng)
    mixed = reference[rng.permutation(len(reference))]
    null, _, null_high = _distance(mixed[n:], mixed[:n], rng)
    return Distance(value, low, high, null, null_high, len(reference), len(target))


def class_drift(reference: np.ndarray, y: np.ndarray, target: np.ndarray, given: np.ndarray) -> list[Drift]:
    """The drift of each class that ``target`` [n, d] was ``given`` [n] int, from ``reference`` [m, d] of classes ``y``.

    The means' squared distance without the bias of their spread and its variance are those of Chen & Qin (2010), "A
    two-sample test for high-dimensional data". Rows that were given a wrong class are among the new ones, so that a
    drift may show a worse model as well as other inputs.

    Raises:
        SettingError: widths that differ, or values that are not finite.
    """
    _check(reference, target)
    return [_drift(int(c), reference[y == c], target[given == c]) for c in np.unique(given)]


def _distance(reference: np.ndarray, target: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float]:
    if min(len(reference), len(target)) < _FEWEST:
        return _NAN, _NAN, _NAN
    x = np.concatenate([reference, target])
    side = np.repeat([0, 1], [len(reference), len(target)])
    right = _told(x, side, rng)
    low, high = proportions.stratified_wilson(right, side, _LEVEL)
    accuracy = (right[side == 0].mean() + right[side == 1].mean()) / 2
    value, low, high = (max(0.0, 4 * float(a) - 2) for a in (accuracy, low, high))
    return value, low, high


def _told(x: np.ndarray, side: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[n] of 0/1: whether a classifier that did not see the row names its ``side``; both sides weigh the same."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import StratifiedKFold

    x = _standardised(x)
    right = np.zeros(len(x))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    for train, held in folds.split(x, side):
        model = RidgeClassifier(x.shape[1], class_weight="balanced").fit(x[train], side[train])
        right[held] = model.predict(x[held]) == side[held]
    return right


def _standardised(x: np.ndarray) -> np.ndarray:
    """Each feature of ``x`` [n, d] with mean 0 and variance 1; dead ones, which only rounding tells apart, less."""
    spread = x.std(axis=0, dtype=float)
    floor = max(_DEAD * float(np.median(spread)), np.finfo(float).tiny)
    found: np.ndarray = (x - x.mean(axis=0, dtype=float)) / np.maximum(spread, floor)
    return found


def _drift(output: int, known: np.ndarray, new: np.ndarray) -> Drift:
    if min(len(known), len(new)) < _FEWEST_IN_CLASS:
        return Drift(output, _NAN, _NAN, _NAN, len(new))
    between = new.mean(axis=0, dtype=float) - known.mean(axis=0, dtype=float)
    sides = [_centred(new), _centred(known)]
    noise = np.concatenate(sides)  # noise' noise: the covariance of ``between``
    squared = float(between @ between) - float(np.square(noise).sum())
    along = sum(float(np.square(side @ between).sum()) for side in sides)
    wide = noise.shape[1] > len(noise)  # both products have one sum of squares; rows may be very many
    spread = float(np.square(noise @ noise.T if wide else noise.T @ noise).sum())
    variance = float(known.var(axis=0, dtype=float, ddof=1).sum())
    if not variance > 0:
        return Drift(output, _NAN, _NAN, _NAN, len(new))
    half = proportions.normal_quantile(_LEVEL) * float(np.sqrt(4 * along + 2 * spread))
    return Drift(output, squared / variance, (squared - half) / variance, (squared + half) / variance, len(new))


def _centred(x: np.ndarray) -> np.ndarray:
    """Rows such that rows' rows is the covariance of the mean of ``x`` [n, d]."""
    centred: np.ndarray = (x - x.mean(axis=0, dtype=float)) / np.sqrt(len(x) * (len(x) - 1))
    return centred


def _at_most(x: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return x if len(x) <= most else x[np.sort(rng.choice(len(x), most, replace=False))]


def _check(reference: np.ndarray, target: np.ndarray) -> None:
    if reference.ndim != 2 or target.ndim != 2 or reference.shape[1] != target.shape[1]:
        raise SettingError(f"features {target.shape} and known ones {reference.shape} do not fit; give [n, d] each.")
    if not (np.isfinite(reference).all() and np.isfinite(target).all()):
        raise SettingError("some features are not finite numbers; leave out those rows.")
