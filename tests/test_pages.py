"""The Python of README, tour, deployment and recipes runs as it stands, in this order, on the examples."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.test_docs import ROOT
from tests.test_readme import python_blocks


def test_python_of_the_pages_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for page in ("docs/tour.md", "docs/deployment.md", "docs/recipes.md", "README.md"):
        if page == "README.md":
            shutil.copytree("runs/tour", "runs/support_requests")
        blocks = python_blocks((ROOT / page).read_text(encoding="utf-8"))
        assert blocks
        for block in blocks:
            exec(compile(block, page, "exec"), names)
    said = capsys.readouterr().out
    assert "ransfer learning" in said
    assert said.count("['delivery']") == 1
    assert names["later"].n == 40
    assert names["later"].learnt > 0
    assert names["team_model"]({"text": names["texts"], "team": names["teams"]}).result.test.n == 32


def test_readme_is_one_screen() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 95  # 14 of them are what a run prints
    assert "make demo" in page
    assert "make test" in page
    assert (ROOT / "docs/images/report.png").stat().st_size <= 200_000
