"""Assigning the parts."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.split import EarlierParts, assign
from headstart.data.table import Table
from headstart.errors import LabelError, SettingError, SplitError
from headstart.settings import SplitSettings
from tests.counting import calls
from tests.data.making import fact, table

DEFAULT = SplitSettings()


def sizes(split: np.ndarray) -> dict[str, int]:
    return dict(Counter(split.tolist()))


def about(train: int, valid: int, test: int, within: int) -> dict[str, Any]:
    return {
        "train": pytest.approx(train, abs=2 * within),
        "valid": pytest.approx(valid, abs=within),
        "test": pytest.approx(test, abs=within),
    }


def by_id(assigned: Table) -> dict[str, str]:
    return dict(zip(assigned.ids.tolist(), assigned.split.tolist(), strict=True))


def parts_of(values: np.ndarray, split: np.ndarray) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for value, part in zip(values.tolist(), split.tolist(), strict=True):
        found.setdefault(value, set()).add(part)
    return found


def test_shares_and_strata() -> None:
    assigned, facts = assign(table(["a"] * 600 + ["b"] * 300 + ["c"] * 100), DEFAULT)
    assert sizes(assigned.split) == about(640, 160, 200, within=19)
    assert assigned.targets is not None
    for label, count in (("a", 600), ("b", 300), ("c", 100)):
        here = sizes(assigned.split[assigned.targets == label])
        assert here["test"] == pytest.approx(0.2 * count, abs=2 * (0.16 * count) ** 0.5)
        assert here["valid"] == pytest.approx(0.16 * count, abs=3 * (0.13 * count) ** 0.5)
    said = fact(facts, "split")
    assert said.value == ", ".join(f"{part} {sizes(assigned.split)[part]}" for part in ("train", "valid", "test"))
    assert "by content with seed 0" in said.reason


def test_other_shares() -> None:
    assigned, _ = assign(table(["a", "b"] * 500), SplitSettings(valid=0.1, test=0.35))
    assert sizes(assigned.split) == about(585, 65, 350, within=23)


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
    counts = sizes(assigned.split)
    assert counts[split[0]] == 20
    assert counts[drawn] == pytest.approx(16, abs=6)
    assert counts["train"] == 80 - counts[drawn]
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
    assert counts["test"] == pytest.approx(100, abs=30)  # 20 of 100 groups, give or take 1.5 deviations of chance
    assert counts["valid"] == pytest.approx(80, abs=30)
    assert assigned.targets is not None
    held = assigned.targets[assigned.split == "test"]
    assert (held == "c").sum() == pytest.approx(50, abs=25)
    assert not [f for f in facts if f.what == "leak"]


def test_many_small_groups_stay_together_with_work_in_proportion() -> None:
    def split(rows: int) -> tuple[np.ndarray, Table]:
        groups = np.random.default_rng(0).integers(rows * 2 // 5, size=rows)
        found = assign(table([f"c{i % 20}" for i in range(rows)], groups=groups.tolist()), DEFAULT)[0]
        return groups, found

    assert calls(lambda: split(10_000)) < 15 * calls(lambda: split(1_000))
    groups, assigned = split(10_000)
    assert all(len(parts) == 1 for parts in parts_of(groups, assigned.split).values())
    assert sizes(assigned.split)["test"] == pytest.approx(2000, abs=100)
    assert sizes(assigned.split)["valid"] == pytest.approx(1600, abs=100)


def test_few_large_groups() -> None:
    assigned, _ = assign(table(["a", "b"] * 30, groups=[i // 12 for i in range(60)]), DEFAULT)
    assert sizes(assigned.split) == {"train": 36, "valid": 12, "test": 12}


def test_identical_contents_stay_together() -> None:
    keys = np.array([f"k{i % 70}" for i in range(100)])
    assigned, facts = assign(table(["a", "b"] * 50), DEFAULT, keys)
    assert all(len(parts) == 1 for parts in parts_of(keys, assigned.split).values())
    assert sizes(assigned.split)["test"] == pytest.approx(20, abs=7)
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
    assert sizes(assigned.split) == about(77, 19, 24, within=7)


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
    assert sizes(assigned.split) == about(640, 160, 200, within=19)
    order = np.argsort(np.argsort(values))
    tenths = Counter((order[assigned.split == "test"] // 100).tolist())
    assert len(tenths) == 10
    assert all(12 <= count <= 28 for count in tenths.values())
    assert "quantiles" in fact(facts, "split").reason


def test_constant_regression_target_can_be_split() -> None:
    assigned, _ = assign(table([1.0] * 50, task="regression"), DEFAULT)
    assert sizes(assigned.split) == about(32, 8, 10, within=4)


def test_multilabel_is_balanced_by_the_rarest_label() -> None:
    rows = [("x",)] * 400 + [("x", "rare")] * 50 + [("x", "y")] * 40 + [()] * 10
    assigned, _ = assign(table(rows, task="multilabel"), DEFAULT)
    assert assigned.targets is not None
    in_test = [row for row, part in zip(assigned.targets, assigned.split, strict=True) if part == "test"]
    counts = Counter(label for row in in_test for label in row)
    assert counts["x"] == pytest.approx(98, abs=15)
    assert 5 <= counts["rare"] <= 15
    assert 4 <= counts["y"] <= 12


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
        (["1"] * 9 + ["2"] * 9 + ["3"], r"drop the class or merge it, or predict the numbers \(--task regression\)\."),
    ],
)
def test_classes_that_cannot_be_learnt(labels: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        assign(table(labels), DEFAULT)


def test_labels_unseen_in_training() -> None:
    split = ["train"] * 8 + ["valid"] * 2 + ["test"] * 3
    with pytest.raises(LabelError, match=r"1 label of the test split never occurs in train: 'c' \(2 rows\)"):
        assign(table(list("abababababcca"), split=split), DEFAULT)
    with pytest.raises(LabelError, match="valid split"):
        assign(table(list("ababababccaba"), split=split), DEFAULT)


def test_too_few_rows() -> None:
    with pytest.raises(SplitError, match=r"too few rows for a test split: 4 rows of 2 classes"):
        assign(table(["a", "a", "b", "b"]), SplitSettings(test=0.1))
    with pytest.raises(SplitError, match="too few rows for a valid split"):
        assign(table(["a", "b"] * 2, split=["train", "train", "test", "test"]), DEFAULT)
    with pytest.raises(
        SplitError, match="makes 1 set of them, and each class must keep an example in train; add rows of other groups"
    ):
        assign(table(["a", "b"] * 10, groups=["g"] * 20), DEFAULT)
    with pytest.raises(SplitError, match="no row is left to train on"):
        assign(table(["a", "b"] * 2, split=["valid", "valid", "test", "test"]), DEFAULT)


def alike(sizes: list[int], task: str = "regression") -> tuple[Table, np.ndarray]:
    """Rows with targets, and keys of which so many rows each have the same."""
    keys = np.repeat(np.arange(len(sizes)), sizes)
    values: list[Any] = (
        [("a",) if row % 2 else ("b",) for row in keys] if task == "multilabel" else (keys * 1.5).tolist()
    )
    return table(values, task=task), keys


@pytest.mark.parametrize("task", ["regression", "multilabel"])
@pytest.mark.parametrize("sizes", [[120], [60, 60], [40, 40, 40], [100, 2]])
def test_too_few_inputs_that_differ_are_refused_in_words_of_the_task(sizes: list[int], task: str) -> None:
    rows, keys = alike(sizes, task)
    with pytest.raises(SplitError, match=r"equal or nearly equal inputs stay together, which makes \d set") as refusal:
        assign(rows, DEFAULT, keys)
    assert "class" not in str(refusal.value)
    with pytest.raises(SplitError, match=r"too few rows for a test split: 4 rows, of which 0\.1 is 0\.4 and one stays"):
        assign(table([1.5, 2.5, 3.5, 4.5], task="regression"), SplitSettings(test=0.1))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("sizes", [[30] * 4, [120, *[1] * 10], [500, *[1] * 4], [50, 50, *[1] * 20]])
def test_one_input_that_most_rows_have_leaves_train_units_to_choose_on(sizes: list[int], seed: int) -> None:
    rows, keys = alike(sizes)
    parts = assign(rows, SplitSettings(seed=seed), keys)[0].split
    held = {part: set(keys[parts == part].tolist()) for part in ("train", "valid", "test")}
    assert sum(map(len, held.values())) == len(sizes)  # none is in two of them
    assert held["valid"]
    assert held["test"]
    assert len(held["train"]) >= 2
    if max(sizes) > len(keys) / 2:
        assert sizes.index(max(sizes)) in held["train"]


def test_settings_and_columns_are_checked() -> None:
    whole = table(["a", "b"] * 10)
    for wrong in (
        SplitSettings(valid=0.0),
        SplitSettings(valid=1.0),
        SplitSettings(test=1.0),
        SplitSettings(test=-0.1),
    ):
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
        "2 groups in more than one split",
        "1 set of equal or nearly equal contents in more than one split",
    }
    assert "5 rows" in leaks["2 groups in more than one split"]


def test_the_work_of_a_split_is_in_proportion_to_its_rows() -> None:
    def split(rows: int) -> None:
        assign(
            table([f"c{i % 77}" for i in range(rows)]), DEFAULT, np.array([str(i % (rows - 100)) for i in range(rows)])
        )

    assert calls(lambda: split(10_000)) < 15 * calls(lambda: split(1_000))


def grown(
    rows: int, more: int, classes: int, seed: int, groups: int | None = None
) -> tuple[Table, Table, np.ndarray, np.ndarray]:
    """A split of so many rows, one of ``more`` that begin with the same rows, and what each contains."""
    rng = np.random.default_rng(seed)
    names = [f"c{one}" for one in rng.integers(classes, size=more)]
    of = None if groups is None else [f"{seed} g{one}" for one in np.arange(more) * groups // more]
    keys = np.array([f"{seed} {one}" for one in range(more)])

    def split(count: int) -> Table:
        some = table(names[:count], groups=None if of is None else of[:count])
        some = dataclasses.replace(some, ids=np.array([f"{count}:{one}" for one in range(count)]))
        return assign(some, DEFAULT, keys[:count], keys[:count])[0]

    return split(rows), split(more), keys[:rows], keys


def kept(part: str, before: Table, after: Table) -> tuple[int, int]:
    """How many rows of a part keep it where rows were added after them, and how many there were."""
    own = before.split == part
    return int((own & (after.split[: len(before)] == part)).sum()), int(own.sum())


@pytest.mark.parametrize(
    ("classes", "groups", "least_test", "least_valid"),
    [(2, None, 0.99, 0.98), (10, None, 0.97, 0.95), (30, None, 0.9, 0.85), (3, 120, 0.97, 0.95)],
)
def test_rows_added_later_keep_their_part(
    classes: int, groups: int | None, least_test: float, least_valid: float
) -> None:
    """400 rows grow to 600; their ids are others each time, as row numbers are. Of small classes fewer rows stay."""
    for part, least in (("test", least_test), ("valid", least_valid)):
        counts = [kept(part, *grown(400, 600, classes, seed, groups)[:2]) for seed in range(20)]
        stayed, there = np.sum(counts, axis=0)
        assert there > 20 * 50
        assert stayed >= least * there


def test_a_class_of_five_gives_one_test_row() -> None:
    for seed in range(10):
        assigned, _ = assign(table(["a"] * 60 + ["b"] * 60 + ["c"] * 5), SplitSettings(seed=seed))
        assert (assigned.split[-5:] == "test").sum() == 1


def test_a_near_duplicate_added_later_follows_its_unit() -> None:
    """A unit is drawn by its smallest content key: one that is not smaller changes nothing, and none is parted."""
    keys = np.array([f"k{i:03}" for i in range(200)])
    before, _ = assign(table(["a", "b"] * 100), DEFAULT, keys, keys)
    clusters, contents = np.concatenate([keys, keys[:100]]), np.concatenate([keys, [f"m{i:03}" for i in range(100)]])
    after, _ = assign(table([*["a", "b"] * 100, *["a", "b"] * 50]), DEFAULT, clusters, contents)
    assert after.split[200:].tolist() == after.split[:100].tolist()
    assert (after.split[:200] == before.split).sum() >= 195  # units have grown, so a margin may give a few back


def earlier(before: Table, keys: np.ndarray) -> EarlierParts:
    return EarlierParts("runs/first", dict(zip(keys.tolist(), before.split.tolist(), strict=True)))


def test_parts_of_an_earlier_run_are_kept_exactly_and_new_rows_drawn() -> None:
    before, after, keys, more = grown(400, 600, 40, seed=0)
    assert kept("test", before, after)[0] < kept("test", before, after)[1]  # else there were nothing to keep
    new = dataclasses.replace(after, split=np.full(600, "", dtype="U5"))
    found, facts = assign(new, DEFAULT, more, more, earlier(before, keys))
    assert found.split[:400].tolist() == before.split.tolist()
    assert {*found.split[400:]} == {"train", "valid", "test"}
    assert (found.split[400:] == "test").sum() == pytest.approx(40, abs=12)
    told = fact(facts, "split").reason
    assert told.startswith("as in runs/first: ")
    assert "200 new rows drawn with seed 0" in told


def test_what_ties_rows_of_two_parts_goes_to_the_test_set() -> None:
    before, _, keys, _ = grown(400, 600, 2, seed=0)
    tested, learnt = np.flatnonzero(before.split == "test")[0], np.flatnonzero(before.split == "train")[0]
    clusters = np.arange(401)
    clusters[[learnt, 400]] = tested
    assert before.targets is not None
    grown_by_one = table([*before.targets.tolist(), before.targets[tested]])
    found, facts = assign(grown_by_one, DEFAULT, clusters, np.append(keys, "new"), earlier(before, keys))
    assert {*found.split[[tested, learnt, 400]]} == {"test"}
    assert (found.split[:400] != before.split).sum() == 1
    assert "1 of its rows moved to another split" in fact(facts, "split").reason


def test_parts_of_a_run_on_other_data_or_beside_given_ones_are_refused() -> None:
    before, _, keys, _ = grown(400, 600, 2, seed=0)
    other = np.array([f"other {i}" for i in range(400)])
    fresh = dataclasses.replace(before, split=np.full(400, "", dtype="U5"))
    with pytest.raises(SettingError, match="none of its 400 rows is among the 400 of the data"):
        assign(fresh, DEFAULT, other, other, earlier(before, keys))
    with pytest.raises(SettingError, match="a split of their own"):
        assign(before, SplitSettings(like="runs/first"), keys, keys, earlier(before, keys))


def test_a_test_share_of_nothing_trains_on_everything() -> None:
    for split in ([""] * 100, ["test"] * 20 + ["train"] * 80):
        assigned, facts = assign(table(["a", "b"] * 50, split=split), SplitSettings(test=0))
        assert {*assigned.split} == {"train", "valid"}
        assert "no test set, as --test-size is 0" in fact(facts, "split").reason
