"""Rankings from a source to the winner."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.bases.identity import Identity
from headstart.data.source import open_source
from headstart.data.table import Table, objects
from headstart.errors import BaseError, LabelError
from headstart.flow.enough import check_enough
from headstart.flow.fit.fit import Places, fit_source
from headstart.flow.rank import field as fielding
from headstart.flow.rank.race import winner_of
from headstart.flow.rank.rank import rank_source
from headstart.flow.sample import MOST, sample_of
from headstart.ranking.history import remembered
from headstart.settings import FitSettings, SourceSettings
from headstart.terminal.ranking import ranking_text
from headstart.terminal.tables import WIDTH
from headstart.terminal.writing import as_json
from tests import toys
from tests.bases.checkpoints import timm_folder


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def other_image_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(timm_folder(tmp_path_factory.mktemp("other") / "tiny-resnet"))


def texts(n: int, classes: int = 4, rare: int = 0) -> Table:
    """Different texts of classes in turn; the first ``rare`` rows are of a class of their own."""
    targets = ["rare" if i < rare else f"c{i % classes}" for i in range(n)]
    ids = np.array([f"{i:05}" for i in range(n)])
    inputs = objects(f"text no {i}" for i in range(n))
    return Table(ids, inputs, objects(targets), np.full(n, ""), "text", "classification")


def test_two_bases_are_ranked_raced_and_remembered(
    toy_images: Path, tiny_image_base: str, other_image_base: str
) -> None:
    names = [tiny_image_base, other_image_base]
    found = rank_source(toy_images, candidates=names)
    assert {one.base for one in found.candidates} == set(names)
    assert found.winner in names
    assert found.rows + found.set_aside <= 36
    assert found.set_aside > 0
    for one in found.candidates:
        evidence = {row.name: row for row in one.evidence}
        assert 0 <= evidence["linear classifier"].value <= 100
        assert evidence["linear classifier"].sd > 0
        assert set(evidence) > {"nearest neighbours", "LogME", "H-score", "PARC", "N-LEEP"}
        assert one.raced
        assert one.computed > 0
    assert found.candidates[0].expected >= found.candidates[1].expected
    assert found.rounds[-1].rows == found.rows
    assert {record.base for record in remembered()} == set(names)
    text = ranking_text(found, verbose=True)
    assert text.startswith(f"Take {found.winner}: ")
    assert [line for line in text.splitlines() if len(line) > WIDTH and "/" not in line] == []  # no path is broken
    assert f"next      headstart fit {toy_images} --base {found.winner}" in text.splitlines()
    short = ranking_text(found)
    assert f"next      headstart fit {toy_images} --base {found.winner}" in short.splitlines()
    assert "prior" in text
    assert "prior" not in short
    assert len(short.splitlines()) < len(text.splitlines()) / 2
    assert json.loads(as_json(found.to_dict()))["winner"] == found.winner


def test_a_run_is_ranked_beside_the_base_that_it_went_on_from(
    toy_images: Path, tiny_image_base: str, tmp_path: Path
) -> None:
    run = fit_source(Places(toy_images, tmp_path / "run"), FitSettings(base=tiny_image_base, strategy="probe"))
    names = [tiny_image_base, str(run.path)]
    found = rank_source(toy_images, candidates=names)
    assert {one.base for one in found.candidates} == set(names)
    assert f"--base {found.winner}" in found.next_step
    before = len(remembered())
    fit_source(Places(toy_images, tmp_path / "next"), FitSettings(base=str(run.path), strategy="probe"))
    assert len(remembered()) == before  # its score is not its root's


def test_the_second_time_nothing_is_computed_and_the_answer_is_the_same(
    toy_images: Path, tiny_image_base: str, other_image_base: str
) -> None:
    first, again = (rank_source(toy_images, candidates=[tiny_image_base, other_image_base]) for _ in range(2))
    assert (again.winner, again.why) == (first.winner, first.why)
    assert [one.expected for one in again.candidates] == [one.expected for one in first.candidates]
    assert all(one.computed == 0 for one in again.candidates)
    assert all(row.seconds == 0 for one in again.candidates for row in one.evidence)


def test_labels_of_the_test_part_change_nothing(tmp_path: Path, tiny_image_base: str) -> None:
    """With a given test part whose labels are wrong, every number is the same."""
    folder, test = toys.image_folder(tmp_path / "train", 8), toys.image_folder(tmp_path / "test", 4, 5000)
    right = rank_source(folder, test=test, candidates=[tiny_image_base])
    (test / "rings").rename(test / "x")
    (test / "stripes").rename(test / "rings")
    (test / "x").rename(test / "stripes")
    wrong = rank_source(folder, test=test, candidates=[tiny_image_base])
    assert right.rows == wrong.rows == 24
    assert right.set_aside == wrong.set_aside == 12
    assert [row.value for row in right.candidates[0].evidence] == [row.value for row in wrong.candidates[0].evidence]


def test_one_candidate_is_not_raced(toy_images: Path, tiny_image_base: str) -> None:
    found = rank_source(toy_images, candidates=[tiny_image_base, tiny_image_base])
    assert found.rounds == ()
    assert found.winner == tiny_image_base
    assert "only candidate" in found.why
    assert "no race" in ranking_text(found)


@pytest.mark.parametrize(("target", "task"), [(("value",), "regression"), (("animal", "mail"), "multilabel")])
def test_other_tasks(tmp_path: Path, tiny_text_base: str, target: tuple[str, ...], task: str) -> None:
    words, names = toys.sentences(30)
    rng = np.random.default_rng(0)
    rows = [
        [text, (name == "pets") + 0.1 * rng.normal(), int(name == "pets"), int(name == "post" or i % 3 == 0)]
        for i, (text, name) in enumerate(zip(words, names, strict=True))
    ]
    source = toys.table(tmp_path / "rows.csv", ["text", "value", "animal", "mail"], rows)
    found = rank_source(source, settings=SourceSettings(target=target, task=task), candidates=[tiny_text_base])
    assert found.task == task
    assert found.metric in ("r2", "f1_micro")
    assert found.candidates[0].expected > 20
    targets = " ".join(f"--target {name}" for name in target)
    assert found.next_step == f"headstart fit {source} --task {task} --base {tiny_text_base} {targets}"


def test_too_few_examples_of_a_class_is_one_line(tmp_path: Path, tiny_image_base: str) -> None:
    folder = toys.image_folder(tmp_path / "few", 4)
    with pytest.raises(
        LabelError, match=r"3 of 3 classes have fewer than 5 examples .* 'checks' with 4; .* Label more"
    ):
        rank_source(folder, candidates=[tiny_image_base])


def test_only_rows_outside_a_given_test_part_are_counted() -> None:
    table = texts(40)
    check_enough(table, "ranking bases")
    split = np.full(40, "", dtype="U5")
    split[4:] = "test"
    with pytest.raises(LabelError, match="fewer than 5"):
        check_enough(replace(table, split=split), "ranking bases")
    with pytest.raises(LabelError, match="no labels"):
        check_enough(replace(table, targets=None), "ranking bases")


def test_the_draw_is_even_keeps_rare_classes_and_repeats() -> None:
    table = texts(6000, rare=7)
    sample = sample_of(table, seed=0)
    targets = sample.table.targets
    assert len(targets) == MOST
    assert (targets == "rare").sum() >= 5
    counts = [(targets == f"c{i}").sum() for i in range(4)]
    assert max(counts) - min(counts) <= 20  # rows are drawn by content, classes in nearly equal shares
    quarter = [(targets[:500] == f"c{i}").sum() for i in range(4)]
    assert max(quarter) - min(quarter) <= 10
    assert 1170 <= sample.set_aside <= 1230  # a fifth, by content
    assert sample_of(table, seed=0).table.ids.tolist() == sample.table.ids.tolist()
    assert sample_of(table, seed=1).table.ids.tolist() != sample.table.ids.tolist()


def test_repeated_inputs_are_looked_at_once() -> None:
    table = texts(60)
    table = replace(table, inputs=objects([*table.inputs[:56], *["text no 4"] * 4]))
    sample = sample_of(replace(table, split=np.full(60, "train")), seed=0)
    assert len(set(sample.table.inputs)) == len(sample.table)
    assert any("repeat" in fact for fact in sample.facts)


def test_only_what_is_named_or_installed_is_opened(monkeypatch: pytest.MonkeyPatch, toy_images: Path) -> None:
    opened = []

    def watched(name: str, modality: str) -> object:
        opened.append(name)
        raise BaseError(f"{name}: not installed")

    monkeypatch.setattr(fielding, "open_base", watched)
    with pytest.raises(BaseError, match="no base is left"):
        rank_source(toy_images)
    assert opened
    assert all(name.startswith("efficientnet_lite") for name in opened)


def test_licence_and_size_leave_out_with_the_reason(monkeypatch: pytest.MonkeyPatch, toy_images: Path) -> None:
    with pytest.raises(BaseError, match="efficientnet_lite0"):
        rank_source(toy_images, candidates=["efficientnet_lite0"], max_params=1.0)


def test_a_named_base_without_a_licence_is_left_out(toy_images: Path, tiny_image_base: str) -> None:
    found = rank_source(toy_images, candidates=["efficientnet_lite0", tiny_image_base], licence="commercial")
    assert found.winner == "efficientnet_lite0"
    assert [one.name for one in found.left_out] == [tiny_image_base]
    assert "left out" in ranking_text(found)


def test_unknown_bases_are_named_with_the_nearest(toy_images: Path) -> None:
    with pytest.raises(BaseError, match="efficientnet_lite0"):
        rank_source(toy_images, candidates=["eficientnet_lite0"])


def test_of_those_that_cannot_be_told_apart_the_cheapest_of_the_best_wins() -> None:
    cheap_first = ["cheap", "middle", "dear"]
    assert winner_of(["dear", "cheap"], {"cheap": 90.0, "dear": 90.0}, cheap_first) == "cheap"
    assert winner_of(["dear", "cheap"], {"cheap": 90.0, "dear": 90.1}, cheap_first) == "dear"
    assert winner_of(["middle", "dear"], {"cheap": 99.0, "middle": 90, "dear": 90}, cheap_first) == "middle"


def test_dearer_is_more_weights_on_larger_inputs() -> None:
    class Named:
        identity = Identity("x", "", "", "")

    table = fielding.choose("image").kept
    lite = {e.name: fielding.Candidate(Named(), e).work for e in table if e.name.startswith("efficientnet_lite")}  # type: ignore[arg-type]
    assert sorted(lite, key=lambda name: lite[name]) == [f"efficientnet_lite{i}" for i in range(3)]
    assert fielding.Candidate(Named(), None).work == float("inf")  # type: ignore[arg-type]


def test_the_source_is_read_as_fit_reads_it(toy_texts: Path, tiny_text_base: str) -> None:
    found = rank_source(toy_texts, candidates=[tiny_text_base])
    assert found.available + found.set_aside == len(open_source(toy_texts).table)
