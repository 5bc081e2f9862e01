"""Only classes that are told apart are said to gain more."""

from __future__ import annotations

import numpy as np

from headstart.evaluation.class_gains import RULES, class_gains, rule_for


def hits(rng: np.random.Generator, n: int, share: float) -> np.ndarray:
    return (rng.random(n) < share).astype(float)


def test_the_class_that_rises_most_is_named() -> None:
    rng = np.random.default_rng(0)
    output = np.repeat(np.arange(10), 40)
    before, after = hits(rng, 400, 0.85), hits(rng, 400, 0.9)
    before[:40], after[:40] = hits(rng, 40, 0.2), hits(rng, 40, 0.8)
    found = class_gains(output, before, after)
    assert [one.output for one in found if one.gains_more] == [0]
    assert found[0].output == 0
    assert found[0].gain > 0.4


def test_a_class_that_has_no_mistakes_left_is_not_to_gain_more() -> None:
    rng = np.random.default_rng(0)
    output = np.repeat(np.arange(5), 40)
    before, after = hits(rng, 200, 0.7), hits(rng, 200, 0.85)
    before[:40], after[:40] = hits(rng, 40, 0.3), 1.0
    found = class_gains(output, before, after)
    assert found[0].output == 0
    assert not any(one.gains_more for one in found)


def test_noise_alone_names_no_class_in_nearly_all_draws() -> None:
    named = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before, after = hits(rng, 600, 0.8), hits(rng, 600, 0.9)
        named += any(one.gains_more for one in class_gains(np.repeat(np.arange(20), 30), before, after))
    assert named <= 12  # 5 of 100 are to be expected


def test_a_class_that_is_mostly_missed_is_behind() -> None:
    rng = np.random.default_rng(0)
    output, after = np.repeat(np.arange(5), 50), hits(rng, 250, 0.95)
    after[:50] = hits(rng, 50, 0.4)
    assert [one.output for one in class_gains(output, after, after) if one.behind] == [0]


def test_the_others_are_not_taken_for_certain() -> None:
    """Two classes of 12 rows: the upper bound of one's 50 % lies below the other's 83 %, which is no surer itself."""
    output, after = np.repeat([0, 1], 12), np.repeat([1.0, 0.0, 1.0, 0.0], [6, 6, 10, 2])
    assert not any(one.behind for one in class_gains(output, after, after))


def test_classes_of_few_rows_are_left_out() -> None:
    output = np.repeat([0, 1, 2], [30, 30, 4])
    assert {one.output for one in class_gains(output, np.zeros(64), np.ones(64))} == {0, 1}
    assert class_gains(np.zeros(30, int), np.zeros(30), np.ones(30)) == []


def test_rules_cover_every_number_of_rows_once() -> None:
    for rows in (0, 9, 10, 99, 100, 999, 1_000, 50_000):
        assert sum(rule.least <= rows < rule.most for rule in RULES) == 1
        assert rule_for(rows) in RULES
