"""The tasks of the benchmarks: sizes, labels, fixed test parts, and nothing on both sides."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from benchmarks.benchmark import Unavailable
from benchmarks.examples import Example, capped, few
from benchmarks.pools import HELD_OUT_SPEAKERS, POOLS, SIDE
from benchmarks.spectrogram import mel_filters, spectrogram
from benchmarks.strategies import SEEDED
from benchmarks.tasks import QUICK, QUICK_TASKS, TASKS, Built, Limits, Task, build, parts
from PIL import Image
from scipy.io import wavfile

NAMED = {task.name: task for task in TASKS}


def made_up(counts: dict[str, int], groups: int = 1) -> list[Example]:
    """Examples of so many a label, their groups in turn."""
    return [
        Example(f"{label}{i}", label, "text", str(i % groups)) for label, count in counts.items() for i in range(count)
    ]


def test_there_are_enough_tasks_and_the_named_ones_are_among_them() -> None:
    assert len(NAMED) == len(TASKS) >= 14
    assert {*SEEDED, *QUICK_TASKS} <= NAMED.keys()
    assert {task.data for task in TASKS} == POOLS.keys()


def test_a_cut_has_as_many_of_every_class_and_lies_in_the_larger_cut() -> None:
    examples = made_up({"a": 9, "b": 30, "c": 12}, groups=3)
    small, large = few(examples, 3, seed=1), few(examples, 6, seed=1)
    assert Counter(example.label for example in small) == {"a": 3, "b": 3, "c": 3}
    assert Counter((example.label, example.group) for example in large) == {(c, g): 2 for c in "abc" for g in "012"}
    assert {example.key for example in small} < {example.key for example in large}
    assert few(examples, 3, seed=1) == small
    assert few(examples, 3, seed=2) != small
    with pytest.raises(ValueError, match="'a' has 9 examples, 10"):
        few(examples, 10, seed=0)


def test_a_cap_is_even_over_the_classes() -> None:
    examples = made_up({"a": 2, "b": 30, "c": 30})
    assert Counter(example.label for example in capped(examples, 12, seed=0)) == {"a": 2, "b": 5, "c": 5}
    assert capped(examples, 62, seed=0) == examples


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_real_tasks_keep_train_and_test_apart(task: Task, real_data: Callable[[str], Path]) -> None:
    if task.data != "digits":
        real_data(task.data)
    rows, other = parts(task), parts(task, seed=1)
    labels = {example.label for example in rows.train}
    assert {example.label for example in rows.test} == labels
    assert {example.key for example in rows.train}.isdisjoint(example.key for example in rows.test)
    assert len(rows.test) <= Limits.test
    assert rows.test == other.test
    if rows.modality == "image":
        assert len(rows.train) <= Limits.pictures
    else:
        assert {example.content for example in rows.train}.isdisjoint(example.content for example in rows.test)
    if task.per_class:
        assert len(rows.train) == task.per_class * len(labels)
        assert rows.train != other.train


def test_spoken_digits_are_tested_on_other_speakers(real_data: Callable[[str], Path]) -> None:
    real_data("fsdd")
    rows = parts(NAMED["fsdd"])
    assert (len(rows.train), rows.whole, len(rows.test)) == (1_500, 2_000, 1_000)
    assert {example.group for example in rows.test} == set(HELD_OUT_SPEAKERS)
    assert set(HELD_OUT_SPEAKERS).isdisjoint(example.group for example in rows.train)


def test_cells_are_few_and_from_other_photos(real_data: Callable[[str], Path]) -> None:
    real_data("bccd")
    rows = parts(NAMED["bccd"])
    assert len(rows.train) + len(rows.test) <= 600
    photos = [{example.key.split("-")[0] for example in part} for part in (rows.train, rows.test)]
    assert photos[0].isdisjoint(photos[1])


def test_enlarged_digits_are_written_as_class_folders(tmp_path: Path) -> None:
    built = build(NAMED["digits-5"], tmp_path / "task", limits=QUICK)
    files = {part: sorted((tmp_path / "task" / part).rglob("*.png")) for part in ("train", "test")}
    assert (len(files["train"]), len(files["test"])) == (built.train_rows, built.test_rows) == (20, 40)
    assert {path.parent.name for path in files["train"]} == {"0", "1", "2", "3"}
    assert Image.open(files["train"][0]).size == (SIDE, SIDE)
    hashes = [{hashlib.sha256(path.read_bytes()).hexdigest() for path in found} for found in files.values()]
    assert hashes[0].isdisjoint(hashes[1])
    assert built.arguments == ("--test", str(tmp_path / "task" / "test"))


def test_texts_and_grouped_pictures_are_written_as_tables(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    real_data("banking77")
    real_data("fsdd")
    queries = build(NAMED["banking77-5"], tmp_path / "texts", limits=QUICK)
    assert Counter(row["label"] for row in _read(queries)).most_common()[-1][1] == 5
    digits = build(NAMED["fsdd-5"], tmp_path / "sound", limits=QUICK)
    rows = _read(digits)
    assert {Image.open(digits.source.parent / row["path"]).size for row in rows} == {(SIDE, SIDE)}
    assert Counter(row["label"] for row in rows) == {"0": 5, "1": 5, "2": 5, "3": 5}
    assert "--group" in digits.arguments


def _read(built: Built) -> list[dict[str, str]]:
    with built.source.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_missing_data_set_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    with pytest.raises(Unavailable, match="'clinc150'"):
        POOLS["clinc150"]()


def test_a_tone_is_a_bright_line_at_its_height(tmp_path: Path) -> None:
    heights = []
    for hertz in (500, 2_000):
        tone = (20_000 * np.sin(2 * np.pi * hertz * np.arange(4_000) / 8_000)).astype(np.int16)
        wavfile.write(tmp_path / "tone.wav", 8_000, tone)
        pixels = np.asarray(spectrogram(tmp_path / "tone.wav", 64)).astype(float)  # [64, 64]
        heights.append(int(pixels[:, 32].argmax()))
        assert pixels[:, :8].max() == 0  # silence on both sides
        assert pixels[:, -8:].max() == 0
    assert heights[0] > heights[1]  # low sounds at the bottom


def test_every_mel_band_hears_something() -> None:
    filters = mel_filters(8_000, 257)
    assert filters.shape == (64, 257)
    assert (filters >= 0).all()
    assert (filters.sum(1) > 0).all()
