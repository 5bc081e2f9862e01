"""Where borrowing does not pay, the run says so first: 8x8 digits, which pixels alone tell well enough."""

from __future__ import annotations

import subprocess
import sys

import headstart as hs
from tests.conftest import ROOT

FIRST_WORDS = {
    "did not help": "Borrowing did not help:",
    "hurt": "Borrowing hurt:",
    "cannot tell": "Cannot tell whether borrowing helped:",
}


def test_digits_do_not_need_borrowing(tmp_path):
    digits, script = tmp_path / "digits", ROOT / "examples" / "make_digits.py"
    subprocess.run([sys.executable, script, digits, "--per-class", "40"], check=True, capture_output=True)
    run = hs.fit(digits, out=tmp_path / "run")
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
