"""Folders of images."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.data.source import open_source
from headstart.errors import ColumnError, SettingError, SourceError, SplitError
from headstart.settings import SourceSettings
from tests.data.making import fact, touch


def test_class_folders(tmp_path: Path) -> None:
    root = touch(tmp_path, "dogs/b.PNG", "dogs/a.jpg", "cats/z.webp")
    opened = open_source(root)
    assert opened.table.ids.tolist() == ["cats/z.webp", "dogs/a.jpg", "dogs/b.PNG"]
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == ["cats", "dogs", "dogs"]
    assert opened.table.inputs.tolist() == [str(root / i) for i in opened.table.ids]
    assert (opened.table.modality, opened.table.task) == ("image", "classification")
    assert set(opened.table.split) == {""}
    assert "cats, dogs" in fact(opened.facts, "task").reason
    assert opened.rejected == ()


@pytest.mark.parametrize("valid", ["valid", "val", "validation", "dev"])
def test_part_folders_and_aliases(tmp_path: Path, valid: str) -> None:
    root = touch(tmp_path, "train/a/1.png", f"{valid}/a/1.png", "test/b/1.png")
    table = open_source(root).table
    assert dict(zip(table.ids, table.split, strict=True)) == {
        "train/a/1.png": "train",
        f"{valid}/a/1.png": "valid",
        "test/b/1.png": "test",
    }


def test_two_folders_for_one_part(tmp_path: Path) -> None:
    root = touch(tmp_path, "train/a/1.png", "val/a/1.png", "dev/a/1.png")
    with pytest.raises(SplitError, match=r"'dev' and 'val' would be the valid part"):
        open_source(root)


def test_a_class_called_train_among_others(tmp_path: Path) -> None:
    root = touch(tmp_path, "train/1.png", "car/1.png", "plane/1.png")
    table = open_source(root).table
    assert table.targets is not None
    assert sorted(table.targets) == ["car", "plane", "train"]
    assert set(table.split) == {""}


def test_hidden_files_are_ignored_and_others_set_aside(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "a/.DS_Store", "a/Thumbs.db", "__MACOSX/a/1.png", ".git/x.png")
    touch(root, "a/notes.txt", "a/more/2.png", "b/1.png", "loose.png", "README.md")
    (root / "a" / "gone.png").symlink_to(root / "nowhere.png")
    opened = open_source(root)
    assert opened.table.ids.tolist() == ["a/1.png", "b/1.png"]
    reasons = {r.id: r.reason for r in opened.rejected}
    assert reasons.keys() == {"a/notes.txt", "a/more", "loose.png", "README.md", "a/gone.png"}
    assert "not an image" in reasons["a/notes.txt"]
    assert "class folder" in reasons["loose.png"]
    assert "not read" in reasons["a/more"]
    assert "broken link" in reasons["a/gone.png"]


def test_folder_of_no_image_is_no_class_and_said(tmp_path: Path) -> None:
    opened = open_source(touch(tmp_path, "a/1.png", "b/1.png", "docs/x.txt"))
    assert opened.table.targets is not None
    assert set(opened.table.targets) == {"a", "b"}
    assert fact(opened.facts, "empty folders").value == "docs"


def test_flat_folder_and_single_file_are_unlabelled(tmp_path: Path) -> None:
    root = touch(tmp_path, "2.png", "1.jpg")
    table = open_source(root).table
    assert table.ids.tolist() == ["1.jpg", "2.png"]
    assert table.targets is None
    assert table.task == ""
    one = open_source(root / "2.png").table
    assert one.inputs.tolist() == [str(root / "2.png")]
    assert one.targets is None


def test_relative_source_gives_absolute_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "set/a/1.png", "set/b/1.png")
    monkeypatch.chdir(tmp_path)
    table = open_source("set").table
    assert table.inputs[0] == str(tmp_path / "set/a/1.png")
    assert table.ids[0] == "a/1.png"


def test_part_is_forced(tmp_path: Path) -> None:
    root = touch(tmp_path, "train/a/1.png", "test/b/1.png")
    opened = open_source(root, part="test")
    assert set(opened.table.split) == {"test"}
    assert any(f.value == "all test" for f in opened.facts)
    with pytest.raises(SettingError, match="train, valid, test"):
        open_source(root, part="dev")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "the folder is empty"),
        ([".hidden.png"], "the folder is empty"),
        (["a/x.txt", "b/y.xml"], r"no image found \(but .txt, .xml files\)"),
        (["a/x.wav", "b/y.wav"], "audio is not supported yet"),
        (["inner/a/1.png", "inner/b/1.png"], r"no image found.*Did you mean .*inner\?"),
    ],
)
def test_folders_without_images(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_source(touch(tmp_path, *files))
    assert "\n" not in str(caught.value)


def test_settings_that_a_folder_cannot_honour(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "b/1.png")
    with pytest.raises(ColumnError, match="no columns; drop --target, --group"):
        open_source(root, SourceSettings(target=("x",), group="y"))
    with pytest.raises(SettingError, match="regression"):
        open_source(root, SourceSettings(task="regression"))
    with pytest.raises(SettingError, match="text"):
        open_source(root, SourceSettings(modality="text"))


def test_no_such_path(tmp_path: Path) -> None:
    touch(tmp_path, "flowers/a/1.png")
    with pytest.raises(SourceError, match=r"no such file or folder. Did you mean 'flowers'\?"):
        open_source(tmp_path / "flower")


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """In memory where the system has such a place: making the files is the slow part."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_twenty_thousand_files_open_quickly(quick_folder: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (quick_folder / name).mkdir()
        for i in range(5000):
            os.close(os.open(quick_folder / name / f"{i:05}.jpg", os.O_CREAT | os.O_WRONLY))
    start = time.perf_counter()
    opened = open_source(quick_folder)
    assert time.perf_counter() - start < 0.8  # seconds; about 0.1 on two cores
    assert len(opened.table) == 20_000
