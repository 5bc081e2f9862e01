"""Outliers, odd inputs, balance, giveaways and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.audit.balance import find_imbalance
from headstart.audit.giveaway import find_giveaways
from headstart.audit.inputs import find_constant, find_unreadable
from headstart.audit.outliers import distances, find_outliers
from headstart.audit.size import find_small, half_width, rows_for, size_of
from headstart.data.table import Rejected, Table, objects
from headstart.modalities.image.classical import classical
from headstart.tasks import Classification, Regression
from tests.audit.tables import clouds, texts


def test_far_rows_are_outliers_and_a_cloud_has_few() -> None:
    x, _ = clouds(200, width=30)
    strange = np.zeros((3, 30), np.float32)
    strange[:, -3:] = 20 * np.eye(3)
    table = texts(["t"] * 603)
    found = find_outliers(table, np.concatenate([x, strange]))
    assert {one.rows[0] for one in found[:3]} == {"600", "601", "602"}
    assert len(find_outliers(texts(["t"] * 600), x)) <= 3


def test_distances_leave_the_row_itself_out() -> None:
    x, _ = clouds(40)
    assert distances(np.concatenate([x, x]))[0] < distances(x)[0]  # a copy is nearer than any other row
    assert distances(x).min() > 0
    assert distances(x[:1]).tolist() == [0.0]


def test_rows_set_aside_are_told_by_reason() -> None:
    rejected = [Rejected("a", "truncated: 3 bytes"), Rejected("b", "empty text"), Rejected("c", "truncated: 9 bytes")]
    found = find_unreadable(rejected)
    assert [(one.rows, one.kind) for one in found] == [(("a", "c"), "unreadable"), (("b",), "unreadable")]


def test_texts_and_pictures_that_show_nothing() -> None:
    assert [one.rows for one in find_constant(texts(["a word", "...", "42", "?!"]), None)] == [("b", "d")]
    assert find_constant(texts(["fine"]), None) == []
    rng = np.random.default_rng(0)
    flat, noise = np.full((64, 64, 3), 90, np.uint8), rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    lines = flat.copy()
    lines[::8] = 200
    dim = np.linspace(0, 12, 64).astype(np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    grain = (flat + rng.integers(0, 2, flat.shape)).astype(np.uint8)
    features = np.stack([classical(picture) for picture in (flat, noise, lines, dim, grain)])
    table = Table(np.array(list("abcde")), objects("vwxyz"), None, np.array([""] * 5), "image")
    assert [one.rows for one in find_constant(table, features)] == [("a", "e")]


def test_classes_rare_uneven_and_absent() -> None:
    labels = ["big"] * 60 + ["small"] * 4
    found = find_imbalance(texts(["t"] * 64, labels, ["train"] * 60 + ["train", "train", "train", "valid"]))
    told = {one.id: one for one in found}
    assert len(told) == len(found) == 3
    assert [one.severity for one in found] == ["warning", "note", "warning"]
    assert found[0].evidence["counts"] == {"small": 4}
    assert len(found[0].rows) == 4
    assert found[2].evidence["classes"] == ["big"]


@pytest.mark.parametrize(
    ("targets", "task"), [(["x"] * 9, "classification"), ([()] * 9, "multilabel"), ([2.0] * 9, "regression")]
)
def test_nothing_to_learn_is_an_error(targets: list, task: str) -> None:
    assert [one.severity for one in find_imbalance(texts(["t"] * 9, targets, task=task))] == ["error"]


def test_even_classes_are_fine() -> None:
    assert find_imbalance(texts(["t"] * 40, ["x", "y"] * 20)) == []


def pictures(folder: Path, name: str, side: str) -> Table:
    """60 pictures of noise, half of each class; ``name`` and ``side`` may hold "{label}" and "{i}"."""
    rng = np.random.default_rng(0)
    paths, labels = [], []
    for i in range(60):
        label = ("ant", "bee")[i % 2]
        height = {"same": 24, "told": 24 + 8 * (label == "ant")}[side]
        path = folder / label / f"{name.format(label=label, i=i)}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (height, 24, 3)).astype(np.uint8)).save(path)
        paths.append(str(path))
        labels.append(label)
    ids = np.array([f"{i}" for i in range(60)])
    return Table(ids, objects(paths), objects(labels), np.array([""] * 60), "image", "classification")


def test_names_that_tell_the_label(tmp_path: Path) -> None:
    found = find_giveaways(pictures(tmp_path, "site-{label}s_{i}", "same"), np.arange(60))
    assert [one.evidence["property"] for one in found] == ["file name"]
    assert {(word, label) for word, label, *_ in found[0].evidence["clues"][:2]} == {("ants", "ant"), ("bees", "bee")}
    assert found[0].evidence["accuracy"] == 1


def test_dimensions_that_tell_the_label(tmp_path: Path) -> None:
    told = {one.evidence["property"] for one in find_giveaways(pictures(tmp_path, "{i}", "told"), np.arange(60))}
    assert told == {"picture dimensions", "file size"}


def test_class_folders_and_running_numbers_tell_nothing(tmp_path: Path) -> None:
    assert find_giveaways(pictures(tmp_path, "{i}", "same"), np.arange(60)) == []


def test_lengths_that_tell_the_label() -> None:
    rng = np.random.default_rng(0)
    labels = ["short", "long"] * 40
    said = [" ".join(["word"] * int(rng.integers(3, 9) + 20 * (label == "long"))) for label in labels]
    assert [one.evidence["property"] for one in find_giveaways(texts(said, labels), np.arange(80))] == ["text length"]
    mixed = [" ".join(["word"] * int(rng.integers(3, 29))) for _ in labels]
    assert find_giveaways(texts(mixed, labels), np.arange(80)) == []


def test_size_says_how_wide_and_how_many() -> None:
    assert half_width(0.9, rows_for(0.9, 0.05)) <= 0.05
    assert half_width(0.9, rows_for(0.9, 0.05) - 20) > 0.05
    y = np.repeat([0, 1], 20)
    answers = np.eye(2)[y] * 0.8 + 0.1
    small = size_of(y, Classification, answers, 8)
    assert (small.rows, small.per_class, small.accuracy) == (40, 20, 1.0)
    assert [one.kind for one in find_small(small)] == ["size"]
    assert find_small(size_of(y, Classification, answers, 800)) == []
    assert find_small(size_of(y[:, None] * 1.0, Regression, None, 8)) == []
