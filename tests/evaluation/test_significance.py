"""Models on the same rows: told apart where they differ, and seldom where they do not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from headstart.errors import SettingError
from headstart.evaluation import significance
from headstart.evaluation.bootstrap import paired_gain
from headstart.evaluation.significance import compare_models, headline, mcnemar, pair_sentence
from tests.evaluation.simulate import answers


def right(n: int, *wrong: int) -> np.ndarray:
    """Answers to truth 0 that are wrong on ``wrong``."""
    return np.eye(2)[np.isin(np.arange(n), wrong).astype(int)]


def test_mcnemar_is_the_binomial_test_of_the_rows_apart():
    y = np.zeros(60, int)
    found = mcnemar(y, right(60, 0, 1, 20), right(60, 0, 1, *range(5, 17)))
    assert (found.a_only, found.b_only) == (12, 1)
    exact = binomtest(1, 13).pvalue
    assert found.exact == pytest.approx(exact)
    assert found.mid_p == pytest.approx(exact - 13 / 2**13)


@pytest.mark.parametrize("wrong", [(), (0, 1)])
def test_mcnemar_of_the_same_answers_is_one(wrong):
    found = mcnemar(np.zeros(9, int), right(9, *wrong), right(9, *wrong))
    assert (found.a_only, found.b_only, found.exact, found.mid_p) == (0, 0, 1.0, 1.0)


def test_mcnemar_of_as_many_on_both_sides_is_one():
    found = mcnemar(np.zeros(9, int), right(9, 0, 1), right(9, 2, 3))
    assert found.mid_p == pytest.approx(1.0)
    assert found.exact == 1.0


def test_a_better_model_is_named_whichever_comes_first():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 500)
    good, poor = answers(rng, y, 3, 0.95), answers(rng, y, 3, 0.8)
    found = compare_models(["good", "poor"], "accuracy", y, [good, poor])
    assert found.pairs[0].outcome == "a better"
    assert found.pairs[0].gain == paired_gain("accuracy", y, good, poor)
    assert found.pairs[0].rows_needed is None
    assert headline(found).startswith("good is better than poor: accuracy 0.9")
    turned = compare_models(["poor", "good"], "accuracy", y, [poor, good])
    assert turned.pairs[0].outcome == "b better"
    assert "good is better than poor" in headline(turned)
    assert "gain +0.1" in headline(turned)


def test_not_to_be_told_apart_says_how_many_rows_would_tell():
    found = compare_models(["a", "b"], "accuracy", np.zeros(100, int), [right(100, 0), right(100, 1, 2, 3)])
    pair = found.pairs[0]
    assert pair.outcome == "no significant difference"
    assert pair.rows_needed is not None
    assert 300 < pair.rows_needed < 2000
    assert f"about {pair.rows_needed:,} rows would settle it; there are 100" in pair_sentence(pair, found)


def test_where_nothing_points_either_way_no_number_of_rows_is_named():
    found = compare_models(["a", "b"], "accuracy", np.zeros(50, int), [right(50, 0), right(50, 1)])
    assert found.pairs[0].rows_needed is None
    assert "nothing points either way" in headline(found)


def test_more_than_two_are_judged_at_shaffers_levels():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 400)
    best, middle = answers(rng, y, 3, 0.98), answers(rng, y, 3, 0.7)
    found = compare_models(["best", "middle", "same"], "accuracy", y, [best, middle, middle])
    levels = {(pair.a, pair.b): pair.gain.level for pair in found.pairs}
    assert sorted(levels.values()) == pytest.approx([0.95, 0.95, 1 - 0.05 / 3])
    assert levels["middle", "same"] == pytest.approx(0.95)
    assert [pair.outcome for pair in found.pairs] == ["a better", "a better", "no significant difference"]
    assert headline(found).startswith("best is better than all the others")
    assert "corrected for 3 pairs" in pair_sentence(found.pairs[0], found)


def test_the_first_untold_pair_leaves_the_rest_untold():
    y = np.zeros(40, int)
    ps = [right(40, *range(i)) for i in range(4)]
    found = compare_models(list("abcd"), "accuracy", y, ps)
    assert {pair.outcome for pair in found.pairs} == {"no significant difference"}
    assert {pair.gain.level for pair in found.pairs} == {1 - 0.05 / 6}
    assert headline(found).endswith("no significant difference from b, c and d.")


def test_losses_turn_the_gain():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    sure, unsure = (share * np.eye(2)[y] + (1 - share) * np.eye(2)[1 - y] for share in (0.9, 0.6))
    sure = np.where(rng.random((200, 1)) < 0.05, 1 - sure, sure)
    found = compare_models(["sure", "unsure"], "brier", y, [sure, unsure], draws=300)
    assert found.pairs[0].outcome == "a better"
    assert "sure is better" in headline(found)


def test_numbers_are_compared_without_mcnemar():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(80, 1))
    found = compare_models(["a", "b"], "mae", y, [y + 0.1 * rng.normal(size=y.shape), y + 1], draws=300)
    assert found.pairs[0].mcnemar is None
    assert found.pairs[0].outcome == "a better"


def test_undefined_metrics_tell_nothing():
    found = compare_models(["a", "b"], "auroc", np.zeros(20, int), [right(20), right(20, 3)])
    assert found.pairs[0].outcome == "no significant difference"
    assert "AUROC has no value on these 20 rows" in headline(found)


def test_models_that_cannot_be_compared_are_refused():
    y = np.zeros(10, int)
    with pytest.raises(SettingError, match="at least two"):
        compare_models(["a"], "accuracy", y, [right(10)])
    with pytest.raises(SettingError, match="all be different"):
        compare_models(["a", "a"], "accuracy", y, [right(10)] * 2)
    with pytest.raises(SettingError, match="b answered 9 rows"):
        compare_models(["a", "b"], "accuracy", y, [right(10), right(9)])


@pytest.mark.parametrize("models", [2, 4])
def test_equal_models_are_seldom_called_different(models):
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(400):
        y = rng.integers(0, 3, 200)
        ps = [answers(rng, y, 3, 0.85) for _ in range(models)]
        found = compare_models([str(i) for i in range(models)], "accuracy", y, ps)
        called += any(pair.outcome != "no significant difference" for pair in found.pairs)
    assert called / 400 <= 0.065  # 5 % and a standard error and a half


@pytest.mark.parametrize("apart", [True, False])
def test_every_pair_is_judged_twice_at_most(apart: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Counter[tuple[int, int]]()

    def counted(metric: str, y: np.ndarray, a: np.ndarray, b: np.ndarray, **options: Any) -> Any:
        calls[id(a), id(b)] += 1
        return paired_gain(metric, y, a, b, **options)

    monkeypatch.setattr(significance, "paired_gain", counted)
    y = np.zeros(400, int)
    ps = [np.eye(2)[(np.arange(400) < (40 * i if apart else 40)).astype(int)] for i in range(9)]
    found = compare_models([str(i) for i in range(9)], "accuracy", y, ps)
    assert len(calls) == len(found.pairs) == 36
    assert max(calls.values()) <= 2
    assert {pair.outcome for pair in found.pairs} == ({"a better"} if apart else {"no significant difference"})
