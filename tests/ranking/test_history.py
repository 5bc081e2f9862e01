"""The user's own results."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from headstart.errors import OutputError
from headstart.ranking.history import fingerprint, history_path, remember, remembered


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def add(data: str, base: str = "b", score: float = 0.9, verb: str = "fit") -> None:
    remember(
        data, verb=verb, modality="image", kind="classification", base=base, metric="accuracy", score=score, rows=50
    )


def _many(start: int) -> None:
    for i in range(start, start + 50):
        add(f"task{i}", base="b" * 200)


def test_results_come_back_in_points_without_the_task_that_is_ranked() -> None:
    assert remembered() == ()
    add("one")
    add("two", score=0.5)
    assert [(record.data, record.score) for record in remembered()] == [("one", 90.0), ("two", 50.0)]
    assert [record.data for record in remembered(without="one")] == ["two"]


def test_verbs_are_not_compared() -> None:
    add("one", verb="fit")
    add("one", verb="rank")
    assert len({record.task for record in remembered()}) == 2


def test_lines_of_several_processes_stay_whole() -> None:
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_many, (0, 50)))
    assert {record.data for record in remembered()} == {f"task{i}" for i in range(100)}


def test_a_line_that_was_cut_off_costs_only_itself() -> None:
    add("one")
    with history_path().open("a", encoding="utf-8") as file:
        file.write('{"data": "tw\n[]\n{"data": 1}\n')
    add("three")
    assert [record.data for record in remembered()] == ["one", "three"]


def test_no_content_is_kept() -> None:
    data = fingerprint(["secret.png", "b.png"], ["ill", "well"], "classification")
    add(data)
    line = history_path().read_text(encoding="utf-8")
    assert "secret" not in line
    assert "ill" not in json.loads(line).values()
    assert data == fingerprint(["b.png", "secret.png"], ["well", "ill"], "classification")  # whatever the order
    assert data != fingerprint(["b.png", "secret.png"], ["well", "dead"], "classification")
    assert data != fingerprint(["b.png"], ["ill", "well"], "classification")


def test_undefined_scores_are_not_kept() -> None:
    add("one", score=float("nan"))
    assert not history_path().exists()


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        add("one")
