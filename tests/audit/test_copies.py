"""Copies as findings, and what a cleaned table leaves out of them."""

from __future__ import annotations

import numpy as np

from headstart.audit.applying import left_out
from headstart.audit.copies import find_copies
from tests.audit.tables import pairs, texts


def kinds(found: list) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.kind, one.severity, one.rows) for one in found]


def test_copies_inside_one_part_are_a_note_and_all_but_one_exact_copy_goes() -> None:
    table = texts(["x", "x", "y", "y!", "z"], ["1", "1", "2", "2", "1"])
    found = find_copies(table, np.array(["k", "k", "l", "m", "n"]), pairs((0, 1, 1.0), (2, 3, 0.9)))
    assert kinds(found) == [("duplicate", "note", ("a", "b")), ("near-duplicate", "note", ("c", "d"))]
    assert found[1].evidence["similarity"] == 0.9
    assert [example["text"] for example in found[1].evidence["examples"]] == ["y", "y!"]
    assert [left.row for left in left_out(table, found)] == [1]


def test_a_copy_in_two_given_parts_is_a_leak_and_the_test_part_stays_whole() -> None:
    table = texts(["x", "x", "y", "y!"], ["1", "1", "2", "2"], ["train", "test", "valid", "train"])
    found = find_copies(table, np.array(["k", "k", "l", "m"]), pairs((0, 1, 1.0), (2, 3, 0.9)))
    assert [one.kind for one in found] == ["leak", "leak"]
    assert {one.severity for one in found} == {"error"}
    assert found[0].evidence["parts"] == ["train", "test"]
    assert [left.row for left in left_out(table, found)] == [0, 3]


def test_rows_without_a_part_beside_a_given_test_are_trained_on() -> None:
    found = find_copies(texts(["x", "x"], ["1", "1"], ["", "test"]), np.array(["k", "k"]), pairs((0, 1, 1.0)))
    assert [one.kind for one in found] == ["leak"]


def test_rows_without_any_given_part_cannot_leak() -> None:
    found = find_copies(texts(["x", "x"], ["1", "1"]), np.array(["k", "k"]), pairs((0, 1, 1.0)))
    assert [one.kind for one in found] == ["duplicate"]


def test_copies_with_other_labels_are_label_findings_too() -> None:
    table = texts(["x", "x", "y", "y!"], ["1", "2", "1", "2"])
    found = find_copies(table, np.array(["k", "k", "l", "m"]), pairs((0, 1, 1.0), (2, 3, 0.9)))
    labels = [one for one in found if one.kind == "label"]
    assert [(one.severity, one.rows) for one in labels] == [("error", ("a", "b")), ("warning", ("c", "d"))]
    assert labels[0].evidence["given"] == ["1", "2"]
    # Which of the exact ones is right nobody knows, so neither stays; the others need a look.
    assert [left.row for left in left_out(table, found)] == [0, 1]


def test_multilabel_order_is_no_contradiction_and_values_may_differ_a_little() -> None:
    tags = texts(["x", "x"], [("a", "b"), ("b", "a")], task="multilabel")
    assert [one.kind for one in find_copies(tags, np.array(["k", "k"]), pairs((0, 1, 1.0)))] == ["duplicate"]
    for other, found in ((1.01, ["duplicate"]), (3.0, ["duplicate", "label"])):
        values = texts(["x", "x", "y", "z"], [1.0, other, 0.0, 4.0], task="regression")
        assert [one.kind for one in find_copies(values, np.array(["k", "k", "l", "m"]), pairs((0, 1, 1.0)))] == found


def test_copies_with_tags_at_other_places_contradict_and_others_do_not() -> None:
    said = [("O", "B-PER", "O"), ("B-PER", "O", "O"), ("O", "O"), ("B-PER",)]  # a set of tags has no places
    words = ["met Ann here", "met Ann here", "so it", "so-it"]
    found = find_copies(texts(words, said, task="tag"), np.array(list("kklm")), pairs((0, 1, 1.0), (2, 3, 0.9)))
    [wrong] = [one for one in found if one.kind == "label"]
    assert (wrong.rows, wrong.evidence["given"]) == (("a", "b"), ["Ann (PER)", "met (PER)"])


def test_ids_stay_when_other_rows_come() -> None:
    first = find_copies(texts(["x", "x"], ["1", "1"]), np.array(["k", "k"]), pairs((0, 1, 1.0)))
    later = find_copies(texts(["x", "x", "n"], ["1", "1", "2"]), np.array(["k", "k", "n"]), pairs((0, 1, 1.0)))
    assert first[0].id == later[0].id
    assert first[0].id.startswith("duplicate-")
