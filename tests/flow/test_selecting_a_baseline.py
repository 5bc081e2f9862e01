"""`--strategy baseline:NAME` selects that baseline, and everything that the run leaves is about it."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.delivery.answers import TEST, Answers
from headstart.delivery.model import Model
from headstart.errors import SettingError
from headstart.evaluation.calibration import calibration_interval
from headstart.evaluation.metrics import METRICS
from headstart.flow.fit.fit import Places, fit_source
from headstart.settings import FitSettings, SourceSettings, TrainingSettings
from headstart.terminal.summary import summary
from tests import toys
from tests.cli.running import call
from tests.flow.test_tasks import tags, values
from tests.strategies.whole import check, fit


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return toys.text_table(tmp_path / "toys.csv", 60)


@pytest.mark.parametrize(("short", "name"), [("majority", "majority"), ("tfidf-linear", "TF-IDF + linear")])
def test_a_baseline_that_was_asked_for_is_selected(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, short: str, name: str
) -> None:
    run, told = fit(texts, tmp_path / "run", settled_bases["text"], f"baseline:{short}")
    check(run)
    result = run.result
    assert (result.chosen.base, result.chosen.strategy) == ("", name)
    assert result.settings["strategy"] == f"baseline:{short}"
    assert "as asked for" in result.ladder.plan
    assert any(f"the baseline {name}, which is the selected model" in line for line in told)
    score = next(one.score for one in result.controls if one.name == name)
    loaded = Model.load(run.path)
    assert loaded.bundle.control is not None
    assert loaded.bundle.control.name == name
    assert loaded.bundle.about["test"]["score"] == score
    kept = Answers.load(run.path).part_of(TEST)
    assert METRICS[result.metric].function(kept.truth, kept.probabilities) == pytest.approx(score)
    inputs = ["the cat sat on a mat", "nothing"]
    assert np.allclose(loaded.predict_proba(inputs), run.model.predict_proba(inputs))
    for page in (summary(run), (run.path / "report.html").read_text(encoding="utf-8")):
        assert f"the baseline {name}, as asked for." in page
        assert "did better than" not in page
    card = (run.path / "bundle" / "card.md").read_text(encoding="utf-8")
    assert f"- selected model, {name}: {result.metric} " in card
    assert "sha256 of the weights" not in card
    assert "OOD detection" not in card  # which is of the transfer model


def test_what_is_measured_beside_the_score_is_of_the_selected_baseline(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path
) -> None:
    run, _ = fit(texts, tmp_path / "run", settled_bases["text"], "baseline:majority")
    result, kept = run.result, Answers.load(run.path).part_of(TEST)
    right = kept.probabilities.argmax(1) == kept.truth
    assert {one.recall for one in result.classes} == {0.0, 1.0}  # the majority's, whatever the transfer model answers
    assert METRICS["accuracy"].function(kept.truth, kept.probabilities) == pytest.approx(right.mean())
    by_label = [one for one in result.slices if one.n < len(kept)]
    assert by_label
    assert all(0 <= one.score <= 1 for one in by_label)
    assert result.calibration is not None
    assert result.calibration.temperature == 1.0
    assert result.calibration.ece == pytest.approx(
        calibration_interval(kept.truth, kept.probabilities, units=kept.unit).value, abs=1e-6
    )
    assert sum(one.n for one in result.calibration.bins) == len(kept)
    assert {round(one.confidence, 6) for one in result.calibration.bins} == {round(float(kept.probabilities.max()), 6)}
    assert result.test.metrics["accuracy"].value != pytest.approx(right.mean())  # the transfer model's, as it is said
    assert Model.load(run.path).bundle.about["temperature"] == 1.0
    listed = (run.path / "mistakes.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(listed) == int((~right).sum())


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_of_other_tasks_too(settled_bases: dict[str, str], tmp_path: Path, task: str) -> None:
    source = (values if task == "regression" else tags)(tmp_path / "rows.csv")
    target = ("value",) if task == "regression" else ("animal", "mail")
    settings = FitSettings(
        SourceSettings(target=target, task=task), base=settled_bases["text"], strategy="baseline:majority"
    )
    result = fit_source(Places(source, tmp_path / "run"), settings).result
    score = next(one for one in result.controls if one.name == "majority")
    if task == "regression":
        assert result.intervals is not None
        kept = Answers.load(tmp_path / "run").part_of(TEST)
        off = np.abs(kept.truth[:, 0] - kept.probabilities[:, 0])
        assert result.intervals.coverage == pytest.approx((off <= result.intervals.half_width).mean())
    else:
        assert {one.label for one in result.classes} == {"animal", "mail"}
        assert result.thresholds is not None
        assert len({*result.thresholds.values.values()}) >= 1
    assert np.isfinite(score.score)


def test_a_baseline_of_pictures(settled_bases: dict[str, str], toy_images: Path, tmp_path: Path) -> None:
    run, _ = fit(toy_images, tmp_path / "run", settled_bases["image"], "baseline:pixels-linear")
    check(run)
    assert run.result.chosen.strategy == "pixels + linear"
    with pytest.raises(SettingError, match=r"not for images; .* baseline:majority, baseline:pixels-linear\."):
        fit(toy_images, tmp_path / "other", settled_bases["image"], "baseline:tfidf-linear")


@pytest.mark.parametrize("strategy", ["baseline:majority", "probe"])
def test_the_lines_of_the_card_run_as_they_stand(
    settled_bases: dict[str, str],
    texts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    strategy: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    run, _ = fit(texts, Path("runs") / "my toys", settled_bases["text"], strategy)
    page = (run.path / "bundle" / "card.md").read_text(encoding="utf-8")
    command, _, *python = page.partition("```\n")[2].partition("\n```")[0].splitlines()
    program, *arguments = shlex.split(command)
    assert program == "headstart"
    said = call(capsys, *arguments)
    assert said.code == 0, said.err
    assert len(said.out.splitlines()) == 2
    with contextlib.redirect_stdout(io.StringIO()):
        exec("\n".join(python), {})  # the lines that the card shows
    shown = (run.path / "report.html").read_text(encoding="utf-8")
    assert "headstart predict &#39;runs/my toys&#39;" in shown


@pytest.mark.parametrize(
    ("strategy", "training", "said"),
    [
        ("probe", TrainingSettings(epochs=3), "--epochs: strategy 'probe' trains no weights"),
        ("head2toe", TrainingSettings(thaw=2, rate=0.1), "--unfreeze and --lr: strategy 'head2toe' trains no weights"),
        ("baseline:majority", TrainingSettings(augment="corruption"), "--augment: strategy 'baseline:majority'"),
        ("baseline:majority", TrainingSettings(augment="damage"), "--augment: strategy 'baseline:majority'"),
        ("full", TrainingSettings(rank=8), "--lora-rank: strategy 'full' trains no adapters"),
    ],
)
def test_options_that_the_strategy_has_no_use_for_are_refused(
    texts: Path, tmp_path: Path, strategy: str, training: TrainingSettings, said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        fit_source(Places(texts, tmp_path / "run"), FitSettings(strategy=strategy, training=training))
    assert not (tmp_path / "run").exists()


def test_options_that_had_no_effect_in_a_search_are_said(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path
) -> None:
    """Where the search tries no strategy that trains, what was told of training comes to nothing."""
    run, _ = fit(texts, tmp_path / "run", settled_bases["text"], "auto", TrainingSettings(epochs=2))
    assert not run.result.training
    (found,) = [one for one in run.result.diagnosis if one.name == "options without effect"]
    assert found.sentence.startswith("--epochs had no effect")
    assert "--epochs had no effect" in summary(run)
    plain, _ = fit(texts, tmp_path / "plain", settled_bases["text"], "auto", TrainingSettings())
    assert not [one for one in plain.result.diagnosis if one.name == "options without effect"]


def test_a_later_run_keeps_the_parts_and_can_be_compared(
    settled_bases: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = toys.text_table(tmp_path / "whole.csv", 150).read_text(encoding="utf-8").splitlines()
    some = tmp_path / "some.csv"
    some.write_text("\n".join(whole[:200]) + "\n", encoding="utf-8")
    base, parts = settled_bases["text"], {}
    for name, source, earlier in (("a", some, None), ("b", tmp_path / "whole.csv", tmp_path / "runs" / "a")):
        split = replace(FitSettings().split, like=str(earlier) if earlier else None)
        run, _ = fit(source, tmp_path / "runs" / name, base, "probe", split=split)
        lines = (run.path / "parts.csv").read_text(encoding="utf-8").splitlines()[1:]
        parts[name] = dict(line.split(",") for line in lines)
    assert len(parts["b"]) > len(parts["a"]) > 150
    assert all(parts["b"][key] == part for key, part in parts["a"].items())
    (told,) = [fact for fact in run.result.data.facts if fact["what"] == "split"]
    assert "new rows drawn with seed 0" in told["reason"]
    found = headstart.compare([tmp_path / "runs" / "a", tmp_path / "runs" / "b"], shared=True)
    assert found.n == json.loads((tmp_path / "runs" / "a" / "result.json").read_text(encoding="utf-8"))["test"]["n"]
    said = call(capsys, "fit", tmp_path / "whole.csv", "--split-from", tmp_path / "none", "--out", tmp_path / "runs/c")
    assert said.code == 2
    assert "keeps no record of its splits" in said.error
