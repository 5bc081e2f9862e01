"""Assigning the parts."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.split import assign
from headstart.data.table import Table
from headstart.errors import LabelError, SettingError, SplitError
from headstart.settings import SplitSettings
from tests.counting import calls
from tests.data.making import fact, table

DEFAULT = SplitSettings()


def sizes(split: np.ndarray) -> dict[str, int]:
    return dict(Counter(split.tolist()))


def by_id(assigned: Table) -> dict[str, str]:
    return dict(zip(assigned.ids.tolist(), assigned.split.tolist(), strict=True))


def parts_of(values: np.ndarray, split: np.ndarray) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for value, part in zip(values.tolist(), split.tolist(), strict=True):
        found.setdefault(value, set()).add(part)
    return found


def test_shares_and_strata() -> None:
    assigned, facts = assign(table(["a"] * 600 + ["b"] * 300 + ["c"] * 100), DEFAULT)
    assert sizes(assigned.split) == {"train": 640, "valid": 160, "test": 200}
    assert assigned.targets is not None
    for label, count in (("a", 600), ("b", 300), ("c", 100)):
        here = sizes(assigned.split[assigned.targets == label])
        assert here == {"train": 0.64 * count, "valid": 0.16 * count, "test": 0.2 * count}
    said = fact(facts, "split")
    assert said.value == "train 640, valid 160, test 200"
    assert "seed 0" in said.reason


def test_other_shares() -> None:
    assigned, _ = assign(table(["a", "b"] * 500), SplitSettings(valid=0.1, test=0.35))
    assert sizes(assigned.split) == {"train": 585, "valid": 65, "test": 350}


def test_the_seed_decides_and_the_order_of_rows_does_not() -> None:
    ordered = table(["a", "b", "c", "a"] * 50, groups=[i // 3 for i in range(200)])
    shuffled = ordered.take(np.random.default_rng(1).permutation(200))
    keys = np.array([f"k{i % 190}" for i in range(200)])
    row = {i: n for n, i in enumerate(ordered.ids)}
    shuffled_keys = keys[[row[i] for i in shuffled.ids]]
    for with_groups in (True, False):
        one, other = (t if with_groups else dataclasses.replace(t, groups=None) for t in (ordered, shuffled))
        for one_keys, other_keys in ((keys, shuffled_keys), (None, None)):
            first = by_id(assign(one, DEFAULT, one_keys)[0])
            assert by_id(assign(other, DEFAULT, other_keys)[0]) == first
            assert by_id(assign(one, SplitSettings(seed=1), one_keys)[0]) != first


@pytest.mark.parametrize(
    ("split", "drawn"),
    [
        (["test"] * 20 + [""] * 80, "valid"),
        (["valid"] * 20 + [""] * 80, "test"),
        (["test"] * 20 + ["train"] * 80, "valid"),
        (["test"] * 20 + ["train"] * 40 + [""] * 40, "valid"),
    ],
)
def test_only_missing_parts_are_drawn(split: list[str], drawn: str) -> None:
    assigned, facts = assign(table(["a", "b"] * 50, split=split), DEFAULT)
    assert sizes(assigned.split) == {"train": 64, drawn: 16, split[0]: 20}
    assert set(assigned.split[:20]) == {split[0]}
    assert f"{drawn} drawn" in fact(facts, "split").reason
    assert f"({split[0]} given)" in fact(facts, "split").reason


def test_a_given_split_is_kept() -> None:
    split = ["train", "train", "valid", "valid", "test", "test"]
    assigned, facts = assign(table(list("ababab"), split=split), DEFAULT)
    assert assigned.split.tolist() == split
    assert fact(facts, "split").reason == "given with the data"


def test_groups_stay_together_and_classes_balanced() -> None:
    groups = [i // 5 for i in range(500)]
    whole = table([["a", "b", "a", "a", "b"][i % 5] if g % 2 else "c" for i, g in enumerate(groups)], groups=groups)
    assigned, facts = assign(whole, DEFAULT)
    assert assigned.groups is not None
    assert all(len(parts) == 1 for parts in parts_of(assigned.groups, assigned.split).values())
    counts = sizes(assigned.split)
    assert counts["test"] == pytest.approx(100, abs=5)
    assert counts["valid"] == pytest.approx(80, abs=5)
    assert assigned.targets is not None
    held = assigned.targets[assigned.split == "test"]
    assert (held == "c").sum() == pytest.approx(50, abs=5)
    assert not [f for f in facts if f.what == "leak"]


def test_many_small_groups_stay_together_with_work_in_proportion() -> None:
    def split(rows: int) -> tuple[np.ndarray, Table]:
        groups = np.random.default_rng(0).integers(rows * 2 // 5, size=rows)
        found = assign(table([f"c{i % 20}" for i in range(rows)], groups=groups.tolist()), DEFAULT)[0]
        return groups, found

    assert calls(lambda: split(10_000)) < 15 * calls(lambda: split(1_000))
    groups, assigned = split(10_000)
    assert all(len(parts) == 1 for parts in parts_of(groups, assigned.split).values())
    assert sizes(assigned.split)["test"] == pytest.approx(2000, abs=40)
    assert sizes(assigned.split)["valid"] == pytest.approx(1600, abs=40)


def test_few_large_groups() -> None:
    assigned, _ = assign(table(["a", "b"] * 30, groups=[i // 12 for i in range(60)]), DEFAULT)
    assert sizes(assigned.split) == {"train": 36, "valid": 12, "test": 12}


def test_identical_contents_stay_together() -> None:
    keys = np.array([f"k{i % 70}" for i in range(100)])
    assigned, facts = assign(table(["a", "b"] * 50), DEFAULT, keys)
    assert all(len(parts) == 1 for parts in parts_of(keys, assigned.split).values())
    assert sizes(assigned.split)["test"] == pytest.approx(20, abs=2)
    assert not [f for f in facts if f.what == "leak"]


def test_groups_and_contents_chain() -> None:
    # r0-r1 share a group, r1-r2 a content, r2-r3 a group: all four must stay together, and so on in fours.
    groups = [i // 2 for i in range(80)]
    keys = np.array([f"k{(i + 1) // 2 if i % 4 in (1, 2) else 1000 + i}" for i in range(80)])
    assigned, _ = assign(table(["a", "b"] * 40, groups=groups), DEFAULT, keys)
    fours = np.arange(80) // 4
    assert all(len(parts) == 1 for parts in parts_of(fours, assigned.split).values())
    assert len(set(assigned.split)) == 3


def test_small_classes_keep_a_row_in_train_and_are_said() -> None:
    assigned, facts = assign(table(["a"] * 50 + ["b"] * 50 + ["c"] * 2 + ["d"] * 2), DEFAULT)
    assert assigned.targets is not None
    for label in "abcd":
        assert "train" in assigned.split[assigned.targets == label]
    absent = {part: {*"abcd"} - {*assigned.targets[assigned.split == part]} for part in ("valid", "test")}
    said = [f for f in facts if f.what == "rare classes"]
    assert len(said) == sum(bool(labels) for labels in absent.values()) > 0
    for part, labels in absent.items():
        assert not labels or any(part in f.value and all(label in f.reason for label in labels) for f in said)


def test_many_classes_of_two() -> None:
    labels = [f"c{i // 2}" for i in range(120)]
    assigned, _ = assign(table(labels), DEFAULT)
    assert assigned.targets is not None
    assert {*assigned.targets[assigned.split == "train"]} == {*labels}
    assert sizes(assigned.split) == {"train": 77, "valid": 19, "test": 24}


@pytest.mark.parametrize("share", [0.2, 0.5])  # at a half, scikit-learn's folds would hold the class out
def test_a_class_in_one_group_only_stays_in_train(share: float) -> None:
    labels = ["c"] * 6 + ["a", "b"] * 27
    whole = table(labels, groups=[i // 6 for i in range(60)])
    for seed in range(5):
        assigned, facts = assign(whole, SplitSettings(test=share, seed=seed))
        assert set(assigned.split[:6]) == {"train"}
        assert len(set(assigned.split)) == 3
        assert sorted(f.value[-5:] for f in facts if f.what == "rare classes" and "c" in f.reason) == [
            " test",
            "valid",
        ]


def test_regression_is_balanced_by_quantiles() -> None:
    values = np.random.default_rng(0).lognormal(size=1000).tolist()
    assigned, facts = assign(table(values, task="regression"), DEFAULT)
    assert sizes(assigned.split) == {"train": 640, "valid": 160, "test": 200}
    order = np.argsort(np.argsort(values))
    tenths = Counter((order[assigned.split == "test"] // 100).tolist())
    assert set(tenths.values()) == {20}
    assert "quantiles" in fact(facts, "split").reason


def test_constant_regression_target_can_be_split() -> None:
    assigned, _ = assign(table([1.0] * 50, task="regression"), DEFAULT)
    assert sizes(assigned.split) == {"train": 32, "valid": 8, "test": 10}


def test_multilabel_is_balanced_by_the_rarest_label() -> None:
    rows = [("x",)] * 400 + [("x", "rare")] * 50 + [("x", "y")] * 40 + [()] * 10
    assigned, _ = assign(table(rows, task="multilabel"), DEFAULT)
    assert assigned.targets is not None
    in_test = [row for row, part in zip(assigned.targets, assigned.split, strict=True) if part == "test"]
    assert Counter(label for row in in_test for label in row) == {"x": 98, "rare": 10, "y": 8}


@given(st.lists(st.sets(st.sampled_from("abcde")), min_size=12, max_size=40), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_every_label_is_in_train(rows: list[set[str]], seed: int) -> None:
    counts = Counter(label for row in rows for label in row)
    whole = table([tuple(sorted(row)) for row in rows], task="multilabel")
    if not counts or 1 in counts.values():
        with pytest.raises(LabelError):
            assign(whole, SplitSettings(seed=seed))
        return
    try:
        assigned, _ = assign(whole, SplitSettings(seed=seed))
    except SplitError:
        return
    assert assigned.targets is not None
    kept = assigned.targets[assigned.split == "train"]
    assert {label for row in kept for label in row} == set(counts)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 20, r"only one class was found \(a\)"),
        (["a"] * 20 + ["b"], r"1 class has one example only: 'b'; add examples, drop the class or merge it"),
        (["a"] * 20 + ["b", "c"], r"2 classes have one example only: 'b', 'c'"),
    ],
)
def test_classes_that_cannot_be_learnt(labels: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        assign(table(labels), DEFAULT)


def test_labels_unseen_in_training() -> None:
    split = ["train"] * 8 + ["valid"] * 2 + ["test"] * 3
    with pytest.raises(LabelError, match=r"1 labels of the test part never occur in train: 'c' \(2 rows\)"):
        assign(table(list("abababababcca"), split=split), DEFAULT)
    with pytest.raises(LabelError, match="valid part"):
        assign(table(list("ababababccaba"), split=split), DEFAULT)


def test_too_few_rows() -> None:
    with pytest.raises(SplitError, match=r"too few rows for a test part: 4 rows of 2 classes"):
        assign(table(["a", "a", "b", "b"]), SplitSettings(test=0.1))
    with pytest.raises(SplitError, match="too few rows for a valid part"):
        assign(table(["a", "b"] * 2, split=["train", "train", "test", "test"]), DEFAULT)
    with pytest.raises(SplitError, match="1 inseparable groups"):
        assign(table(["a", "b"] * 10, groups=["g"] * 20), DEFAULT)
    with pytest.raises(SplitError, match="no row is left to train on"):
        assign(table(["a", "b"] * 2, split=["valid", "valid", "test", "test"]), DEFAULT)


def test_settings_and_columns_are_checked() -> None:
    whole = table(["a", "b"] * 10)
    for wrong in (SplitSettings(valid=0.0), SplitSettings(test=1.0), SplitSettings(test=-0.1)):
        with pytest.raises(SettingError, match="between 0 and 1"):
            assign(whole, wrong)
    with pytest.raises(LabelError, match="no labels"):
        assign(table(None), DEFAULT)
    with pytest.raises(SplitError, match="'dev'"):
        assign(table(["a", "b"], split=["dev", "train"]), DEFAULT)
    with pytest.raises(SplitError, match="3 keys"):
        assign(whole, DEFAULT, np.arange(3))


def test_leaks_across_given_parts_are_said() -> None:
    split = ["train"] * 4 + ["valid"] * 2 + ["test"] * 2
    groups = ["g1", "g2", "g3", "g4", "g1", "g5", "g1", "g2"]
    keys = np.array(["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k1"])
    _, facts = assign(table(list("abababab"), split=split, groups=groups), DEFAULT, keys)
    leaks = {f.value: f.reason for f in facts if f.what == "leak"}
    assert leaks.keys() == {
        "2 groups in more than one part",
        "1 set of equal or nearly equal contents in more than one part",
    }
    assert "5 rows" in leaks["2 groups in more than one part"]


def test_the_work_of_a_split_is_in_proportion_to_its_rows() -> None:
    def split(rows: int) -> None:
        assign(
            table([f"c{i % 77}" for i in range(rows)]), DEFAULT, np.array([str(i % (rows - 100)) for i in range(rows)])
        )

    assert calls(lambda: split(10_000)) < 15 * calls(lambda: split(1_000))
