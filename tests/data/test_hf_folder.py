"""What datasets.save_to_disk writes."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from headstart.data.source import open_source
from headstart.errors import LabelError, SourceError, SplitError

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    datasets.disable_progress_bars()


def texts(labels: list[int]) -> Any:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["ham", "spam"])}
    )
    rows = {"text": [f"t{i}" for i in range(len(labels))], "label": labels}
    return datasets.Dataset.from_dict(rows, features=features)


def test_class_names_become_labels(tmp_path: Path) -> None:
    texts([0, 1, 1]).save_to_disk(tmp_path / "set")
    table = open_source(tmp_path / "set").table
    assert table.targets is not None
    assert table.targets.tolist() == ["ham", "spam", "spam"]
    assert table.ids.tolist() == ["set:1", "set:2", "set:3"]
    assert set(table.split) == {""}


def test_rows_that_were_selected(tmp_path: Path) -> None:
    texts([0, 1, 1]).select([2, 0]).save_to_disk(tmp_path / "set")
    assert open_source(tmp_path / "set").table.inputs.tolist() == ["t2", "t0"]


def test_splits_and_aliases(tmp_path: Path) -> None:
    parts = {"train": texts([0, 1]), "validation": texts([1]), "test": texts([0]), "unsupervised": texts([0])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "set")
    opened = open_source(tmp_path / "set")
    assert opened.table.split.tolist() == ["train", "train", "valid", "test"]
    assert opened.table.ids.tolist() == ["train:1", "train:2", "validation:1", "test:1"]
    assert [r.id for r in opened.rejected] == ["unsupervised"]


def test_splits_of_other_names(tmp_path: Path) -> None:
    datasets.DatasetDict({"all": texts([0, 1])}).save_to_disk(tmp_path / "one")
    assert set(open_source(tmp_path / "one").table.split) == {""}
    datasets.DatasetDict({"a": texts([0]), "b": texts([1])}).save_to_disk(tmp_path / "two")
    with pytest.raises(SplitError, match="'a', 'b'"):
        open_source(tmp_path / "two")


def test_missing_labels_are_marked_by_minus_one(tmp_path: Path) -> None:
    texts([0, -1, 1]).save_to_disk(tmp_path / "set")
    with pytest.raises(LabelError, match="set:2"):
        open_source(tmp_path / "set")


def test_images_stay_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = io.BytesIO()
    Image.new("RGB", (4, 4)).save(encoded, "PNG")
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b"])})
    cells = [{"bytes": encoded.getvalue(), "path": None}, {"bytes": b"not decoded", "path": None}]
    rows = {"image": cells, "label": [0, 1]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    table = open_source(tmp_path / "set").table
    assert table.modality == "image"
    assert table.inputs.tolist() == [encoded.getvalue(), b"not decoded"]


def test_lists_of_classes(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "labels": datasets.Sequence(datasets.ClassLabel(names=["a", "b"]))}
    )
    rows = {"text": ["x", "y"], "labels": [[0, 1], []]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    table = open_source(tmp_path / "set").table
    assert table.targets is not None
    assert (table.task, table.targets.tolist()) == ("multilabel", [("a", "b"), ()])


def test_damaged_or_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts([0, 1]).save_to_disk(tmp_path / "set")
    (tmp_path / "set" / "state.json").write_text("{}")
    with pytest.raises(SourceError, match="datasets cannot read it"):
        open_source(tmp_path / "set")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(SourceError, match=r"pip install 'headstart\[datasets\]'"):
        open_source(tmp_path / "set")
