"""What each strategy is said to cost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from headstart.bases.catalogue import open_base
from headstart.data.source import open_sources
from headstart.flow.advise import costs as costing
from headstart.flow.advise.costs import predicted_costs
from headstart.flow.preparation import prepare
from headstart.progress import Progress
from headstart.settings import FitSettings, SourceSettings, TrainingSettings
from headstart.strategies.names import STRATEGIES
from headstart.training.costs import Cost
from tests.strategies import data

SETTINGS = FitSettings(training=TrainingSettings(scratch_control=False))


def costs(source: Path, name: str, settings: FitSettings = SETTINGS, frozen: bool = False) -> dict[str, Cost]:
    opened = open_sources(source, valid=None, test=None, settings=SourceSettings())
    base = open_base(name, opened.table.modality)
    if frozen:
        base.trainable = False
    prepared = prepare(opened, base, settings, Progress())
    return {one.strategy: one for one in predicted_costs(prepared, base, "accuracy", settings)}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return data.texts(tmp_path / "texts.csv", 120)


def test_every_strategy_has_a_cost_that_adds_up(settled_bases: dict[str, str], texts: Path) -> None:
    found = costs(texts, settled_bases["text"])
    assert list(found) == list(STRATEGIES)
    for cost in found.values():
        assert not cost.left_out
        assert cost.seconds == pytest.approx(sum(cost.parts.values()))
        assert 0 < cost.least <= cost.at_most * 1.000001
        assert cost.seconds <= cost.at_most * 1.000001
        assert cost.memory > 50 * 2**20
    assert found["probe"].seconds == min(cost.seconds for cost in found.values())
    assert found["probe"].memory < found["full"].memory
    assert found["full"].disk == 0


def test_the_control_from_scratch_is_paid_for(settled_bases: dict[str, str], texts: Path) -> None:
    with_control = costs(texts, settled_bases["text"], FitSettings())["full"]
    assert with_control.parts["scratch baseline"] > 0
    assert "scratch baseline" not in costs(texts, settled_bases["text"])["full"].parts


def test_a_frozen_base_is_for_a_probe_only(settled_bases: dict[str, str], texts: Path) -> None:
    found = costs(texts, settled_bases["text"], frozen=True)
    assert not found["probe"].left_out
    assert found["probe"].seconds > 0
    others = [cost for name, cost in found.items() if name != "probe"]
    assert all("frozen" in cost.left_out and math.isnan(cost.seconds) for cost in others)


def test_too_few_rows_to_compare_on_leave_the_trained_strategies_out(
    settled_bases: dict[str, str], tmp_path: Path
) -> None:
    found = costs(data.texts(tmp_path / "few.csv", 14), settled_bases["text"])
    assert found["probe"].seconds > 0
    trained = [cost for name, cost in found.items() if STRATEGIES[name].recipe]
    assert all("comparing strategies takes at least 4" in cost.left_out for cost in trained)


@pytest.mark.parametrize(("rows", "sizes"), [(100, [100]), (400, [150, 400]), (6_000, [150, 600])])
def test_work_is_timed_on_some_rows_and_carried_on(
    monkeypatch: pytest.MonkeyPatch, rows: int, sizes: list[int]
) -> None:
    clock, asked = [0.0], []

    def work(some: np.ndarray) -> None:
        asked.append(len(some))
        clock[0] += 5 + len(some) / 100

    monkeypatch.setattr(costing.time, "perf_counter", lambda: clock[0])
    assert costing._timed(rows, work) == pytest.approx(5 + rows / 100)
    assert asked == sizes
