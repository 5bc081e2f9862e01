"""Rows that several runs answered are found by content, in one order, whatever order they are in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.delivery.answers import Answers
from headstart.errors import SettingError
from headstart.flow.compare.match import matched


def answers(n: int = 60, *, labels: tuple[str, ...] = ("ant", "bee", "wasp"), seed: int = 0) -> Answers:
    rng = np.random.default_rng(seed)
    p = rng.random((n, len(labels))).astype(np.float32)
    names = np.array([str(i) for i in range(n)])
    truth, part = np.arange(n) % len(labels), np.full(n, "test")
    p /= p.sum(axis=1, keepdims=True)
    return Answers(part, names, names, truth, p, np.zeros(n, int), labels, "classification", "accuracy")


def test_rows_in_another_order_are_put_in_the_firsts():
    first = answers()
    order = np.random.default_rng(1).permutation(60)
    found = matched(["a", "b"], [first, first.take(order)])
    for one in found.answers:
        assert one.keys.tolist() == first.keys.tolist()
        np.testing.assert_array_equal(one.probabilities, first.probabilities)
    assert found.left_out == [0, 0]


def test_outputs_in_another_order_are_put_in_the_firsts():
    first = answers()
    turned = replace(
        first,
        labels=("wasp", "ant", "bee"),
        truth=(first.truth + 1) % 3,
        probabilities=first.probabilities[:, [2, 0, 1]],
    )
    found = matched(["a", "b"], [first, turned]).answers[1]
    assert found.labels == first.labels
    np.testing.assert_array_equal(found.truth, first.truth)
    np.testing.assert_array_equal(found.probabilities, first.probabilities)


def test_tags_in_another_order_are_put_in_the_firsts():
    first = replace(answers(), truth=np.eye(3)[np.arange(60) % 3], task="multilabel")
    order = [2, 0, 1]
    turned = replace(
        first,
        labels=tuple(first.labels[i] for i in order),
        truth=first.truth[:, order],
        probabilities=first.probabilities[:, order],
    )
    found = matched(["a", "b"], [first, turned]).answers[1]
    np.testing.assert_array_equal(found.truth, first.truth)
    np.testing.assert_array_equal(found.probabilities, first.probabilities)


def test_rows_of_equal_content_are_matched_one_by_one():
    twice = replace(answers(), keys=np.array([str(i // 6) for i in range(60)]))
    found = matched(["a", "b"], [twice, twice.take(np.arange(60)[::-1])])
    assert [len(one) for one in found.answers] == [60, 60]
    np.testing.assert_array_equal(found.answers[0].truth, found.answers[1].truth)
    np.testing.assert_array_equal(found.answers[0].keys, found.answers[1].keys)


def test_held_out_rows_are_left_alone():
    mixed = replace(answers(), part=np.where(np.arange(60) < 20, "held", "test"))
    assert len(matched(["a", "b"], [mixed, mixed]).answers[0]) == 40


def test_other_test_rows_are_refused_unless_those_shared_are_asked_for():
    first = answers()
    fewer = first.take(np.arange(50))
    with pytest.raises(SettingError, match=r"a on 60, b on 50\); 50 are the same; pass --shared") as caught:
        matched(["a", "b"], [first, fewer])
    assert "\n" not in str(caught.value)
    found = matched(["a", "b"], [first, fewer], shared=True)
    assert [len(one) for one in found.answers] == [50, 50]
    assert found.left_out == [10, 0]


def test_too_few_shared_rows_are_refused_even_where_asked_for():
    with pytest.raises(SettingError, match="29 are the same; too few"):
        matched(["a", "b"], [answers(), answers().take(np.arange(29))], shared=True)


def test_rows_with_another_truth_are_not_the_same():
    first = answers()
    other = replace(first, truth=np.where(np.arange(60) < 5, (first.truth + 1) % 3, first.truth))
    with pytest.raises(SettingError, match="55 are the same; some have another truth"):
        matched(["a", "b"], [first, other])


def test_runs_that_do_not_fit_are_refused():
    first = answers()
    with pytest.raises(SettingError, match="'moth', 'wasp': not labels of both a and b"):
        matched(["a", "b"], [first, answers(labels=("ant", "bee", "moth"))])
    numbers = replace(first, truth=np.ones((60, 1)), probabilities=np.ones((60, 1)), labels=(), task="regression")
    with pytest.raises(SettingError, match="a is classification and b regression"):
        matched(["a", "b"], [first, numbers])
    with pytest.raises(SettingError, match="b keeps no answers of test rows"):
        matched(["a", "b"], [first, replace(first, part=np.full(60, "held"))])


def test_a_run_that_kept_its_values_in_float32_is_matched() -> None:
    rng = np.random.default_rng(0)
    values = 1000 + rng.normal(size=(60, 1))
    now = replace(answers(), truth=values, probabilities=values, labels=(), task="regression", metric="r2")
    before = replace(now, truth=values.astype(np.float32), probabilities=values.astype(np.float32))
    assert matched(["now", "before"], [now, before]).left_out == [0, 0]
