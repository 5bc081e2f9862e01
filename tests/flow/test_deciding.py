"""Which class is looked for, what thresholds are set by, and that whole runs apply them to all models alike."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from headstart.delivery.answers import Answers
from headstart.delivery.model import Model
from headstart.delivery.openings import opened_before, remember, trial
from headstart.errors import LabelError, OutputError, SettingError
from headstart.evaluation.metrics import METRICS
from headstart.flow.evaluate.evaluate import evaluate_run
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.flow.thresholds import check_threshold, positive_of, rule_for, tunes
from headstart.settings import FitSettings, JudgingSettings, SourceSettings
from headstart.tasks import Classification, Multilabel, Regression
from tests import toys
from tests.strategies.whole import check, fit


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (("no", "yes"), "yes"),
        (("0", "1"), "1"),
        (("ham", "spam"), "spam"),
        (("defect", "ok"), "defect"),
        (("cat", "not cat"), "cat"),
        (("Negative", "Positive"), "Positive"),
        (("ants", "bees"), "ants"),  # the rarer
    ],
)
def test_the_positive_class_is_inferred_and_said(labels: tuple[str, str], positive: str) -> None:
    found = positive_of(Classification(labels), np.repeat([0, 1], [10, 30]))
    assert found is not None
    assert (found.label, labels[found.output]) == (positive, positive)
    assert "name" in found.reason or "rarer" in found.reason


def test_of_two_classes_alike_the_second_is_taken_unless_one_is_asked_for() -> None:
    task, y = Classification(("ants", "bees")), np.repeat([0, 1], 10)
    second, asked = positive_of(task, y), positive_of(task, y, "ants")
    assert second is not None
    assert asked is not None
    assert (second.label, asked.label) == ("bees", "ants")
    assert "--positive" in second.reason
    with pytest.raises(LabelError, match="'ants' or 'bees'"):
        positive_of(task, y, "wasps")
    assert positive_of(Classification(("a", "b", "c")), y) is None
    with pytest.raises(SettingError, match="3 classes"):
        positive_of(Classification(("a", "b", "c")), y, "a")
    with pytest.raises(SettingError, match="regression"):
        positive_of(Regression(), y, "a")


def test_a_threshold_that_cannot_serve_is_refused_before_any_work() -> None:
    asked = JudgingSettings(threshold="best-f1")
    check_threshold("classification", 2, asked)
    check_threshold("multilabel", 9, asked)
    check_threshold("classification", 9, JudgingSettings())
    for task, outputs, said in (("regression", 1, "regression"), ("classification", 9, "9 classes")):
        with pytest.raises(SettingError, match=said):
            check_threshold(task, outputs, asked)
    with pytest.raises(SettingError, match="best-f1"):
        check_threshold("classification", None, JudgingSettings(threshold="f1"))


def test_rules_by_task() -> None:
    several, plain = Multilabel(("a", "b")), JudgingSettings()
    assert rule_for(several, plain, "f1_micro", None).mean == "micro"  # type: ignore[union-attr]
    assert rule_for(several, plain, "f1_macro", None).mean == "macro"  # type: ignore[union-attr]
    assert rule_for(several, plain, "subset_accuracy", None) is None
    task = Classification(("a", "b"))
    positive = positive_of(task, np.array([0, 1, 1]))
    assert rule_for(task, plain, "accuracy", positive) is None
    assert rule_for(task, JudgingSettings(threshold="0.3"), "accuracy", positive).target == 0.3  # type: ignore[union-attr]
    assert tunes(several, plain)
    assert not tunes(several, JudgingSettings(threshold="0.4"))
    assert not tunes(task, plain)
    assert tunes(task, JudgingSettings(threshold="recall=0.9"))


def test_a_run_repeated_as_it_was_is_no_new_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    keys = np.array(["a", "b"])
    first, other = trial({"seed": 0}, "w", keys), trial({"seed": 1}, "w", keys)
    assert first == trial({"seed": 0}, "w", keys[::-1]) != other
    for own in (first, first, first, other):
        remember("rows", tmp_path / "run", own)
    assert opened_before("rows", first) == 1
    assert opened_before("rows", trial({"seed": 2}, "w", keys)) == 2
    with (tmp_path / "openings.jsonl").open("a") as ledger:  # lines of earlier versions name no trial
        ledger.write('{"rows": "rows", "run": "x", "time": "t"}\n' * 2)
    assert opened_before("rows", first) == 3


WORDS = {"sea": ["wave", "boat"], "sky": ["cloud", "wing"], "tree": ["leaf", "root"]}


def several(path: Path, count: int, seed: int = 0) -> Path:
    """Texts of several labels, each of which its words tell; "tree" is rare."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(count):
        chosen = [name for name, share in (("sea", 0.5), ("sky", 0.4), ("tree", 0.15)) if rng.random() < share] or [
            "sea"
        ]
        words = [str(rng.choice(WORDS[name])) for name in chosen] + [f"no{i}"]
        rows.append([" ".join(words), "|".join(chosen)])
    return toys.table(path, ["text", "labels"], rows)


def probed(table: Path, out: Path, base: str, source: SourceSettings) -> Run:
    return fit_source(Places(table, out), FitSettings(base=base, strategy="probe", source=source))


def test_a_run_of_several_labels_sets_thresholds_for_model_and_baselines(
    settled_bases: dict[str, str], tmp_path: Path
) -> None:
    source = SourceSettings(target=("labels",), task="multilabel")
    run = probed(several(tmp_path / "t.csv", 160), tmp_path / "run", settled_bases["text"], source)
    check(run)
    found = run.result.thresholds
    assert found is not None
    assert set(found.values) == set(WORDS)
    assert found.n > 50
    assert found.after > found.before - 0.05  # no row chose the rule that decides it, so a little less is chance
    kept = Answers.load(run.path)
    assert kept.thresholds == run.model.bundle.caution.thresholds
    assert kept.thresholds is not None
    assert kept.thresholds.values == tuple(found.values[label] for label in kept.labels)
    test = kept.part_of("test")
    assert METRICS["f1_micro"].function(test.truth, test.decided()) == pytest.approx(run.result.test.score)
    said = Model.load(run.path).predictions(["wave no1", "cloud leaf no2"])
    given = kept.thresholds.given(said.probabilities)
    assert [set(one) for one in said.answers] == [{kept.labels[i] for i in np.flatnonzero(row)} for row in given]
    majority = next(one for one in run.result.controls if one.name == "majority")
    assert majority.score > 0  # at 0.5 it may give no label at all


def test_two_classes_have_curves_a_threshold_and_tables(settled_bases: dict[str, str], tmp_path: Path) -> None:
    names = ["sea", "sky"] * 60
    rows = [[f"{WORDS[name][i % 2]} no{i}", name] for i, name in enumerate(names)]
    table = toys.table(tmp_path / "t.csv", ["text", "label"], rows)
    judging = JudgingSettings(threshold="recall=0.9", positive="sea")
    run, _ = fit(table, tmp_path / "run", settled_bases["text"], "probe", judging=judging)
    check(run)
    two = run.result.two_classes
    assert two is not None
    assert (two.positive, two.reason) == ("sea", "asked for with --positive")
    assert "recall of at least 0.9" in two.rule
    assert two.roc[-1][:2] == [1, 1]
    test = Answers.load(run.path).part_of("test")
    given = test.probabilities[:, 0] >= two.threshold
    assert two.recall.value == pytest.approx((given & (test.truth == 0)).sum() / (test.truth == 0).sum())
    assert run.result.test.score == pytest.approx((given == (test.truth == 0)).mean())
    with (run.path / "mistakes.csv").open(encoding="utf-8", newline="") as file:
        wrong = list(csv.DictReader(file))
    assert {one["id"] for one in wrong} == set(test.ids[given != (test.truth == 0)])
    assert all(one["nearest id"] and one["nearest text"] for one in wrong)

    out = tmp_path / "evaluated"
    found = evaluate_run(run.path, table, SourceSettings(), out=out)
    assert found.confusion is not None
    assert np.sum(found.confusion) == found.n == 120
    assert found.mistakes == found.n - np.trace(found.confusion)
    assert found.two_classes is not None
    assert (found.two_classes.positive, found.two_classes.reason) == ("sea", "as in the run")
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as file:
        said = list(csv.DictReader(file))
    assert len(said) == 120
    assert sum(one["right"] == "no" for one in said) == found.mistakes
    with (out / "mistakes.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == found.mistakes
    assert json.loads((out / "evaluation.json").read_text(encoding="utf-8")) == json.loads(json.dumps(found.to_dict()))
    with pytest.raises(OutputError, match="--overwrite"):
        evaluate_run(run.path, table, SourceSettings(), out=out)
    evaluate_run(run.path, table, SourceSettings(), out=tmp_path / "only.json")
    assert (tmp_path / "only.json").is_file()


def test_a_regression_has_intervals_that_are_told_with_every_value(
    settled_bases: dict[str, str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rows = [[f"{('wave', 'cloud')[i % 2]} no{i}", f"{10 + 10 * (i % 2) + rng.normal():.2f}"] for i in range(160)]
    table = toys.table(tmp_path / "t.csv", ["text", "value"], rows)
    source = SourceSettings(target=("value",), task="regression")
    run = probed(table, tmp_path / "run", settled_bases["text"], source)
    spans = run.result.intervals
    assert spans is not None
    assert spans.level == 0.9
    assert spans.half_width > 0
    assert 0.6 < spans.coverage <= 1
    values = run.model.predict_proba(["wave no1"])
    bounds = run.model.bundle.caution.bounds(values)
    assert bounds is not None
    assert (bounds[1] - bounds[0])[0, 0] == pytest.approx(2 * spans.half_width)
