"""Which classes gain most from more rows, as far as they can be told apart, and rules of thumb for how many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from headstart.evaluation.proportions import wilson

_LEVEL = 0.95  # over all classes together
_FEWEST = 8  # held-out rows of a class, under which nothing is said of it
_BEHIND = 0.1  # of recall, under which a gap is not worth a word
_PRIOR = 10.0  # rows that the spread over all classes counts for, beside a class's own


@dataclass(frozen=True)
class ClassGain:
    """One class or label.

    Attributes:
        output: its column.
        n: held-out rows that have it.
        recall: share of them found, with the most rows learnt from.
        gain: what that is above the share found with a quarter of those rows or so.
        gains_more: whether it surely gained more than the others, and is to gain more again.
        behind: whether it is surely found less often than the others, by a tenth or more.
    """

    output: int
    n: int
    recall: float
    gain: float
    gains_more: bool
    behind: bool


def class_gains(output: np.ndarray, before: np.ndarray, after: np.ndarray) -> list[ClassGain]:
    """One a class with rows enough, the greatest gain first.

    ``gains_more`` holds for all classes together with 95 % confidence (Holm 1979, "A simple sequentially rejective
    multiple test procedure"), each class against all others, the variance of a class drawn towards that of all, as it
    rests on few rows; ``behind`` likewise, by Bonferroni.

    Args:
        output: [m] int, the class of each held-out row, or label that it has.
        before, after: [m] from 0 to 1, how often it was found by models of fewer and of most rows.
    """
    rise = after - before
    classes = [one for one in np.unique(output) if (output == one).sum() >= _FEWEST]
    if len(classes) < 2:
        return []
    excess = [_excess(rise, output == one) for one in classes]
    more = _holm(excess)
    bound = 1 - 2 * (1 - _LEVEL) / len(classes)  # the upper bound alone is looked at
    found = []
    for one, gains_more in zip(classes, more, strict=True):
        own = output == one
        n, recall = int(own.sum()), float(after[own].mean())
        gain, others = float(rise[own].mean()), float(after[~own].mean())
        behind = _is_behind((recall, n), (others, len(output) - n), bound)
        ahead = _ahead(recall, gain) > _ahead(others, float(rise[~own].mean()))
        found.append(ClassGain(int(one), n, recall, gain, gains_more and ahead, behind))
    return sorted(found, key=lambda one: -one.gain)


def _ahead(recall: float, gain: float) -> float:
    """The gain of as many times the rows again, should misses go on falling by the same share."""
    missed = 1 - recall
    return missed * gain / (missed + gain) if gain > 0 else 0.0


def _is_behind(own: tuple[float, int], others: tuple[float, int], level: float) -> bool:
    """Whether the first share, of so many rows, is surely below the second and by `_BEHIND` at least.

    Newcombe 1998 ("Interval estimation for the difference between independent proportions", method 10): the bounds of
    the difference from Wilson's of both.
    """
    gap = others[0] - own[0]
    upper, lower = wilson(*own, level)[1], wilson(*others, level)[0]
    return gap >= _BEHIND and gap > math.hypot(upper - own[0], others[0] - lower)


def _excess(rise: np.ndarray, own: np.ndarray) -> float:
    """How many standard errors a class gains more than the others."""
    n, rest = int(own.sum()), rise[~own]
    variance = (n * float(rise[own].var()) + _PRIOR * float(rise.var())) / (n + _PRIOR)
    error = math.sqrt(variance / n + float(rest.var()) / len(rest))
    return (float(rise[own].mean()) - float(rest.mean())) / error if error > 0 else 0.0


def _holm(excess: list[float]) -> list[bool]:
    """Whether each is told from 0, all of them together at `_LEVEL`."""
    told = [False] * len(excess)
    for rank, one in enumerate(sorted(range(len(excess)), key=lambda i: -excess[i])):
        if 1 - NormalDist().cdf(excess[one]) > (1 - _LEVEL) / (len(excess) - rank):
            break
        told[one] = True
    return told


# --- rules of thumb for how many rows it takes: shown beside what was measured, never instead ---


@dataclass(frozen=True)
class Rule:
    """What usually pays from ``least`` to below ``most`` training rows a class."""

    least: int
    most: float
    rows: str
    advice: str
    source: str


RULES = (
    Rule(
        0,
        10,
        "under 10 a class",
        "a linear classifier on frozen features; training weights seldom pays, and scores are noisy",
        "Tian et al. 2020, arXiv:2003.11539; Chen et al. 2019, arXiv:1904.04232",
    ),
    Rule(
        10,
        100,
        "10 to 100 a class",
        "the head first, then top stages or adapters from there; all stages where the data are far from the base's",
        "Kumar et al. 2022, arXiv:2202.10054; Hu et al. 2021, arXiv:2106.09685",
    ),
    Rule(
        100,
        1_000,
        "100 to 1,000 a class",
        "training all stages mostly beats the frozen base; it starts from the fitted linear classifier",
        "Kornblith et al. 2019, arXiv:1805.08974; Mosbach et al. 2021, arXiv:2006.04884",
    ),
    Rule(
        1_000,
        float("inf"),
        "over 1,000 a class",
        "transfer learning saves time more than it adds to the score; training from random weights comes close",
        "He et al. 2019, arXiv:1811.08883",
    ),
)
#: What holds for any number of rows.
ALWAYS = (
    (
        "the error falls as a power of the rows: each doubling takes off about the same share, until it levels off",
        "Hestness et al. 2017, arXiv:1712.00409",
    ),
    (
        "75 to 100 test rows at least give a classifier's score with any use; more where two are to be compared",
        "Beleites et al. 2013, doi:10.1016/j.aca.2012.11.007",
    ),
)


def rule_for(per_class: float) -> Rule:
    """The rule for so many training rows a class."""
    return next(rule for rule in RULES if rule.least <= per_class < rule.most)
