"""What a run keeps of its rows: written, read back, and refused where it cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.delivery.answers import FILE, Answers
from headstart.errors import BundleError, SettingError
from headstart.tasks import get


def made(task: str = "classification", n: int = 6) -> Answers:
    rng = np.random.default_rng(0)
    p = rng.random((n, 1 if task == "regression" else 3)).astype(get(task).precision)
    truth = {
        "classification": np.arange(n) % 3,
        "multilabel": (rng.random((n, 3)) < 0.5).astype(np.float32),
        "regression": 1.7e9 + rng.normal(size=(n, 1)),
    }[task]
    if task == "classification":
        p /= p.sum(axis=1, keepdims=True)
    part = np.where(np.arange(n) < n // 2, "held", "test")
    ids = np.array([f"pets/{i}, ü.png" for i in range(n)])
    keys = np.array([f"{i:064x}" for i in range(n)])
    fold = np.where(part == "held", np.arange(n) % 2, 0)
    labels = () if task == "regression" else ("ant", "bee", "wäsp")
    return Answers(part, ids, keys, truth, p, fold, labels, task, "accuracy")


@pytest.mark.parametrize("task", ["classification", "multilabel", "regression"])
@pytest.mark.parametrize("n", [6, 0])
def test_what_is_read_is_what_was_saved(task: str, n: int, tmp_path: Path) -> None:
    answers = made(task, n)
    answers.save(tmp_path / FILE)
    for place in (tmp_path, tmp_path / FILE):
        read = Answers.load(place)
        for name in ("part", "ids", "keys", "truth", "probabilities", "fold"):
            np.testing.assert_array_equal(getattr(read, name), getattr(answers, name))
        assert (read.labels, read.task, read.metric) == (answers.labels, task, "accuracy")
        assert read.probabilities.dtype == get(task).precision
        assert read.probabilities.shape == answers.probabilities.shape


def test_a_part_has_its_rows_only() -> None:
    assert made().part_of("test").ids.tolist() == made().ids[3:].tolist()
    assert len(made().part_of("held")) == 3
    with pytest.raises(SettingError, match="'train'"):
        made().part_of("train")


def test_probabilities_that_cannot_be_judged_are_refused() -> None:
    answers = made()
    with pytest.raises(SettingError, match="do not sum to one"):
        replace(answers, probabilities=answers.probabilities * 0.5)
    with pytest.raises(SettingError, match="not finite"):
        replace(answers, probabilities=answers.probabilities * np.nan)
    with pytest.raises(SettingError, match="ids has 5 rows"):
        replace(answers, ids=answers.ids[:5])
    with pytest.raises(SettingError, match="3 columns for 2 outputs"):
        replace(answers, labels=("ant", "bee"))
    with pytest.raises(SettingError, match="'train'"):
        replace(answers, part=np.array(["train"] * 6))


def test_a_run_without_answers_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="keeps no answers"):
        Answers.load(tmp_path)


def test_a_damaged_file_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / FILE
    made().save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BundleError, match="cannot be read as answers") as caught:
        Answers.load(path)
    assert "\n" not in str(caught.value)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"]}), tmp_path / FILE)
    with pytest.raises(BundleError, match="cannot be read as answers"):
        Answers.load(tmp_path)
    said = {b"headstart": b'{"schema": 1, "task": "classification", "metric": "accuracy", "labels": ["a", "b"]}'}
    pq.write_table(pa.table({"text": ["a"]}).replace_schema_metadata(said), tmp_path / FILE)
    with pytest.raises(BundleError, match="is damaged"):
        Answers.load(tmp_path)


def test_a_newer_layout_asks_for_an_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.delivery.answers._PLAIN", 99)
    made().save(tmp_path / FILE)
    monkeypatch.undo()
    with pytest.raises(BundleError, match="upgrade headstart"):
        Answers.load(tmp_path)
