"""`--test-size 0`: a model of every row, with an earlier run's scores or none, and nothing that claims otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.bases.learnt import learnt_keys
from headstart.delivery.answers import HELD, TEST, Answers
from headstart.delivery.model import Model
from headstart.errors import BundleError, SettingError
from headstart.evaluation.metrics import METRICS
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.records import Result
from headstart.settings import FitSettings, SourceSettings, SplitSettings
from headstart.terminal.summary import summary
from tests import toys
from tests.cli.running import call
from tests.strategies.whole import FROZEN, fit

NONE = SplitSettings(test=0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refitting")
    whole = toys.text_table(folder / "whole.csv", 80).read_text(encoding="utf-8").splitlines()
    (folder / "some.csv").write_text("\n".join(whole[:121]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def first(home: Path, settled_bases: dict[str, str]) -> Run:
    split = SplitSettings(seed=3)
    return fit(home / "some.csv", home / "first", settled_bases["text"], "probe", metric="f1_macro", split=split)[0]


def again(home: Path, first: Run, name: str, **given: Any) -> Run:
    settings = FitSettings(split=NONE, evidence=str(first.path), training=FROZEN, **given)
    return fit_source(Places(home / "whole.csv", home / name), settings)


def test_every_row_is_trained_on_as_the_earlier_run_did(home: Path, first: Run) -> None:
    run = again(home, first, "again")
    result, before = run.result, first.result
    assert (result.chosen.base, result.chosen.strategy) == (before.chosen.base, before.chosen.strategy)
    assert result.metric == "f1_macro"
    assert result.settings["split"]["seed"] == 3
    assert result.data.parts == {
        "train": 160 - result.data.parts["valid"],
        "valid": result.data.parts["valid"],
        "test": 0,
    }
    assert len(learnt_keys(run.path)) == 160
    assert result.refit is not None
    assert (result.refit.rows, result.refit.learned) == (160, before.test.n)
    assert result.refit.run_rows == 120 - before.test.n
    held = Answers.load(run.path).part_of(HELD)
    assert result.refit.valid_score == pytest.approx(METRICS["f1_macro"].function(held.truth, held.probabilities))
    assert len(Answers.load(run.path).part_of(TEST)) == 0


def test_the_scores_are_those_of_the_earlier_run_and_it_is_said_everywhere(home: Path, first: Run) -> None:
    run = again(home, first, "shown")
    result, before = run.result, first.result
    assert (result.test.score, result.test.low, result.test.n) == (before.test.score, before.test.low, before.test.n)
    assert result.test.opened == 0
    assert not (run.path / "openings.jsonl").exists()
    assert result.controls == before.controls
    assert result.verdict.outcome == before.verdict.outcome
    assert result.verdict.next_step == before.verdict.next_step
    said = "has no test score of its own: the scores are those of run"
    card = (run.path / "bundle" / "card.md").read_text(encoding="utf-8")
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert all(said in page for page in (result.verdict.sentence, card, report, " ".join(summary(run).split())))
    assert "opened the test part once" not in card + report
    assert said in Model.load(run.path).bundle.about["refit"]
    assert np.isfinite(run.model.predict_proba(["the cat sat on a mat"])).all()
    written = json.loads((run.path / "result.json").read_text(encoding="utf-8"))
    assert Result.from_dict(written).to_dict() == written == result.to_dict()


def test_held_out_rows_of_the_earlier_run_are_held_out_again(home: Path, first: Run) -> None:
    run = again(home, first, "parts")

    def parts(one: Run) -> dict[str, str]:
        lines = (one.path / "parts.csv").read_text(encoding="utf-8").splitlines()[1:]
        return dict(line.split(",") for line in lines)

    before, after = parts(first), parts(run)
    assert {key for key, part in before.items() if part == "valid"} <= {
        k for k, part in after.items() if part == "valid"
    }
    assert {after[key] for key, part in before.items() if part == "test"} == {"train"}


@pytest.mark.parametrize("seed", range(3))
def test_rare_classes_keep_a_training_row_and_none_is_missed_in_a_test_set_there_is_not(
    home: Path, settled_bases: dict[str, str], tmp_path: Path, seed: int
) -> None:
    rare = [f"a {what} of its own {i},{what}" for what in ("comet", "eclipse") for i in range(2)]
    some = (home / "some.csv").read_text(encoding="utf-8").splitlines()
    more = (home / "whole.csv").read_text(encoding="utf-8").splitlines()
    for name, lines in (("some.csv", some), ("more.csv", more)):
        (tmp_path / name).write_text("\n".join([*lines, *rare]) + "\n", encoding="utf-8")
    split = SplitSettings(seed=seed)
    before = fit(tmp_path / "some.csv", tmp_path / "before", settled_bases["text"], "probe", split=split)[0]
    settings = FitSettings(split=NONE, evidence=str(before.path), training=FROZEN)
    run = fit_source(Places(tmp_path / "more.csv", tmp_path / "after"), settings)
    assert {"comet", "eclipse"} <= set(run.result.data.labels)
    assert run.result.data.parts["test"] == 0
    assert len(learnt_keys(run.path)) == len(more) - 1 + len(rare)
    said = [fact["value"] for fact in run.result.data.facts if fact["what"] == "rare classes"]
    assert [value for value in said if value.endswith("in test")] == []
    assert all("in valid" in value for value in said)


def test_without_an_earlier_run_there_is_no_score(home: Path, settled_bases: dict[str, str]) -> None:
    run, told = fit(home / "some.csv", home / "none", settled_bases["text"], "auto", split=NONE)
    result = run.result
    assert np.isnan(result.test.score)
    assert (result.test.n, result.controls, result.data.parts["test"]) == (0, [], 0)
    assert result.refit is not None
    assert result.refit.run == ""
    assert result.verdict.outcome == "cannot tell"
    assert result.verdict.sentence.startswith("No test set.")
    assert "--evidence RUN" in result.verdict.next_step
    card = (run.path / "bundle" / "card.md").read_text(encoding="utf-8")
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert all("so there is no test score" in page for page in (card, report, summary(run)))
    assert all("nan" not in page for page in (card, summary(run)))
    assert any("no test set, as --test-size is 0" in line for line in told)
    assert (
        json.loads((run.path / "bundle" / "bundle.json").read_text(encoding="utf-8"))["about"]["test"]["score"] is None
    )


def test_given_test_rows_are_trained_on_too(home: Path, settled_bases: dict[str, str]) -> None:
    places = Places(home / "some.csv", home / "given", test=home / "whole.csv")
    settings = FitSettings(base=settled_bases["text"], strategy="probe", split=NONE, training=FROZEN)
    run = fit_source(places, settings)
    assert sum(run.result.data.parts.values()) == run.result.data.rows == 280
    assert run.result.data.parts["test"] == 0


def test_a_selected_baseline_is_refitted_as_one(home: Path, settled_bases: dict[str, str]) -> None:
    before, _ = fit(home / "some.csv", home / "words", settled_bases["text"], "baseline:tfidf-linear")
    run = again(home, before, "words again")
    assert run.result.chosen.strategy == "TF-IDF + linear"
    assert run.model.bundle.control is not None
    score = next(one.score for one in before.result.controls if one.name == "TF-IDF + linear")
    assert run.model.bundle.about["test"]["score"] == score


def test_what_the_scores_are_not_of_is_refused(home: Path, first: Run, tmp_path: Path) -> None:
    for given, message in (
        ({"strategy": "full"}, "it was made with strategy probe, and full is asked for"),
        ({"base": "efficientnet_lite0"}, "it was made with base"),
        ({"metric": "accuracy"}, "it was made with metric f1_macro"),
        ({"source": SourceSettings(target=("other",))}, "it was made with target"),
    ):
        with pytest.raises(SettingError, match=message):
            again(home, first, "refused", **given)
    with pytest.raises(SettingError, match=r"goes with --test-size 0, and test-size is 0\.2"):
        fit_source(Places(home / "whole.csv", home / "refused"), FitSettings(evidence=str(first.path)))
    with pytest.raises(BundleError, match="is not a finished run"):
        fit_source(Places(home / "whole.csv", home / "refused"), FitSettings(evidence=str(tmp_path), split=NONE))
    run = again(home, first, "once")
    with pytest.raises(SettingError, match=r"has no test score; name .*first"):
        again(home, run, "refused")
    damage = replace(FitSettings(split=NONE), judging=replace(FitSettings().judging, damage=True))
    with pytest.raises(SettingError, match="--corruptions is scored beside the test set"):
        fit_source(Places(home / "whole.csv", home / "refused"), damage)
    other = toys.table(
        tmp_path / "other.csv", ["text", "label"], [[f"card {i} lost", ("new", "old")[i % 2]] for i in range(40)]
    )
    with pytest.raises(SettingError, match=r"none of its \d+ rows is among the 40"):
        fit_source(Places(other, home / "refused"), FitSettings(split=NONE, evidence=str(first.path), training=FROZEN))
    assert not (home / "refused").exists()


def test_later_verbs_know_that_there_is_no_test_set(home: Path, first: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run = again(home, first, "later")
    said = call(capsys, "evaluate", run.path, home / "some.csv")
    assert said.code == 0, said.err
    assert "had –" not in said.out
    assert "has no test score of its own" in " ".join(said.out.split())
    compared = call(capsys, "compare", first.path, run.path)
    assert compared.code == 2
    assert "with --test-size 0 there are none" in compared.error
