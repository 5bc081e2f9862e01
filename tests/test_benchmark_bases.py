"""The tables of base regret from made-up runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benchmarks import bases
from benchmarks.bases import BASES, Found, Key
from benchmarks.benchmark import Options, Table
from benchmarks.tasks import Built

DAY = "2026-01-01"
ZERO, ONE, TWO = BASES


def runs(task: str, scores: tuple[float, float, float], pick: str, quick: bool = False) -> dict[Key, Found]:
    """Fits of 10 s each and a ranking of 6 s whose nearest neighbours always name the first base."""
    found = {
        Key(task, base, 0, quick): Found(DAY, 10.0, score, "accuracy")
        for base, score in zip(BASES, scores, strict=True)
    }
    said = {"nearest neighbours": dict(zip(BASES, (9.0, 8.0, 7.0), strict=True)), "LogME": {ZERO: 1.0}}
    return found | {Key(task, "rank", 0, quick): Found(DAY, 6.0, metric="accuracy", pick=pick, scores=said)}


def cells(table: Table, first: str) -> dict[str, str]:
    """One row of a table by its header."""
    (row,) = (row for row in table.rows if row[0] == first)
    return dict(zip(table.header, row, strict=True))


def test_regret_of_rank_of_single_scores_and_of_one_base_throughout() -> None:
    found = runs("digits-5", (80.0, 82.0, 81.0), ONE) | runs("bccd-5", (70.0, 75.0, 78.0), ONE)
    table = bases.summary(bases.rows(found, ["digits-5", "bccd-5"], quick=False))
    rank, neighbours, always = (cells(table, name) for name in ("rank", "nearest neighbours alone", f"always {TWO}"))
    assert (rank["mean regret"], rank["worst regret"], rank["best base picked"]) == ("1.50", "3.00", "1 of 2")
    assert rank["time ÷ exhaustive, mean"] == "20%"
    assert (neighbours["mean regret"], neighbours["worst regret"]) == ("5.00", "8.00")
    assert always["mean regret"] == "0.50"
    assert "LogME alone" not in [row[0] for row in table.rows]  # not every base has it


def test_what_is_not_complete_is_said() -> None:
    found = runs("digits-5", (80.0, 82.0, 81.0), ONE)
    del found[Key("digits-5", TWO, 0)]
    assert bases.findings(found, ["digits-5"], quick=False).tables == ()
    assert any("Not complete: digits-5" in note for note in bases.findings(found, ["digits-5"], quick=False).notes)


def test_enough_tasks() -> None:
    assert len(bases.TASKS) >= 12
    assert min(bases.CUTS) >= 5  # fewer are refused by rank


def test_runs_go_on_where_they_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "bases.jsonl"
    done: list[str] = []

    def run(key: Key, *_: Any) -> Found:
        done.append(key.what)
        return runs("bccd-5", (70.0, 75.0, 78.0), TWO, quick=True)[key]

    monkeypatch.setattr(bases, "_run", run)
    monkeypatch.setattr(bases, "_machine", lambda *_: tmp_path)
    monkeypatch.setattr(bases, "build", _nothing_built)
    monkeypatch.setattr(bases, "test_is", lambda data: "made up")
    options = Options(tmp_path, quick=True, tasks=("bccd-5",), resume=ledger)
    first = bases.measure(options)
    with ledger.open("a") as file:
        file.write('{"run": {"task"')
    assert done == [*BASES, "rank"]
    assert bases.measure(options).tables == first.tables
    assert done == [*BASES, "rank"]


def test_results_become_the_prior() -> None:
    found = bases.recorded(runs("bccd-5", (70.0, 75.0, 78.0), TWO), "how")
    ours = [row for row in found["results"] if row["data"] == "bccd"]
    assert {row["base"]: row["score"] for row in ours} == {ZERO: 70.0, ONE: 75.0, TWO: 78.0}
    assert {row["data"] for row in found["results"]} == {"bccd", "imagenet"}


def _nothing_built(task: Any, folder: Path, *_: Any) -> Built:
    folder.mkdir(parents=True)
    return Built(folder, (), "image", 10, 10, 10)
