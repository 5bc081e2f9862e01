"""A time for the whole run: what is left out or cut short to keep it, and that it is kept."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import headstart.training.extraction as extraction
from headstart.bases.transformers_image import TransformersImageBase
from headstart.errors import SettingError
from headstart.settings import TrainingSettings
from headstart.strategies import training
from tests.strategies import data
from tests.strategies.whole import QUICK, check, fit


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return data.pictures(tmp_path / "pictures", 120)


def slow_features(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Features take so long a picture."""
    own = extraction.build

    def build(*given: Any) -> Any:
        runner = own(*given)

        def slow(batch: tuple[Any, ...]) -> Any:
            time.sleep(seconds * len(batch[0]))
            return runner(batch)

        return slow

    monkeypatch.setattr(extraction, "build", build)


def slow_network(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The network takes so long a picture, wherever it is run."""
    own = TransformersImageBase.network

    def network(self: Any) -> Any:
        made = own(self)
        made.register_forward_pre_hook(lambda module, given: time.sleep(seconds * len(given[0])))
        return made

    monkeypatch.setattr(TransformersImageBase, "network", network)


def weak_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training begins with a head that knows next to nothing, so that it is worth its time."""
    own = training.start_head

    def weak(*given: Any) -> Any:
        head = own(*given)
        return replace(head, weight=0.01 * head.weight)

    monkeypatch.setattr(training, "start_head", weak)


def test_too_small_for_the_features(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_features(monkeypatch, 0.02)
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    import shutil

    shutil.copytree(settled_bases["cache"] + "/runtimes", tmp_path / "cache" / "runtimes")
    start = time.monotonic()
    with pytest.raises(SettingError) as error:
        fit(pictures, tmp_path / "run", settled_bases["image"], "auto", budget=1.0)
    said = str(error.value)
    assert "\n" not in said
    assert "too small to pass all 120 images once through" in said
    assert "would fit" in said
    assert "give a larger --budget (what was computed is kept), fewer rows or a smaller --base." in said
    assert time.monotonic() - start < 2.5
    assert not (tmp_path / "run").exists()


def test_enough_for_the_probe_only(settled_bases: dict[str, str], pictures: Path, tmp_path: Path) -> None:
    run, _ = fit(pictures, tmp_path / "run", settled_bases["image"], "auto", budget=5.0)
    check(run)
    assert run.result.chosen.strategy == "probe"
    assert {rung.decision for rung in run.result.ladder.rungs[1:]} == {"not tried"}
    assert run.result.ladder.budget_seconds == 5.0
    assert run.result.seconds < 5.5 + 2


def test_a_strategy_that_there_is_no_time_for(settled_bases: dict[str, str], pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"leaves no time for strategy 'full' .* take --strategy probe"):
        fit(pictures, tmp_path / "run", settled_bases["image"], "full", budget=5.0)
    assert not (tmp_path / "run").exists()


def test_training_is_cut_short_and_the_whole_run_ends_in_time(
    settled_bases: dict[str, str],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow_network(monkeypatch, 0.004)
    weak_start(monkeypatch)
    start, budget = time.monotonic(), 16.0
    settings = TrainingSettings(epochs=200, augment="none", max_forgetting=0.02)
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", settings, budget=budget)
    took = time.monotonic() - start
    check(run)
    assert any("time is short: " in line for line in told) or run.result.training[0].stopped == "budget"
    assert run.result.chosen.strategy in ("full", "probe")
    assert run.result.training[0].steps
    assert run.result.forgetting is not None
    assert took < 1.1 * budget + 2
    assert run.result.training[0].steps < 200 * 5


def test_quick_means_no_limit(settled_bases: dict[str, str], pictures: Path, tmp_path: Path) -> None:
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", QUICK, budget=3600.0)
    assert not any("time is short" in line for line in told)
    assert run.result.training[0].stopped == "finished"
