"""Several sources as one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.data.source import open_source, open_sources
from headstart.errors import ColumnError, LabelError, SourceError, SplitError
from headstart.settings import SourceSettings
from tests.data.making import fact, touch, write


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write(tmp_path / "train.csv", "text,category", "a b,1", "c d,2", "e f,1")


def test_parts_are_forced_and_the_first_source_stays_open(tmp_path: Path, train: Path) -> None:
    valid = write(tmp_path / "more.csv", "text,category", "x y,1")
    test = write(tmp_path / "later.csv", "text,category,split", "g h,2", ",1")
    write(test, "text,category,split", "g h,2,train", ",1,train")
    opened = open_sources(train, valid=valid, test=test)
    assert opened.table.split.tolist() == ["", "", "", "valid", "test"]
    assert [r.id for r in opened.rejected] == ["later.csv:3"]
    assert "1 row" in fact(opened.facts, "test source").reason
    assert fact(opened.facts, "target column").value == "category"


def test_columns_and_task_of_the_first_are_imposed(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", "text,value", *(f"t {i},{i}.5" for i in range(5)))
    test = write(tmp_path / "b.csv", "text,label,value", "x,q,1", "y,r,2")
    table = open_sources(train, test=test).table
    assert table.task == "regression"
    assert table.targets is not None
    assert table.targets.tolist()[-2:] == [1.0, 2.0]
    train = write(tmp_path / "a.csv", "text,label", "a,x;y", "b,y", "c,x")
    test = write(tmp_path / "b.csv", "text,label", "d,x;y")
    table = open_sources(train, test=test).table
    assert table.targets is not None
    assert table.targets.tolist()[-1] == ("x", "y")


def test_a_column_that_the_second_lacks(tmp_path: Path, train: Path) -> None:
    test = write(tmp_path / "later.csv", "text,categories", "g h,2")
    with pytest.raises(ColumnError, match=r"later.csv: no column 'category'.*Did you mean 'categories'"):
        open_sources(train, test=test)


def test_a_part_given_twice(tmp_path: Path) -> None:
    touch(tmp_path, "set/train/a/1.png", "set/test/a/2.png", "later/a/1.png")
    with pytest.raises(SplitError, match=r"already has a test split of its own; drop --test"):
        open_sources(tmp_path / "set", test=tmp_path / "later")
    opened = open_sources(tmp_path / "set", valid=tmp_path / "later")
    assert opened.table.split.tolist() == ["train", "test", "valid"]


def test_ids_are_prefixed_only_where_they_collide(tmp_path: Path) -> None:
    touch(tmp_path, "one/a/1.png", "one/b/2.png", "two/a/1.png", "two/a/3.png")
    table = open_sources(tmp_path / "one", test=tmp_path / "two").table
    assert table.ids.tolist() == ["a/1.png", "b/2.png", "two/a/1.png", "a/3.png"]


def test_ids_stay_unique_where_the_names_collide_too(tmp_path: Path) -> None:
    for place in ("x", "y", "z"):
        write(tmp_path / place / "t.csv", "text,label", "a,1", "b,2")
    opened = open_sources(tmp_path / "x" / "t.csv", valid=tmp_path / "y" / "t.csv", test=tmp_path / "z" / "t.csv")
    assert len(set(opened.table.ids)) == 6


def test_sources_of_two_kinds(tmp_path: Path, train: Path) -> None:
    images = touch(tmp_path / "images", "1/x.png", "2/y.png").absolute()
    with pytest.raises(SourceError, match="holds images, but the training source texts"):
        open_sources(train, test=images)
    paths = write(tmp_path / "paths.csv", "path,label", "images/1/x.png,1", "images/2/y.png,2")
    table = open_sources(paths, test=images).table
    assert table.split.tolist() == ["", "", "test", "test"]
    assert open_sources(images, test=paths).table.ids.tolist()[2:] == ["paths.csv:2", "paths.csv:3"]


def test_labels_are_needed(tmp_path: Path, train: Path) -> None:
    flat = touch(tmp_path / "flat", "1.png")
    with pytest.raises(LabelError, match=r"no labels found \(the images lie in no class folders\)"):
        open_sources(flat)
    folders = touch(tmp_path / "set", "a/1.png", "b/1.png")
    with pytest.raises(LabelError, match="flat: no labels found"):
        open_sources(folders, test=flat)


def test_groups_are_asked_of_every_source(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", "text,label,who", "a,x,1", "b,y,2")
    test = write(tmp_path / "b.csv", "text,label", "c,x")
    with pytest.raises(ColumnError, match="asked for by --group"):
        open_sources(train, test=test, settings=SourceSettings(group="who"))


def test_open_source_forces_its_part(train: Path) -> None:
    assert set(open_source(train, part="valid").table.split) == {"valid"}


def test_columns_named_for_a_table_do_not_hinder_a_folder(tmp_path: Path) -> None:
    folder = touch(tmp_path / "later", "x/1.png", "y/2.png")
    touch(tmp_path, "im/1.png", "im/2.png")
    train = write(tmp_path / "t.csv", "photo,kind,site", "im/1.png,x,p", "im/2.png,y,q")
    asked = SourceSettings(input="photo", target=("kind",))
    assert open_sources(train, test=folder, settings=asked).table.split.tolist() == ["", "", "test", "test"]
    write(train, "photo,kind", "im/1.png,0.5", "im/2.png,1.5")
    with pytest.raises(LabelError, match=r"later: holds targets for classification, but .* for regression"):
        open_sources(train, test=folder)
