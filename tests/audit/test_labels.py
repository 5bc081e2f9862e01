"""Label mistakes: planted ones are found, and a copy does not vouch for its own mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.audit.labels import find_label_mistakes, suspects
from headstart.bases.catalogue import open_base
from headstart.data.source import open_source
from headstart.tasks import Classification, Regression
from headstart.training.features import extract
from tests.audit.tables import clouds, texts


def flipped(y: np.ndarray, classes: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which ``share`` are another class, and which these are [n] bool."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(len(y), bool)
    wrong[rng.choice(len(y), round(share * len(y)), replace=False)] = True
    return np.where(wrong, (y + rng.integers(1, classes, len(y))) % classes, y), wrong


def test_planted_mistakes_rank_first_and_are_flagged() -> None:
    x, y = clouds(60)
    given, wrong = flipped(y, 3, 0.1)
    found = suspects(x, given, "classification", 3, np.arange(len(y)))
    assert wrong[found.order[: wrong.sum()]].mean() >= 0.9
    assert wrong[found.flagged].mean() >= 0.9
    assert wrong[found.flagged].sum() >= 0.8 * wrong.sum()
    assert (found.suggested[found.flagged].argmax(1) == y[found.flagged]).mean() >= 0.9


def test_clean_labels_are_left_alone() -> None:
    x, y = clouds(60)
    assert len(suspects(x, y, "classification", 3, np.arange(len(y))).flagged) <= 1


def test_a_copy_does_not_vouch_for_its_own_mistake() -> None:
    x, y = clouds(40, width=200)
    x[:5], y[:5] = x[:1], 1  # one row of class 0, five times, labelled 1
    alone = suspects(x, y, "classification", 3, np.arange(len(y)))
    together = suspects(x, y, "classification", 3, np.r_[np.zeros(5, int), np.arange(1, len(y) - 4)])
    assert together.quality[:5].max() < 0.5 < alone.quality[:5].min()


def test_classes_too_small_to_be_known_are_not_judged() -> None:
    x, y = clouds(30)
    y = np.append(y, 3)
    x = np.concatenate([x, x[:1]])
    found = suspects(x, y, "classification", 4, np.arange(len(y)))
    assert np.isnan(found.quality[-1])
    assert len(found.order) == len(y) - 1
    assert len(y) - 1 not in found.flagged


def test_several_labels_and_values() -> None:
    x, y = clouds(60)
    tags = np.eye(3)[y]
    tags[0] = [0, 1, 1]
    found = suspects(x, tags, "multilabel", 3, np.arange(len(y)))
    assert found.order[0] == 0
    assert 0 in found.flagged
    values = x @ np.linspace(0, 1, x.shape[1])[:, None]
    values[7] += 50
    assert suspects(x, values, "regression", 1, np.arange(len(y))).flagged.tolist() == [7]


@pytest.mark.parametrize(("by", "factor"), [(0.0, 1.0), (1.7e9, 40.0), (0.0, 1e5), (0.0, 1e-5)])
def test_values_are_doubted_alike_in_every_unit(by: float, factor: float) -> None:
    x, _ = clouds(60)
    values = x @ np.linspace(0, 1, x.shape[1])[:, None]
    values[7] += 50
    values[11] -= 30
    y = by + factor * values
    found = suspects(x, y, "regression", 1, np.arange(len(y)))
    assert found.flagged.tolist() == [7, 11]
    assert len(np.unique(found.quality)) > 0.9 * len(y)
    table = texts([f"t{i}" for i in range(len(y))], y[:, 0].tolist(), task="regression")
    first = find_label_mistakes(table, y, Regression(), found)[0]
    said = float(first.evidence["suggested"])
    assert abs(said - y[7, 0]) == pytest.approx(50 * factor, rel=0.2)
    assert first.evidence["given"] == [f"{y[7, 0]:.15g}"]


def test_too_few_rows_are_no_ground_for_doubt() -> None:
    x, y = clouds(2)
    found = suspects(x, y, "classification", 3, np.arange(len(y)))
    assert len(found.flagged) == len(found.order) == 0


def test_a_finding_names_both_labels() -> None:
    x, y = clouds(30, classes=2)
    y[0] = 1
    names = ["ant" if c == 0 else "bee" for c in y]
    task = Classification(("ant", "bee"))
    found = suspects(x, y, "classification", 2, np.arange(len(y)))
    first = find_label_mistakes(texts(["t"] * len(y), names), y, task, found)[0]
    assert (first.kind, first.rows, first.evidence["given"], first.evidence["suggested"]) == (
        "label",
        ("0",),
        ["bee"],
        "ant",
    )


@pytest.mark.slow
def test_banking77(real_data: Callable[[str], Path]) -> None:
    """5 % of the labels flipped: the 7 % that rank worst hold at least 95 % of them."""
    table = open_source(real_data("banking77") / "train.csv").table
    y = np.unique(table.targets.astype(str), return_inverse=True)[1]
    given, wrong = flipped(y, 77, 0.05)
    x = extract(open_base(None, "text"), table.inputs).vectors
    found = suspects(x, given, "classification", 77, np.arange(len(y)))
    assert wrong[found.order[: round(0.07 * len(y))]].sum() >= 0.95 * wrong.sum()
    assert wrong[found.flagged].mean() >= 0.8
