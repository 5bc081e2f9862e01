"""Several target columns: one run a column from one command, one table and one page over them, answers side by side."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

import headstart as hs
from headstart.data.source import open_source
from headstart.delivery.target_folder import folders_for, target_runs
from headstart.errors import BundleError, ColumnError, LabelError, OutputError, SettingError, SeveralTargets
from headstart.settings import SourceSettings
from headstart.targets import TargetRuns
from tests.cli.running import call, refused
from tests.toys import sentences, table

OPTIONS = ("--strategy", "probe")


def rows(count: int = 40) -> list[tuple[str, str, str, float]]:
    """Texts with what they are about, a colour that one word gives, and a number."""
    texts, names = sentences(count)
    colours = [("red", "blue", "green")[row % 3] for row in range(len(texts))]
    return [
        (f"{text} in {colour}", name, colour, len(text) / 7)
        for text, name, colour in zip(texts, names, colours, strict=True)
    ]


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return table(tmp_path / "things.csv", ["text", "topic", "my colour", "size"], rows())


@pytest.fixture(scope="module")
def fitted(tiny_text_base: str, tmp_path_factory: pytest.TempPathFactory) -> TargetRuns:
    home = tmp_path_factory.mktemp("things")
    source = table(home / "things.csv", ["text", "topic", "my colour", "size"], rows())
    target = ("topic", "my colour", "size")
    found = hs.fit(source, target=target, base=tiny_text_base, strategy="probe", out=home / "runs")
    assert isinstance(found, TargetRuns)
    return found


def test_one_run_a_column_with_the_task_of_each(fitted: TargetRuns) -> None:
    assert [*fitted] == ["topic", "my colour", "size"]
    tasks = [one.task for one in fitted.results.values()]
    assert tasks == ["classification", "classification", "regression"]
    assert {name: path.name for name, path in target_runs(fitted.path).items()} == {
        "topic": "topic",
        "my colour": "my_colour",
        "size": "size",
    }
    for column, run in fitted.items():
        assert json.loads((run.path / "result.json").read_text())["settings"]["source"]["target"] == [column]
        assert (run.path / "report.html").is_file()
    assert fitted["my colour"].result.data.labels == ["blue", "green", "red"]
    assert "my colour" in fitted._repr_html_()
    json.dumps(fitted.to_dict(), allow_nan=False)


def test_the_table_and_the_page_have_what_the_runs_have(fitted: TargetRuns) -> None:
    told = {row["target"]: row for row in csv.DictReader((fitted.path / "targets.csv").open(encoding="utf-8"))}
    page = (fitted.path / "index.html").read_text(encoding="utf-8")
    for column, result in fitted.results.items():
        chosen = {one.name: one.score for one in result.controls} | {"": result.test.score}
        score = chosen["" if result.chosen.base else result.chosen.strategy]
        assert float(told[column]["score"]) == pytest.approx(score)
        assert told[column]["next_step"] == result.verdict.next_step
    links = re.findall(r'href="([^"]+)"', page)
    assert {(fitted.path / link).is_file() for link in links} == {True}
    assert len({*links}) == 3
    assert "http" not in page.replace("http-equiv", "")


def test_answers_stand_side_by_side(fitted: TargetRuns, things: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [text for text, *_ in rows()[:4]]
    said = fitted.predict(texts)
    assert [*said] == [*fitted]
    out = call(capsys, "predict", fitted.path, *texts, "--quiet").out
    found = [*csv.DictReader(out.splitlines())]
    assert [row["topic"] for row in found] == said["topic"].tolist()
    assert [float(row["size"]) for row in found] == pytest.approx(said["size"].tolist(), rel=1e-4)
    assert {"my colour", "my colour_confidence", "size_low"} <= found[0].keys()
    kept = [*csv.DictReader(call(capsys, "predict", fitted.path, things, "--quiet").out.splitlines())]
    assert [row["topic"] for row in kept] == [topic for _, topic, *_ in rows()]  # the user's own column stays
    assert "predicted_topic" in kept[0]
    only = call(capsys, "predict", fitted.path, *texts, "--only", "my colour").out.split()
    assert only == said["my colour"].tolist()
    assert "it is one of topic, topic_confidence" in refused(capsys, "predict", fitted.path, "a b", "--only", "label")


def test_a_row_that_cannot_be_read_has_one_reason(fitted: TargetRuns, capsys: pytest.CaptureFixture[str]) -> None:
    said = call(capsys, "predict", fitted.path, "a cat", "   ", "--quiet")
    first, second = csv.DictReader(said.out.splitlines())
    assert said.code == 1
    assert (first["error"], bool(second["error"])) == ("", True)
    assert (second["topic"], second["my colour"], second["size"]) == ("", "", "")


def test_evaluate_takes_all_and_other_verbs_one(
    fitted: TargetRuns, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = call(capsys, "evaluate", fitted.path, things, "--out", "checked", "--quiet")
    assert said.code == 0, said
    assert [line for line in said.out.splitlines() if line.startswith("target ")] == [f"target {one}" for one in fitted]
    assert all((Path("checked") / run.path.name / "report.html").is_file() for run in fitted.values())
    records = json.loads(call(capsys, "evaluate", fitted.path, things, "--json").out)
    assert [*records] == [*fitted]
    assert "give a folder" in refused(capsys, "evaluate", fitted.path, things, "--out", "one.json")
    assert "--target: each run has its own" in refused(capsys, "evaluate", fitted.path, things, "--target", "topic")
    assert "name one of them: " in refused(capsys, "shift", fitted.path, things)
    with pytest.raises(BundleError, match=r"holds a run a target column; name one of them: .*topic"):
        hs.load(fitted.path)


def test_evaluations_of_all_come_back_with_what_lies_over_them(
    fitted: TargetRuns, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = things.parent / "checked"
    found = hs.evaluate(fitted.path, things, out=out)
    assert isinstance(found, hs.TargetEvaluations)
    assert [*found] == [*fitted]
    alone = hs.evaluate(fitted["topic"].path, things)
    assert found["topic"].score == alone.score
    assert (found["topic"].tested, found["topic"].n) == (len(alone_rows(fitted)), 80)
    told = {row["target"]: row for row in csv.DictReader((out / "targets.csv").open(encoding="utf-8"))}
    page = (out / "index.html").read_text(encoding="utf-8")
    for column, one in found.items():
        assert float(told[column]["score"]) == pytest.approx(one.score.value)
        assert float(told[column]["test_score"]) == pytest.approx(one.test.value)
        assert told[column]["next_step"] == one.next_step
        assert column in page
    assert {(out / link).is_file() for link in re.findall(r'href="([^"]+)"', page)} == {True}
    assert json.loads((out / "evaluation.json").read_text()) == found.to_dict()
    assert "my colour" in found._repr_html_()
    with pytest.raises(OutputError, match="holds earlier evaluations"):
        hs.evaluate(fitted.path, things, out=out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds other things than evaluations of topic, my colour, size"):
        hs.evaluate(fitted.path, things, out=out, overwrite=True)


def alone_rows(fitted: TargetRuns) -> list[str]:
    """Ids of the test rows of the run for topics."""
    from headstart.delivery.answers import FILE, TEST, Answers

    return [str(one) for one in Answers.load(fitted["topic"].path / FILE).part_of(TEST).ids]


def test_a_pair_and_a_frame_are_evaluated_by_column_too(fitted: TargetRuns, tmp_path: Path) -> None:
    texts, topics, colours, sizes = (list(one) for one in zip(*rows(), strict=True))
    columns = {"text": texts, "topic": topics, "my colour": colours, "size": sizes}
    by_table = hs.evaluate(fitted.path, columns)
    pair = ([*texts], {"topic": topics, "my colour": colours, "size": sizes})
    by_pair = hs.evaluate(fitted.path, pair)
    assert {name: one.score for name, one in by_pair.items()} == {name: one.score for name, one in by_table.items()}


def test_every_column_is_read_before_any_evaluation(
    fitted: TargetRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headstart.targets.evaluate_run", None)  # any evaluation would fail
    lacking = table(tmp_path / "lacking.csv", ["text", "topic", "my colour"], [row[:3] for row in rows()])
    with pytest.raises(hs.UserError, match="size"):
        hs.evaluate(fitted.path, lacking, out=tmp_path / "out")
    unknown = table(
        tmp_path / "unknown.csv", ["text", "topic", "my colour", "size"], [*rows(), ("a text", "pets", "mauve", 2.0)]
    )
    assert "mauve" in refused(capsys, "evaluate", fitted.path, unknown)
    assert not (tmp_path / "out").exists()


def test_the_command_line_takes_them_with_commas_too(
    things: Path, tiny_text_base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("fit", things, "--target", "topic,my colour", "--base", tiny_text_base, *OPTIONS)
    said = call(capsys, *arguments, "--budget", "10m")
    assert said.code == 0, said
    assert re.search(r"target topic, 1 of 2, in \d+ min \d+ s of the budget", " ".join(said.err.split()))
    lines = said.out.splitlines()
    assert [line for line in lines if line.startswith(("topic ", "my colour "))] != []
    assert lines[-1].endswith("headstart predict runs/things NEW")
    assert len([line for line in lines if line]) <= 10
    assert "holds earlier runs (topic, my colour); pass --overwrite" in refused(capsys, *arguments)
    assert call(capsys, *arguments, "--overwrite", "--json").out.startswith("{")
    (things.parent / "runs" / "things" / "notes.txt").write_text("mine")
    assert "holds other things" in refused(capsys, *arguments, "--overwrite")
    assert (things.parent / "runs" / "things" / "notes.txt").read_text() == "mine"


def test_a_pair_with_several_columns_of_classes(tiny_text_base: str, tmp_path: Path) -> None:
    texts, topics, colours, _ = zip(*rows(), strict=True)
    pair = ([*texts], {"topic": [*topics], "colour": [*colours]})
    found = hs.fit(pair, base=tiny_text_base, strategy="probe", out=tmp_path / "pair")
    assert isinstance(found, TargetRuns)
    assert {column: run.result.data.labels for column, run in found.items()} == {
        "topic": sorted({*topics}),
        "colour": ["blue", "green", "red"],
    }


def test_what_is_for_one_target_is_refused_before_any_work(things: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.targets.fit_source", None)  # any work would fail
    for given in ({"positive": "red"}, {"class_weight": {"red": 2}}, {"evidence": "runs/x", "test_size": 0}):
        with pytest.raises(SettingError, match="that is for one target column"):
            hs.fit(things, target=["topic", "my colour"], **given)
    with pytest.raises(SettingError, match="metric 'r2' is not for target 'topic', which makes classification"):
        hs.fit(things, target=["size", "topic"], metric="r2")
    things.write_text(things.read_text() + "one more text here,alone,red,3\n")
    with pytest.raises(LabelError, match="'alone'"):
        hs.fit(things, target=["my colour", "topic"])
    assert not (things.parent / "runs").exists()
    (things.parent / "runs").mkdir()
    (things.parent / "runs" / "things").write_text("a file")
    with pytest.raises(OutputError, match="other things"):
        hs.fit(things, target=["my colour", "size"])


def test_a_budget_is_shared_by_what_is_left(things: Path, monkeypatch: pytest.MonkeyPatch, fitted: TargetRuns) -> None:
    given: list[float] = []

    def instead(places: Any, settings: Any, **_: Any) -> Any:
        given.append(settings.budget)
        return fitted["topic"]

    monkeypatch.setattr("headstart.targets.fit_source", instead)
    hs.fit(things, target=["topic", "my colour", "size"], budget="30m", out=things.parent / "shared")
    assert given == pytest.approx([600, 900, 1800], rel=0.05)  # none took any time, so all is left to the last


def test_columns_of_zero_and_one_are_one_model_as_before(tmp_path: Path) -> None:
    flags = [(f"text no {i}", i % 2, int(i % 3 == 0)) for i in range(30)]
    path = table(tmp_path / "flags.csv", ["text", "rude", "loud"], flags)
    assert open_source(path, SourceSettings(target=("rude,loud",))).table.task == "multilabel"
    slip = table(tmp_path / "slip.csv", ["text", "rude", "loud"], [*flags, ("one more", "x", 1)])
    with pytest.raises(ColumnError, match="must hold 0 or 1 each, but 'rude' holds 'x'") as refusal:
        open_source(slip, SourceSettings(target=("rude", "loud")))
    assert not isinstance(refusal.value, SeveralTargets)
    named = table(
        tmp_path / "named.csv", ["text", "a", "b", "a,b"], [(f"t {i}", "x", "y", "pq"[i % 2]) for i in range(9)]
    )
    assert open_source(named, SourceSettings(target=("a,b",))).table.task == "classification"


def test_folders_have_names_that_every_disk_takes() -> None:
    found = folders_for(["a/b", "a b", "A_B", "..", "targets.json", "ça va"])
    assert [*found.values()] == ["a_b", "a_b_2", "A_B_3", "target", "targets.json_2", "ça_va"]
