"""Where borrowing does not pay, the run says so first: 8x8 digits, which pixels alone tell well enough."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import headstart as hs
from tests.conftest import ROOT

FIRST_WORDS = {
    "did not help": "Transfer learning did not improve accuracy",
    "hurt": "Transfer learning reduced accuracy",
    "cannot tell": "Cannot tell whether transfer learning",
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder, script = tmp_path_factory.mktemp("data") / "digits", ROOT / "examples" / "make_digits.py"
    subprocess.run([sys.executable, script, folder, "--per-class", "40"], check=True, capture_output=True)
    return folder


def test_digits_do_not_need_borrowing(digits, tmp_path):
    run = hs.fit(digits, strategy="probe", out=tmp_path / "run")
    result = run.result
    assert result.base["name"] == "efficientnet_lite0"
    assert result.test.score > 0.7  # it learnt, and still:
    pixels = next(control for control in result.controls if control.name == "pixels + linear")
    assert pixels.score > 0.85
    assert result.transfer_gain.against == pixels.name
    assert result.transfer_gain.low <= 0
    assert result.verdict.sentence.startswith(FIRST_WORDS[result.verdict.outcome])
    assert f"for {pixels.name}" in result.verdict.sentence
    assert pixels.name in result.verdict.next_step
    report = (run.path / "report.html").read_text(encoding="utf-8")
    assert report.index(FIRST_WORDS[result.verdict.outcome]) < report.index("efficientnet_lite0")


def test_a_ladder_hands_the_better_control_over(digits, tmp_path):
    hs.fit(digits, strategy="probe", out=tmp_path / "probe")  # so that the little time is not spent on features
    run = hs.fit(digits, budget=15, out=tmp_path / "run")  # too little for training weights
    result = run.result
    assert (result.chosen.base, result.chosen.strategy, result.chosen.head) == ("", "pixels + linear", "")
    assert {rung.strategy for rung in result.ladder.rungs if rung.decision != "not tried"} <= {"probe", "head2toe"}
    pixels = next(control for control in result.controls if control.name == "pixels + linear")
    test = sorted(digits.glob("*/*.png"))[::10]
    said = hs.load(run.path).predict(test)
    assert np.mean(said == [path.parent.name for path in test]) > 0.9
    assert result.test.score < pixels.score  # of the borrowed model, and so is the verdict
    assert result.verdict.sentence.startswith(FIRST_WORDS[result.verdict.outcome])
    with pytest.raises(hs.UserError, match="uses no base"):
        run.model.embed(test)
