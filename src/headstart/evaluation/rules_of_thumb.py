"""Rules of thumb for how many rows it takes, with their sources: shown beside what was measured, never instead."""

from __future__ import annotations

from dataclasses import dataclass


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
