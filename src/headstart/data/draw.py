"""Drawing the rows of a part: balanced by stratum, units kept whole, every label left in training."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np

from headstart.data.strata import count_labels

_MOST_FOLDS = 20
_MANY_UNITS = 1000  # beyond so many none weighs much, and scikit-learn takes seconds to balance them


def draw(
    share: float,
    strata: np.ndarray,
    units: np.ndarray,
    labels: list[tuple[str, ...]],
    rng: np.random.Generator,
    grouped: bool,
) -> np.ndarray:
    """[n] bool: the rows to hold out, about ``share`` of them.

    Args:
        share: 0 < share < 1.
        strata: [n] int, to be balanced.
        units: [n] int, rows of one number are held out together or not at all.
        labels: per row the labels of which at least one row each stays behind.
        rng: draws.
        grouped: units are groups rather than a few duplicates, so they are balanced against each other.
    """
    units = np.unique(units, return_inverse=True)[1]
    by_folds = grouped and int(units.max()) < _MANY_UNITS
    held = _by_folds(share, strata, units, rng) if by_folds else _by_quota(share, strata, units, rng)
    return _leave_one_each(held, units, labels)


def _by_quota(share: float, strata: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Take units in random order as long as they fit into what their stratum still has to give."""
    counts = np.bincount(strata)
    first, size = np.unique(units, return_index=True, return_counts=True)[1:]
    left = _quotas(share, counts, rng)
    chosen = np.zeros(len(first), dtype=bool)
    for unit in rng.permutation(len(first)):
        stratum = strata[first[unit]]
        if size[unit] <= left[stratum]:
            left[stratum] -= size[unit]
            chosen[unit] = True
    return chosen[units]


def _quotas(share: float, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[strata] rows to take of each by largest remainder, ties drawn; of each stratum one row stays."""
    total = max(1, round(share * int(counts.sum())))
    exact = share * counts
    quotas = np.floor(exact).astype(int)  # less than counts, as share < 1
    order = np.lexsort((rng.random(len(counts)), -(exact - np.floor(exact))))
    for stratum in order:
        if quotas.sum() < total and quotas[stratum] < counts[stratum] - 1:
            quotas[stratum] += 1
    return quotas


def _by_folds(share: float, strata: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some of the folds of scikit-learn's StratifiedGroupKFold, as near to ``share`` as the units let."""
    from sklearn.model_selection import StratifiedGroupKFold

    held = np.zeros(len(units), dtype=bool)
    count = int(units.max()) + 1
    if count < 2:
        return held
    take, folds = _folds(share, min(_MOST_FOLDS, count))
    if folds > np.bincount(strata).max():  # it refuses to make more folds than any stratum has rows
        strata = np.zeros_like(strata)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # strata smaller than the number of folds are expected here
        tests = [test for _, test in splitter.split(np.zeros(len(units)), strata, units)]
    for test in tests[:take]:
        held[test] = True
    return held


def _folds(share: float, most: int) -> tuple[int, int]:
    """(folds to take, folds to make), at least one of two and at most all but one of ``most``."""
    near = Fraction(share).limit_denominator(most)
    take, folds = near.numerator, near.denominator
    if take == 0:
        return 1, most
    return (most - 1, most) if take == folds else (take, folds)


def _leave_one_each(held: np.ndarray, units: np.ndarray, labels: list[tuple[str, ...]]) -> np.ndarray:
    """Give back the smallest held unit that has a label of which otherwise no row would stay."""
    sizes = np.bincount(units)
    kept = count_labels(row for row, out in zip(labels, held, strict=True) if not out)
    rows_of: dict[str, list[int]] = {}
    for row in np.flatnonzero(held).tolist():
        for label in labels[row]:
            if label not in kept:
                rows_of.setdefault(label, []).append(row)
    returned = np.zeros(len(sizes), dtype=bool)
    for label in sorted(rows_of):
        if not returned[units[rows_of[label]]].any():  # else an earlier return brought it back
            returned[units[min(rows_of[label], key=lambda row: (sizes[units[row]], row))]] = True
    return held & ~returned[units]
