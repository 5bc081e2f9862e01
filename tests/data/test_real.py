"""The real data sets, as they come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.data.source import open_source, open_sources
from headstart.data.split import assign
from headstart.errors import SplitError
from headstart.settings import SourceSettings, SplitSettings
from tests.data.making import fact

Find = Callable[[str], Path]


def test_hymenoptera(real_data: Find) -> None:
    opened = open_source(real_data("hymenoptera"))
    assert len(opened.table) == 245 + 153
    assert (opened.table.modality, opened.table.task) == ("image", "classification")
    assert (opened.table.split == "valid").sum() == 153
    assigned, _ = assign(opened.table, SplitSettings())
    assert len(assigned.part("valid")) == 153
    assert len(assigned.part("test")) == pytest.approx(49, abs=9)


def test_banking77(real_data: Find) -> None:
    folder = real_data("banking77")
    opened = open_sources(folder / "train.csv", test=folder / "test.csv")
    assert len(opened.table) == 10_003 + 3_080
    assert opened.rejected == ()
    assert fact(opened.facts, "target column").value == "category"
    assigned, _ = assign(opened.table, SplitSettings())
    assert len(assigned.part("test")) == 3_080
    assert len(assigned.part("valid")) == pytest.approx(2_001, abs=60)
    assert set(open_source(folder).table.split) == {"train", "test"}


def test_clinc150(real_data: Find) -> None:
    path = real_data("clinc150") / "utterances.csv"
    opened = open_source(path)
    assert len(opened.table) == 23_700
    assert opened.table.task == "classification"
    assert "'oos_train'" in fact(opened.facts, "split column").reason
    assert set(opened.table.split) == {""}
    with pytest.raises(SplitError, match="'oos_test', 'oos_train', 'oos_valid'"):
        open_source(path, SourceSettings(split="split"))


def test_spoken_digits(real_data: Find) -> None:
    folder = real_data("fsdd")
    table = open_source(folder / "labels.csv", SourceSettings(target=("digit",), group="speaker")).table
    assert (table.modality, table.task, len(table)) == ("audio", "classification", 3000)
    assert len(set(table.groups)) == 6
    bare = open_source(folder / "recordings").table
    assert (bare.modality, bare.targets, len(bare)) == ("audio", None, 3000)
