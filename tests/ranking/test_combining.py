"""Beliefs put together."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.ranking.combining import combine, levelled, pooled
from headstart.ranking.prior import Belief


def belief(mean, variance):
    return Belief(np.array(mean, dtype=float), np.array(variance, dtype=float))


def test_equal_estimates_of_the_same_rows_are_no_surer_than_one() -> None:
    one = belief([80, 70], [4, 4])
    both = pooled([one, one])
    assert both.mean == pytest.approx(one.mean)
    assert both.variance == pytest.approx(one.variance)


def test_the_surer_estimate_weighs_more() -> None:
    both = pooled([belief([80], [1]), belief([70], [3])])
    assert both.mean == pytest.approx([77.5])
    assert both.variance == pytest.approx([1.5])


def test_an_estimate_that_is_not_there_leaves_the_other() -> None:
    both = pooled([belief([80, np.nan], [4, np.nan]), belief([np.nan, 60], [np.nan, 9])])
    assert both.mean == pytest.approx([80, 60])
    assert both.variance == pytest.approx([4, 9])


def test_a_difference_of_levels_is_none_of_bases() -> None:
    """Neighbours say the same of both bases as heads do, ten points lower, with unlike weights."""
    heads, neighbours = belief([95, 90, np.nan], [0.2, 0.5, np.nan]), belief([85, 80, 70], [2.9, 3.0, 3.0])
    found = pooled([heads, levelled(neighbours, heads)])
    assert found.mean == pytest.approx([95, 90, 80])


def test_without_a_prior_the_evidence_stands() -> None:
    evidence = belief([90, 80, 85], [1, 2, 3])
    found = combine(belief([0, 0, 0], [np.inf] * 3), evidence)
    assert found.mean == pytest.approx(evidence.mean)
    assert found.variance == pytest.approx(evidence.variance)


def test_inverse_variance_by_hand() -> None:
    """Prior ±2 of variance 1, evidence 80 and 80 of variance 1: the level is 80, half of the prior is left."""
    found = combine(belief([2, -2], [1, 1]), belief([80, 80], [1, 1]))
    assert found.mean == pytest.approx([81, 79])
    assert found.variance == pytest.approx([0.5, 0.5])


def test_the_level_of_the_task_is_not_pulled() -> None:
    """A prior of differences says nothing of how hard the task is."""
    prior = belief([1, -1, 0], [2, 2, 2])
    low, high = (combine(prior, belief([level + 3, level, level], [1, 1, 1])).mean for level in (20, 90))
    assert high - low == pytest.approx([70, 70, 70])


def test_much_evidence_outweighs_the_prior_and_little_does_not() -> None:
    prior = belief([3, -3], [1, 1])
    sure = combine(prior, belief([70, 80], [0.01, 0.01]))
    vague = combine(prior, belief([79, 80], [100, 100]))
    assert sure.mean[1] > sure.mean[0]
    assert vague.mean[0] > vague.mean[1]


def test_nothing_known_at_all() -> None:
    found = combine(belief([0], [np.inf]), belief([np.nan], [np.nan]))
    assert np.isinf(found.variance).all()
