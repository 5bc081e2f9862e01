"""What others add from outside, by entry points alone, runs from `fit` to `predict` with no edit of headstart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT

PLUGINS = ROOT / "tests" / "plugins"


def installed(site: Path, module: str, group: str, points: dict[str, str]) -> Path:
    """A folder to put on the path that holds ``module`` as a distribution with entry points."""
    site.mkdir()
    shutil.copy(PLUGINS / f"{module}.py", site)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n")
    lines = [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins") / "site"
    return installed(folder, "toy_series", "headstart.modalities", {"series": "toy_series:Series"})


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Slow and quick waves of unlike lengths, a class a folder."""
    folder = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(0)
    for label, pace in (("slow", 1.0), ("quick", 4.0)):
        (folder / label).mkdir()
        for number in range(30):
            time = np.linspace(0, 1, int(rng.integers(24, 60)))
            wave = np.sin(2 * np.pi * pace * time + rng.uniform(0, 6)) + 0.1 * rng.normal(size=len(time))
            (folder / label / f"{number:02}.series").write_text(" ".join(f"{value:.4f}" for value in wave))
    (folder / "slow" / "broken.series").write_text("no numbers")
    return folder


def headstart(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "headstart", *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("strategy", ["probe", "partial"])
def test_a_modality_from_outside_runs_whole(site: Path, series: Path, tmp_path: Path, strategy: str) -> None:
    run = tmp_path / "run"
    given = ["fit", series, "--strategy", strategy, "--epochs", "2", "--max-rejected", "0.1", "--damage", "--out", run]
    given = [one for one in given if strategy != "probe" or one not in ("--epochs", "2")]
    fitted = headstart(site, *given)
    assert fitted.returncode == 0, fitted.stderr
    assert "60 series of 2 classes" in " ".join(fitted.stdout.split())
    result = json.loads((run / "result.json").read_text())
    assert (result["data"]["modality"], result["data"]["rejected"]) == ("series", 1)
    assert "moments + linear" in {control["name"] for control in result["baselines"]}
    assert {record["kind"] for record in result["robustness"]["corruptions"]} == {"jitter"}
    assert "toy-series" in (run / "report.html").read_text()
    new = [series / "slow" / "03.series", series / "slow" / "broken.series"]
    answered = headstart(site, "predict", run, *new)
    assert answered.returncode == 1
    assert "not a number" in answered.stdout
    evaluated = headstart(site, "evaluate", run, series)
    assert evaluated.returncode == 0, evaluated.stderr
    audited = headstart(site, "audit", series, "--out", tmp_path / "audit")
    assert audited.returncode == 0, audited.stderr


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counting") / "site"
    return installed(folder, "toy_task", "headstart.tasks", {"counts": "toy_task:Counts"})


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts that name an apple as often as their target says."""
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 6, 120).tolist()
    rows = [f"box {row} has {'apple ' * n}{'stone ' * (6 - n)},{n}" for row, n in enumerate(counts)]
    file = tmp_path_factory.mktemp("boxes") / "boxes.csv"
    file.write_text("\n".join(["text,number", *rows]) + "\n")
    return file


def test_a_task_from_outside_runs_whole(counting: Path, boxes: Path, tmp_path: Path) -> None:
    run, asked = tmp_path / "run", ("--task", "counts", "--target", "number")
    fitted = headstart(counting, "fit", boxes, *asked, "--strategy", "probe", "--out", run)
    assert fitted.returncode == 0, fitted.stderr
    assert "120 texts for counts" in " ".join(fitted.stdout.split())
    result = json.loads((run / "result.json").read_text())
    assert (result["task"], result["metric"], result["data"]["labels"]) == ("counts", "r2", [])
    assert "counts" in (run / "report.html").read_text()
    answered = headstart(counting, "predict", run, "box 3 has apple apple stone stone stone stone")
    assert answered.returncode == 0, answered.stderr
    head, line = answered.stdout.strip().splitlines()
    value = line.split(",")[head.split(",").index("value")]
    assert float(value) in range(7)
    evaluated = headstart(counting, "evaluate", run, boxes, "--out", tmp_path / "evaluated")
    assert evaluated.returncode == 0, evaluated.stderr
    audited = headstart(counting, "audit", boxes, *asked, "--out", tmp_path / "audit")
    assert audited.returncode == 0, audited.stderr


def test_without_it_the_task_is_unknown(boxes: Path, tmp_path: Path) -> None:
    refused = headstart(tmp_path, "fit", boxes, "--task", "counts")
    assert refused.returncode == 2
    assert "task 'counts' is unknown; it is one of classification, multilabel, regression" in refused.stderr


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ({"a": "toy_task:Counts", "b": "toy_task:Counts"}, "adds a task 'counts', which is known already"),
        ({"a": "headstart.tasks:Regression"}, "adds a task 'regression', which is known already"),
        ({"a": "headstart.tasks:Task"}, "gives no task but Task"),
        ({"a": "toy_task:LabelError"}, "gives no task but LabelError"),
        ({"a": "toy_task:Missing"}, "could not give its task: AttributeError"),
    ],
)
def test_a_task_that_cannot_be_had_is_refused(points: dict[str, str], said: str, boxes: Path, tmp_path: Path) -> None:
    site = installed(tmp_path / "site", "toy_task", "headstart.tasks", points)
    refused = headstart(site, "fit", boxes, "--task", "counts")
    assert refused.returncode == 2
    assert said in " ".join(refused.stderr.split())


def test_without_it_such_files_are_unknown(series: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "headstart", "fit", series], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "no image or audio file found (but .series files)" in " ".join(refused.stderr.split())


def test_one_of_a_name_that_is_taken_is_refused(tmp_path: Path, series: Path) -> None:
    points = {"a": "toy_series:Series", "b": "toy_series:Series"}
    site = installed(tmp_path / "site", "toy_series", "headstart.modalities", points)
    refused = headstart(site, "fit", series)
    assert refused.returncode == 2
    assert "adds a modality 'series', which is known already" in " ".join(refused.stderr.split())
