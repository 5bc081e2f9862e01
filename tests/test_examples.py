"""The scripts in examples/ run as their first lines say, on the data they ship or make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SCRIPTS = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "make_digits.py")

#: script -> what must be among its lines, and what it leaves behind.
SAYS = {
    "fit_folder.py": (
        ["probe: start, ", "majority: ", "pixels + linear: ", "report: runs/digits/report.html"],
        "runs/digits",
    ),
    "grouped_texts.py": (["channel mail: ", "channel chat: ", "Transfer learning improved "], "runs/requests"),
    "service.py": (["where is my parcel? -> delivery", "-> a person", "alike: "], "runs/support_requests"),
    "tag_orders.py": (["place: F1 ", "ware: F1 ", ", characters "], "runs/orders"),
    "sklearn_pipeline.py": (["transfer learning: accuracy ", "words counted: accuracy "], ""),
}


def test_every_script_is_known_here() -> None:
    assert [path.name for path in SCRIPTS] == sorted(SAYS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_short(script: Path) -> None:
    assert len(script.read_text(encoding="utf-8").splitlines()) < 40


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_runs(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::headstart.errors.HeadstartWarning", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, left = SAYS[script.name]
    assert [words for words in said if words not in done.stdout] == []
    if left:
        assert (tmp_path / left / "result.json").is_file()
        assert (tmp_path / left / "report.html").stat().st_size > 10_000
    if script.name == "sklearn_pipeline.py":
        transferred, counted = (float(line.split()[-4]) for line in done.stdout.splitlines())
        assert transferred > counted + 0.1


def test_the_demo_does_not_depend_on_the_speed_of_the_machine() -> None:
    fits = [line for line in (EXAMPLES / "demo.sh").read_text().splitlines() if line.startswith("headstart fit")]
    assert len(fits) == 2
    assert all("--strategy" in line and "--budget" not in line for line in fits)
    assert "--epochs" in fits[0]
