"""Folders of images."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from headstart.data.sheet import Choice
from headstart.data.source import open_source
from headstart.errors import ColumnError, SettingError, SourceError, SplitError
from headstart.settings import SourceSettings
from tests.counting import calls
from tests.data.making import fact, touch, write


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
    with pytest.raises(SplitError, match=r"'dev' and 'val' would be the valid split"):
        open_source(root)


def test_a_class_called_train_among_others(tmp_path: Path) -> None:
    root = touch(tmp_path, "train/1.png", "car/1.png", "plane/1.png")
    table = open_source(root).table
    assert table.targets is not None
    assert sorted(table.targets) == ["car", "plane", "train"]
    assert set(table.split) == {""}


def test_what_cannot_be_a_row_is_set_aside(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "a/2.heic", "b/1.png", "b/film.mp4", "loose.png")
    (root / "a" / "gone.png").symlink_to(root / "nowhere.png")
    opened = open_source(root)
    assert opened.table.ids.tolist() == ["a/1.png", "b/1.png"]
    reasons = {r.id: r.reason for r in opened.rejected}
    assert reasons.keys() == {"a/2.heic", "b/film.mp4", "loose.png", "a/gone.png"}
    assert "not an image" in reasons["a/2.heic"]
    assert "class folder" in reasons["loose.png"]
    assert "broken link" in reasons["a/gone.png"]


def test_notes_beside_the_images_are_no_rows_and_counted(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "a/1.xml", "a/1.png.json", "a/1.mov", "b/1.png", "b/Thumbs.db", "README.md")
    opened = open_source(root)
    assert opened.rejected == ()
    said = fact(opened.facts, "not read")
    assert said.value == "4 other files"
    assert all(f"1 {kind}" in said.reason for kind in (".xml", ".json", ".mov", ".md"))


def test_hidden_images_are_not_read_and_counted(tmp_path: Path) -> None:
    root = touch(tmp_path, "java/1.png", "rust/1.png", "rust/.2.png", "rust/._1.png", "rust/.DS_Store")
    touch(root, ".NET/1.png", ".NET/deep/2.png", ".git/HEAD", "rust/@eaDir/1.png/thumb.jpg", "__MACOSX/rust/._1.png")
    opened = open_source(root)
    assert opened.table.ids.tolist() == ["java/1.png", "rust/1.png"]
    said = fact(opened.facts, "not read")
    assert said.value == "4 hidden images"
    assert ".NET 2, rust/.2.png 1, rust/@eaDir 1" in said.reason
    with pytest.raises(SourceError, match=r"the folder is empty, save those in \.NET \(2\)"):
        open_source(touch(tmp_path / "only", ".NET/1.png", ".NET/2.png"))


def test_folders_inside_a_class_folder_are_of_that_class(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "a/day/2.png", "a/day/late/3.png", "b/only/1.png", "b/v1.0/2.png")
    opened = open_source(root)
    assert opened.table.targets is not None
    assert dict(zip(opened.table.ids, opened.table.targets, strict=True)) == {
        "a/1.png": "a",
        "a/day/2.png": "a",
        "a/day/late/3.png": "a",
        "b/only/1.png": "b",
        "b/v1.0/2.png": "b",
    }
    said = fact(opened.facts, "nested folders")
    assert said.value == "4 images in 4 folders inside class folders"
    assert "a/day 2, a/day/late 1, b/only 1, b/v1.0 1" in said.reason.replace("a/day 1", "a/day 2")
    parted = open_source(touch(tmp_path / "parted", "train/a/1.png", "train/b/1.png", "test/a/x/1.png", "test/b/1.png"))
    assert parted.table.split.tolist() == ["train", "train", "test", "test"]


def test_two_levels_of_folders_leave_the_classes_open(tmp_path: Path) -> None:
    root = touch(tmp_path / "set", "animals/cat/1.png", "animals/dog/1.png", "plants/rose/1.png")
    with pytest.raises(SourceError, match=r"animals/cat 1, animals/dog 1, plants/rose 1.*it is unclear which are the"):
        open_source(root)
    unlabelled = open_source(root, SourceSettings(target=())).table
    assert (len(unlabelled), unlabelled.targets) == (3, None)


def test_a_link_back_is_followed_once(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "b/1.png")
    (root / "a" / "again").symlink_to(root / "a")
    opened = open_source(root)
    assert opened.table.ids.tolist() == ["a/1.png", "b/1.png"]
    assert [r.reason for r in opened.rejected] == ["a link to a folder above it: not read"]


def test_what_headstart_wrote_is_no_data(tmp_path: Path) -> None:
    root = touch(tmp_path, "a/1.png", "b/1.png", "audit/x/audit.html", "audit/x/audit.json", "audit/x/odd.bin")
    touch(root, *(f"runs/x/{name}" for name in ("result.json", "report.html", "answers.parquet", "bundle/head.bin")))
    opened = open_source(root)
    assert opened.rejected == ()
    assert fact(opened.facts, "not read").value == "audit/x/, runs/x/"
    assert [f for f in opened.facts if f.what == "empty folders"] == []


def test_one_name_in_two_forms_of_unicode_is_one_class(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    root = touch(tmp_path / "whole", f"{one}/1.png", f"{two}/2.png", "b/1.png")
    opened = open_source(root)
    assert opened.table.targets is not None
    assert sorted(opened.table.targets) == ["b", one, one]
    assert "1 labels in decomposed Unicode" in fact(opened.facts, "labels").reason
    root = touch(tmp_path / "parted", f"train/{one}/1.png", "train/b/1.png", f"valid/{two}/1.png", "valid/b/1.png")
    table = open_source(root).table
    assert table.targets is not None
    assert set(table.targets) == {"b", one}


def test_a_name_that_is_not_utf8_is_escaped_and_its_file_still_found(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    Path(os.fsdecode(folder + b"/\xff.png")).touch()
    touch(tmp_path, "b/1.png")
    opened = open_source(tmp_path)
    assert opened.table.ids.tolist() == ["b/1.png", "caf\\xe9/\\xff.png"]
    assert opened.table.targets is not None
    assert opened.table.targets.tolist() == ["b", "caf\\xe9"]
    assert all(os.path.isfile(path) for path in opened.table.inputs)
    assert "1 labels are not valid Unicode" in fact(opened.facts, "labels").reason


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
        (["a/x.txt", "b/y.xml"], r"no image or audio file found \(but .txt, .xml files\)"),
        (["inner/a/1.png", "inner/b/1.png"], r"no image.* found.*Did you mean .*inner\?"),
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


def test_the_work_of_opening_a_folder_is_in_proportion_to_its_files(tmp_path: Path) -> None:
    def folder(files: int) -> Path:
        for name in ("a", "b"):
            (tmp_path / str(files) / name).mkdir(parents=True)
            for i in range(files // 2):
                os.close(os.open(tmp_path / str(files) / name / f"{i:05}.jpg", os.O_CREAT | os.O_WRONLY))
        return tmp_path / str(files)

    few, many = folder(200), folder(2_000)
    open_source(few)  # imports
    assert calls(lambda: open_source(many)) < 13 * calls(lambda: open_source(few))
    assert len(open_source(many).table) == 2_000


@pytest.mark.parametrize(
    "litter",
    [
        *("@eaDir/1.png/THUMB.jpg", "@tmp/1.png", "#recycle/1.png", "#snapshot/1.png", "$Recycle.Bin/1.png"),
        *("System Volume Information/1.png", "Network Trash Folder/1.png", "lost+found/1.png", "__pycache__/1.png"),
        *("a/THUMBS.DB", "a/Desktop.ini", "a/ehthumbs_vista.db", "a/~$list.docx", "a/1.png:Zone.Identifier"),
        *("a/.picasa.ini", "a/Picasa.ini", "a/.DS_Store", "a/._1.png", "a/other.xmp", "a/link.lnk", "a/2.png.part"),
    ],
)
def test_litter_is_neither_class_nor_row(tmp_path: Path, litter: str) -> None:
    opened = open_source(touch(tmp_path, "a/1.png", "b/1.png", litter))
    assert opened.table.ids.tolist() == ["a/1.png", "b/1.png"]
    assert opened.rejected == ()
    assert not [f for f in opened.facts if f.what == "empty folders"]


INPUTS = SourceSettings(target=())


def test_vectors_written_beside_the_images_are_no_image(tmp_path: Path) -> None:
    opened = open_source(touch(tmp_path, "1.png", "v.npy", "v.rows.csv", "own.npy"), INPUTS)
    assert opened.table.ids.tolist() == ["1.png", "own.npy"]
    assert "v.npy" in [f.value for f in opened.facts if f.what == "not read"]


def test_answers_written_beside_the_images_do_not_hide_them(tmp_path: Path) -> None:
    root = touch(tmp_path, "1.png", "sub/deep/2.png", "runs/x/result.json", "runs/x/report.html")
    touch(root, "runs/x/answers.parquet", "runs/x/3.png")
    write(root / "answers.csv", "input,label", "1.png,a")
    for settings in (INPUTS, SourceSettings(target=(), modality="image")):
        assert open_source(root, settings).table.ids.tolist() == ["1.png", "sub/deep/2.png"]
    like = Choice("file", (), "image", firm=False)
    assert open_source(root, INPUTS, like=like).table.ids.tolist() == ["1.png", "sub/deep/2.png"]


def test_a_table_with_the_trained_column_is_meant(tmp_path: Path) -> None:
    root = touch(tmp_path, "1.png", "2.png")
    write(root / "list.csv", "id,file", "x,2.png")
    opened = open_source(root, INPUTS, like=Choice("file", (), "image", firm=False))
    assert opened.table.ids.tolist() == ["list.csv:2"]
