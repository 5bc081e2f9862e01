"""Audits from source to page."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.cli import main
from headstart.data.source import open_source
from headstart.errors import LabelError, OutputError, SettingError, SourceError
from headstart.flow.audit.audit import audit_source
from headstart.settings import SourceSettings
from headstart.terminal.auditing import audit_text
from headstart.terminal.writing import as_json
from tests import toys


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Pictures in given parts with a leak, a copy, a blank, and a file that is none."""
    folder = tmp_path / "spoilt"
    for part, first in (("train", 0), ("test", 5000)):
        toys.image_folder(folder / part, 12, first)
    shutil.copy(folder / "train/rings/000.png", folder / "test/rings/leak.png")
    shutil.copy(folder / "train/rings/001.png", folder / "train/rings/copy.png")
    shutil.copy(folder / "train/rings/002.png", folder / "train/checks/other.png")
    Image.new("RGB", (64, 64), (9, 9, 9)).save(folder / "train/stripes/blank.png")
    (folder / "train/stripes/broken.png").write_bytes(b"\x89PNG no")
    return folder


def test_pictures_are_looked_through_and_cleaned(spoilt: Path, tiny_image_base: str, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    before = sorted(str(path) for path in spoilt.rglob("*"))
    found = audit_source(spoilt, base=tiny_image_base, out=out, apply=True)
    rows = {one.kind: one.rows for one in found.findings}
    assert rows["leak"] == ("train/rings/000.png", "test/rings/leak.png")
    assert set(rows["duplicate"]) <= {
        "train/rings/001.png",
        "train/rings/copy.png",
        "train/rings/002.png",
        "train/checks/other.png",
    }
    assert rows["constant"] == ("train/stripes/blank.png",)
    assert rows["unreadable"] == ("train/stripes/broken.png",)
    contradictions = [one for one in found.findings if one.kind == "label" and one.severity == "error"]
    assert [set(one.rows) for one in contradictions] == [{"train/rings/002.png", "train/checks/other.png"}]
    assert found.read_test
    left = {line["row"] for line in csv.DictReader((out / "left_out.csv").open())}
    assert {"train/rings/000.png", "train/rings/copy.png", "train/stripes/blank.png", "train/rings/002.png"} <= left
    assert "test/rings/leak.png" not in left
    assert found.left_out == len(left)
    cleaned = open_source(out / "cleaned.csv").table
    assert len(cleaned) == found.rows - len(left)
    assert (cleaned.split == "test").sum() == found.parts["test"]
    assert sorted(str(path) for path in spoilt.rglob("*")) == before
    page = (out / "audit.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= 6
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_json_and_text_tell_the_same(spoilt: Path, tiny_image_base: str, tmp_path: Path) -> None:
    found = audit_source(spoilt, base=tiny_image_base, out=tmp_path / "audit")
    written = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert written == json.loads(as_json(found.to_dict()))
    assert written["headline"] == found.headline
    assert {one["id"] for one in written["findings"]} == {one.id for one in found.findings}
    said = audit_text(found, tmp_path / "audit")
    assert found.headline in said
    assert "audit.html" in said
    assert [one.title for one in found.topics if one.title not in " ".join(said.split())] == []
    assert f"next      {found.next_step}" in said.splitlines()  # on one line, to be copied
    assert [one.id for one in found.findings if one.id in said] == []
    whole = audit_text(found, tmp_path / "audit", verbose=True)
    assert [topic.suggestion for topic in found.topics if topic.suggestion not in " ".join(whole.split())] == []
    assert not (tmp_path / "audit" / "cleaned.csv").exists()
    again = audit_source(spoilt, base=tiny_image_base)
    assert [one.id for one in again.findings] == [one.id for one in found.findings]


def test_the_next_step_cleans_what_can_be_cleaned_and_fits_what_was(
    spoilt: Path, tiny_image_base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    step = audit_source(spoilt, base=tiny_image_base, out="audit").next_step
    assert step == f"headstart audit {spoilt} --base {tiny_image_base} --apply --out audit --overwrite"
    assert main(shlex.split(step)[1:]) == 0
    cleaned = audit_source(spoilt, base=tiny_image_base, out="audit", apply=True, overwrite=True).next_step
    assert cleaned.startswith("headstart fit audit/cleaned.csv ")
    rest = shlex.split(cleaned)[2:]
    assert main(["inspect", *(one for one in rest if one not in ("--base", tiny_image_base))]) == 0
    again = audit_source(tmp_path / "audit" / "cleaned.csv", base=tiny_image_base, out="again")
    assert again.next_step.startswith("headstart fit ")


def test_texts_over_two_sources_and_a_sample(tiny_text_base: str, tmp_path: Path) -> None:
    texts, names = toys.sentences(30)
    train = toys.table(tmp_path / "a.csv", ["text", "label"], zip(texts, names, strict=True))
    test = toys.table(
        tmp_path / "b.csv", ["text", "label"], [[texts[0].upper() + "!", names[0]], ["my new card", "post"]]
    )
    sample = toys.table(tmp_path / "seen.csv", ["text"], [[text] for text in ["my new card", *texts[5:8]]])
    found = audit_source(train, test=test, base=tiny_text_base, pretraining_sample=sample)
    assert [set(one.rows) for one in found.findings if one.kind == "leak"] == [{"a.csv:2", "b.csv:2"}]
    overlap = next(one for one in found.findings if one.kind == "overlap")
    assert set(overlap.rows) == {"a.csv:7", "a.csv:8", "a.csv:9", "b.csv:3"}
    assert overlap.severity == "error"


def test_data_without_labels_are_looked_through_too(tiny_text_base: str, tmp_path: Path) -> None:
    source = toys.table(tmp_path / "a.csv", ["text"], [[text] for text in [*toys.sentences(20)[0], "???", "???"]])
    found = audit_source(source, base=tiny_text_base)
    assert {"duplicate", "constant"} <= {one.kind for one in found.findings}
    assert any("no labels" in reason for reason in found.not_looked_at)
    assert found.size is None


def test_one_class_is_told_and_not_a_crash(tiny_text_base: str, tmp_path: Path) -> None:
    texts, _ = toys.sentences(20)
    source = toys.table(tmp_path / "a.csv", ["text", "label"], [[text, "same"] for text in texts])
    found = audit_source(source, base=tiny_text_base, settings=SourceSettings(target=("label",)))
    assert any(one.kind == "balance" and one.severity == "error" for one in found.findings)


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_every_task(tiny_text_base: str, tmp_path: Path, task: str) -> None:
    texts, names = toys.sentences(30)
    noise = np.random.default_rng(0).normal(size=len(texts))
    marks = [[int(n == "pets"), int(e > 0)] for n, e in zip(names, noise, strict=True)]
    values = [[f"{(n == 'pets') + e:.3f}"] for n, e in zip(names, noise, strict=True)]
    columns, targets = (marks, ("animal", "mail")) if task == "multilabel" else (values, ("value",))
    rows = [[text, *own] for text, own in zip(texts, columns, strict=True)]
    source = toys.table(tmp_path / "a.csv", ["text", *targets], rows)
    settings = SourceSettings(target=targets, task=task)
    found = audit_source(source, base=tiny_text_base, settings=settings, out=tmp_path / "audit", apply=True)
    assert found.task == task
    again = open_source(
        tmp_path / "audit" / "cleaned.csv", settings if task == "multilabel" else SourceSettings(target=("label",))
    )
    assert len(again.table) == found.rows - (found.left_out or 0)


def test_bad_places_are_refused_before_any_work(toy_texts: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="left alone"):
        audit_source(toy_texts, out=tmp_path / "mine", overwrite=True)
    with pytest.raises(OutputError, match="--out"):
        audit_source(toy_texts, apply=True)
    with pytest.raises(OutputError, match="choose another"):
        audit_source(toy_texts, out=toy_texts.parent)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "audit.json").write_text("{}")
    with pytest.raises(OutputError, match="--overwrite"):
        audit_source(toy_texts, out=tmp_path / "old")


def test_bad_samples_are_said_in_one_line(toy_texts: Path, tiny_text_base: str, spoilt: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        audit_source(toy_texts, base=tiny_text_base, pretraining_sample=tmp_path / "none.txt")
    (tmp_path / "bad.txt").write_text("not a hash")
    with pytest.raises(SourceError, match="64 hexadecimal"):
        audit_source(toy_texts, base=tiny_text_base, pretraining_sample=tmp_path / "bad.txt")
    with pytest.raises(SourceError, match="holds images"):
        audit_source(toy_texts, base=tiny_text_base, pretraining_sample=spoilt)


def test_nothing_readable_is_an_error(tmp_path: Path, tiny_image_base: str) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "x.png").write_bytes(b"no")
    with pytest.raises(SourceError, match="none of the 1 rows"):
        audit_source(tmp_path / "in", base=tiny_image_base)


def test_other_sources_need_labels(toy_texts: Path, tmp_path: Path) -> None:
    bare = toys.table(tmp_path / "bare.csv", ["text"], [["my new card is lost"]])
    with pytest.raises((LabelError, SettingError, SourceError)) as caught:
        audit_source(bare, test=toy_texts)
    assert "\n" not in str(caught.value)
