"""Whether models that answered the same rows can be told apart.

Not to be told apart is a result, with the rows that would tell; it does not say that the models are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headstart.errors import SettingError
from headstart.evaluation.bootstrap import Interval, paired_gain, score_interval
from headstart.evaluation.pairwise import tell_apart
from headstart.evaluation.verdict import rows_needed

Outcome = Literal["a better", "b better", "no significant difference"]


@dataclass(frozen=True)
class McNemar:
    """The test of two models on the rows that only one of them has right.

    Attributes:
        a_only, b_only: rows that only the one model has right.
        exact: two-sided p-value of the exact test, which is on the safe side.
        mid_p: two-sided mid-p-value, which calls equal models different about as often as it says.
    """

    a_only: int
    b_only: int
    exact: float
    mid_p: float


@dataclass(frozen=True)
class Pair:
    """Two of the models compared.

    Attributes:
        a, b: their names.
        gain: of a over b, above 0 where a is better; its level is the one that the pair was judged at.
        outcome: "a better" or "b better" where the gain's interval excludes 0, else "no significant difference".
        rows_needed: rows, or groups of them where rows are grouped, at which a gain of this size would probably be
            settled; None where it is, or where there is no gain to settle.
        mcnemar: of the rows answered right; None for multilabel and regression, and where rows are grouped.
    """

    a: str
    b: str
    gain: Interval
    outcome: Outcome
    rows_needed: int | None
    mcnemar: McNemar | None


@dataclass(frozen=True)
class Comparison:
    """Two or more models on the same n rows.

    Attributes:
        metric: what they were compared by.
        level: probability with which no two equal models are called different.
        n: rows.
        scores: model -> its score, each interval at ``level``.
        pairs: every two models, in the order given.
    """

    metric: str
    level: float
    n: int
    scores: dict[str, Interval]
    pairs: list[Pair]


def mcnemar(y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> McNemar:
    """McNemar's test (1947) for true classes ``y`` [n] and the probabilities [n, k] of two models.

    The rows that only one model has right fall to either like a fair coin where the models are equally good, so the
    p-value is a binomial one. The mid-p-value counts half of the probability of what was seen; Fagerland, Lydersen &
    Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and asymptotic are better than exact
    conditional", found it to keep its level wherever they looked.
    """
    from scipy.special import bdtr

    y = np.asarray(y)
    right_a, right_b = (np.argmax(p, axis=1) == y for p in (p_a, p_b))
    a_only, b_only = int(np.count_nonzero(right_a & ~right_b)), int(np.count_nonzero(right_b & ~right_a))
    apart, fewer = a_only + b_only, min(a_only, b_only)
    at_most = float(bdtr(fewer, apart, 0.5))
    less = float(bdtr(fewer - 1, apart, 0.5)) if fewer else 0.0
    return McNemar(a_only, b_only, min(1.0, 2 * at_most), at_most + less)


def compare_models(
    names: Sequence[str],
    metric: str,
    y: np.ndarray,
    ps: Sequence[np.ndarray],
    *,
    units: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Every two of the models ``names`` by their probabilities ``ps``, each [n, outputs], on the same rows.

    More than two models are more than one pair, and among many equal pairs some would look different by chance:
    `headstart.evaluation.pairwise` says how that is allowed for. Rows of one unit (``units`` [n] codes) are not
    independent; McNemar's test, which takes them for that, is left out there.

    Raises:
        SettingError: fewer than two models, names that are not all different, models with other numbers of rows, or
            an unknown metric.
    """
    _check(names, y, ps)
    scores = {
        name: score_interval(metric, y, p, units=units, level=level, draws=draws, seed=seed)
        for name, p in zip(names, ps, strict=True)
    }

    def judged(a: int, b: int, corrected: float) -> Interval:
        return paired_gain(metric, y, ps[a], ps[b], units=units, level=corrected, draws=draws, seed=seed)

    gains = tell_apart(len(ps), judged, level)
    pairs = [_pair(names[a], names[b], gains[a, b], np.asarray(y), ps[a], ps[b]) for a, b in gains]
    return Comparison(metric, level, len(y), scores, pairs)


def _check(names: Sequence[str], y: np.ndarray, ps: Sequence[np.ndarray]) -> None:
    if len(names) < 2 or len(names) != len(ps):
        raise SettingError(f"{len(names)} models were given to compare, with {len(ps)} answers; give at least two.")
    if len(set(names)) < len(names):
        raise SettingError(f"the models are called {', '.join(names)}; their names must all be different.")
    for name, p in zip(names, ps, strict=True):
        if np.shape(p) != np.shape(ps[0]) or len(p) != len(y):
            raise SettingError(f"{name} answered {len(p)} rows where the truth has {len(y)}; give the same rows.")


def _outcome(gain: Interval) -> Outcome:
    if gain.low > 0:
        return "a better"
    return "b better" if gain.high < 0 else "no significant difference"


def _pair(a: str, b: str, gain: Interval, y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray) -> Pair:
    outcome = _outcome(gain)
    open_question = (
        outcome == "no significant difference" and gain.value != 0 and np.isfinite([gain.low, gain.high]).all()
    )
    needed = rows_needed(gain, 0.0) if open_question else None
    tested = y.ndim == 1 and p_a.shape[1] > 1 and not gain.grouped
    return Pair(a, b, gain, outcome, needed, mcnemar(y, p_a, p_b) if tested else None)
