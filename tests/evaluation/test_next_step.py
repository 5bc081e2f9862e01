"""What is advised agrees with the model that was selected, and every other model comes with its command."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.controls.panel import controls_for
from headstart.errors import SettingError
from headstart.evaluation.baselines import baseline_of, option_of
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.diagnosis import Symptoms, diagnose
from headstart.evaluation.findings import RunEvidence, about_run
from headstart.evaluation.next_step import Selected, agreeing, with_command
from headstart.evaluation.verdict import judge
from headstart.modalities import baselines, modalities
from headstart.settings import FitSettings
from headstart.strategies.names import get
from headstart.tasks import baselines as of_tasks
from headstart.tasks import tasks

SCORE = Interval(0.9, 0.85, 0.94, 0.95, 150)
PIXELS, TEXT = "pixels + linear", "TF-IDF + linear"
OUTCOMES = {
    "helped": (0.2, 0.1, 0.3),
    "hurt": (-0.2, -0.3, -0.1),
    "did not help": (0.0, -0.02, 0.02),
    "cannot tell": (0.02, -0.1, 0.14),
}


def step(outcome: str, selected: Selected, baseline: str = PIXELS, n: int = 150) -> str:
    gains = {baseline: Interval(*OUTCOMES[outcome], 0.95, n), "majority": Interval(0.4, 0.3, 0.5, 0.95, n)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == outcome
    found = agreeing(verdict, gains, selected)
    assert replace(found, next_step="") == replace(verdict, next_step="")
    return found.next_step


@pytest.mark.parametrize("outcome", ["hurt", "did not help", "cannot tell"])
def test_another_model_than_the_selected_one_comes_with_its_command(outcome: str) -> None:
    said = step(outcome, Selected("probe"))
    assert "`--strategy baseline:pixels-linear`" in said
    assert "safe choice" not in said
    assert ("keep the selected model" in said) == (outcome == "cannot tell")
    assert "`--strategy scratch`" in step(outcome, Selected("full"), "scratch")


def test_a_model_that_helped_needs_no_other() -> None:
    assert "--strategy" not in step("helped", Selected("probe"))


@pytest.mark.parametrize("asked", [True, False])
def test_a_selected_baseline_is_what_the_step_is_about(asked: bool) -> None:
    selected = Selected("full", PIXELS, asked)
    assert step("hurt", selected) == step("did not help", selected) == f"Use the selected model, the baseline {PIXELS}."
    assert step("cannot tell", selected).startswith(f"Keep the selected model, the baseline {PIXELS}")
    helped = step("helped", selected)
    assert "fit again with `--strategy full`" in helped
    assert ("as asked for" in helped) == asked
    assert "`--strategy baseline:tfidf-linear`" in step("hurt", selected, TEXT)


def test_too_few_rows_for_any_interval_keep_the_selected_model() -> None:
    gains = {PIXELS: Interval(0.1, np.nan, np.nan, 0.95, 3), "majority": Interval(0.2, np.nan, np.nan, 0.95, 3)}
    verdict = judge(SCORE, "accuracy", gains)
    assert verdict.outcome == "cannot tell"
    said = agreeing(verdict, gains, Selected("probe")).next_step
    assert said.startswith("Keep the selected model")
    assert "baseline:pixels-linear" in said


def test_where_nothing_was_learned_no_model_is_advised() -> None:
    gains = {"majority": Interval(-0.2, -0.3, -0.1, 0.95, 150)}
    assert agreeing(judge(SCORE, "accuracy", gains), gains, Selected("probe")).next_step.startswith("Use no model")


def test_without_evidence_the_verdict_stays() -> None:
    verdict = judge(SCORE, "accuracy", {})
    assert agreeing(verdict, {}, Selected("probe")) == verdict


def test_a_finding_that_names_a_better_baseline_has_its_command() -> None:
    lost = RunEvidence("classification", "accuracy", SCORE, {PIXELS: Interval(*OUTCOMES["hurt"], 0.95, 150)})
    (wrong,) = [one for one in about_run(lost) if one.name == "wrong base"]
    assert with_command(wrong.suggestion, Selected("probe")).endswith("`--strategy baseline:pixels-linear` selects it.")
    assert with_command(wrong.suggestion, Selected("probe", PIXELS)).endswith("It is the selected model.")


def test_a_leak_that_no_audit_sees_is_not_sent_there() -> None:
    seen = RunEvidence("classification", "accuracy", SCORE, {}, leaked=5, audit="headstart audit a.csv --apply")
    advice = {
        count: next(one for one in about_run(replace(seen, foreknown=count)) if one.name == "leak").suggestion
        for count in (0, 2, 5)
    }
    assert "`headstart audit a.csv --apply`" in advice[0]
    assert "earlier run" not in advice[0]
    assert "audit" not in advice[5]
    assert "--test" in advice[5]
    assert "audit" in advice[2]
    assert "earlier run" in advice[2]


def test_fewer_weights_are_trained_by_what_the_base_allows() -> None:
    unstable = Symptoms((), 0.9, 0.9, True, "accuracy", None, 2, 100, 2, False)
    assert "`--strategy lora`" in diagnose(unstable)[0].suggestion
    without = diagnose(replace(unstable, fewer="--strategy partial --unfreeze 1"))[0].suggestion
    assert "lora" not in without
    assert "`--strategy partial --unfreeze 1`" in without


def test_every_baseline_can_be_asked_for_by_a_short_name() -> None:
    kinds = [(modality, task) for task in tasks() for modality in modalities()]
    there = {control.name for modality, task in kinds for control in controls_for(modality, task, 2)}
    assert there == {*baselines(), *of_tasks()}
    names = {
        "majority": "majority",
        "mfcc-linear": "MFCC + linear",
        "pixels-linear": "pixels + linear",
        "tfidf-linear": "TF-IDF + linear",
        "most-frequent-tag": "most frequent tag",
        "crf-on-words-and-shapes": "CRF on words and shapes",
    }
    assert set(names.values()) == there
    for short, name in names.items():
        assert baseline_of(f"baseline:{short}", there) == name
        assert option_of(name) == f"--strategy baseline:{short}"
        assert get(f"baseline:{short}").name == "probe"
    assert baseline_of("probe", there) is None
    with pytest.raises(SettingError, match=r"baseline 'tfidf' is unknown.*Did you mean 'baseline:tfidf-linear'"):
        baseline_of("baseline:tfidf", there)
    with pytest.raises(SettingError, match="--strategy scratch"):
        baseline_of("baseline:scratch", there)
    with pytest.raises(SettingError, match="baseline:majority"):
        get("nothing like it")
    assert FitSettings().strategy == "auto"
