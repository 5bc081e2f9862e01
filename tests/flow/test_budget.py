"""A time for the whole run: what is left out or cut short to keep it, and that it is kept."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import headstart.training.extraction as extraction
from headstart import began
from headstart.api import load
from headstart.bases.catalogue import open_base
from headstart.bases.transformers_image import TransformersImageBase
from headstart.delivery.answers import HELD, Answers
from headstart.errors import SettingError
from headstart.evaluation.metrics import METRICS
from headstart.report.sentences import selected
from headstart.settings import TrainingSettings
from headstart.strategies import smaller, training
from headstart.terminal.summary import summary
from headstart.training import measuring
from tests.strategies import data
from tests.strategies.whole import QUICK, check, fit, surely_taken, weak_start


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


class Ticking:
    """A clock that moves by what the network is given to do, and by a hair each time it is read."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1e-5
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Ticking:
    """Time as all of headstart sees it: no other work of the machine counts, so what is decided is always the same."""
    made = Ticking()
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        monkeypatch.setattr(time, name, made)
    monkeypatch.setattr(measuring, "_pulse", lambda: 1.0)  # repeats work until time has passed
    return made


def costly_network(monkeypatch: pytest.MonkeyPatch, clock: Ticking, seconds: float, side: int = 0) -> None:
    """The network takes so long a picture by ``clock``, and twice as long again on the way back.

    Args:
        side: pixels of a picture that takes so long, others by their area; 0: all take as long.
    """
    own = TransformersImageBase.network

    def network(self: Any) -> Any:
        made = own(self)

        def spend(module: Any, given: Any) -> None:
            share = int(given[0].shape[-1]) ** 2 / side**2 if side else 1.0
            clock.now += seconds * float(share) * int(given[0].shape[0]) * (3 if torch.is_grad_enabled() else 1)

        (made.body if side else made).register_forward_pre_hook(spend)
        return made

    monkeypatch.setattr(TransformersImageBase, "network", network)


def patient(*given: Any, own: Any = training.train_options) -> Any:
    """Options of training that does not end for want of better looks."""
    return replace(own(*given), patience=1000)


def test_enough_for_the_probe_only(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Ticking
) -> None:
    costly_network(monkeypatch, clock, 0.1)
    run, _ = fit(pictures, tmp_path / "run", settled_bases["image"], "auto", budget=3.0)
    check(run)
    assert run.result.chosen.strategy == "probe"
    assert {rung.decision for rung in run.result.ladder.rungs[1:]} == {"not tried"}
    assert run.result.ladder.budget_seconds == 3.0
    assert run.result.seconds < 3.0


def test_a_strategy_that_there_is_no_time_for(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Ticking
) -> None:
    costly_network(monkeypatch, clock, 0.1)
    with pytest.raises(SettingError, match=r"leaves no time for strategy 'full': .* take --strategy probe"):
        fit(pictures, tmp_path / "run", settled_bases["image"], "full", budget=15.0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("budget", [60.0, 120.0, 240.0])
def test_training_is_fitted_into_the_budget_and_nearly_all_of_it_is_used(
    settled_bases: dict[str, str],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Ticking,
    budget: float,
) -> None:
    costly_network(monkeypatch, clock, 0.02)
    weak_start(monkeypatch)
    settings = TrainingSettings(epochs=60, augment="none", rate=1e-4)
    monkeypatch.setattr(training, "train_options", patient)
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", settings, budget=budget)
    check(run)
    record, rates = run.result.training[0], [point.rate for point in run.result.training[0].curve]
    assert record.stopped == "budget"
    assert 0 < record.steps < 60 * 5
    assert rates[-1] < 0.1 * max(rates)  # the schedule was planned for the steps that fit: it came to its end
    assert any(said.startswith("full is trained for about ") for said in run.result.ladder.cut)
    assert [line.partition(": ")[2] for line in told if line.startswith("  to keep the budget: ")] == [
        *run.result.ladder.cut
    ]
    assert 0.85 * budget < run.result.seconds < 1.05 * budget


def wrong_start(patch: pytest.MonkeyPatch) -> None:
    """Training begins with a head that answers the wrong way round, from which short training does not recover."""
    own = training.start_head

    def wrong(*given: Any) -> Any:
        head = own(*given)
        return replace(head, weight=-head.weight)

    patch.setattr(training, "start_head", wrong)


@pytest.mark.parametrize("budget", [60.0, 120.0, 300.0])
@pytest.mark.parametrize("strategy", ["full", "auto"])
def test_what_a_training_leaves_that_is_not_accepted_is_used_or_accounted_for(
    settled_bases: dict[str, str],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Ticking,
    strategy: str,
    budget: float,
) -> None:
    costly_network(monkeypatch, clock, 0.02)
    wrong_start(monkeypatch)
    monkeypatch.setattr(training, "train_options", patient)
    settings = TrainingSettings(epochs=60, augment="none", rate=1e-6, prefix_cache=False)
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], strategy, settings, budget=budget)
    check(run)
    result = run.result
    assert result.chosen.strategy == "probe"
    assert result.seconds < 1.05 * budget
    if strategy == "full":
        assert result.seconds > 0.85 * budget
        assert result.ladder.unused == ""
        return
    said = re.fullmatch(r"about (\d+) s of the budget are not used: (.*)", result.ladder.unused)
    assert said  # shown to be worse by more than a few more steps could change
    assert float(said[1]) == pytest.approx(budget - result.seconds, abs=0.05 * budget)
    assert "could not be trained for 2 times as long as before" in said[2] or "could not be shown on" in said[2]
    assert f"  {result.ladder.unused}" in told
    assert result.ladder.unused[1:] in " ".join(summary(run).split())
    assert result.ladder.unused in (run.path / "report.html").read_text(encoding="utf-8")


def test_pictures_are_made_smaller_where_not_even_half_of_the_steps_fit(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Ticking
) -> None:
    for one in Path(settled_bases["cache"], "runtimes").glob("*.speed.json"):
        one.unlink()  # what other tests measured of the base
    own = open_base(settled_bases["image"], "image").spec.size
    for name, pixels in (("_STEP", own // 4), ("_LEAST", own // 4)):
        monkeypatch.setattr(smaller, name, pixels)
    tried: list[int] = []
    with_size = smaller.with_size
    monkeypatch.setattr(smaller, "with_size", lambda base, side: tried.append(side) or with_size(base, side))
    costly_network(monkeypatch, clock, 0.1, own)
    surely_taken(monkeypatch)
    monkeypatch.setattr(training, "train_options", patient)
    settings = TrainingSettings(epochs=12, augment="none", rate=3e-3)
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", settings, budget=50.0)
    check(run)
    said = [line for line in run.result.ladder.cut if line.startswith("full is trained ")]
    assert len(said) == 1
    found = re.search(rf"on pictures of (\d+) instead of {own} pixels a side$", said[0])
    assert found
    side = int(found[1])
    assert side < own
    assert len(tried) == len(set(tried))  # a base is made to take a size once a run
    assert f"  to keep the budget: {said[0]}" in told
    assert run.result.chosen.strategy == "full"
    assert run.model.base.spec.size == side
    assert 0.85 * 50 < run.result.seconds < 1.05 * 50
    again = load(run.path)
    inputs = sorted(str(path) for path in pictures.rglob("*.png"))[:8]
    assert (again.predict(inputs) == run.model.predict(inputs)).all()


def test_a_strategy_below_the_probe_hands_over_the_probe_and_says_so(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = training.start_head

    def wrong(*given: Any) -> Any:
        head = own(*given)
        return replace(head, weight=-head.weight)

    monkeypatch.setattr(training, "start_head", wrong)
    settings = TrainingSettings(epochs=1, rate=1e-7, scratch_control=False)
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", settings)
    check(run)
    result = run.result
    assert result.chosen.strategy == "probe"
    assert [(rung.strategy, rung.decision) for rung in result.ladder.rungs] == [
        ("probe", "start"),
        ("full", "not taken"),
    ]
    reason = result.ladder.rungs[1].reason
    assert re.match(r"asked for, but it ended 0\.\d+ below the probe \(accuracy ", reason)
    assert reason in " ".join(summary(run).split())
    assert any(reason in line for line in told)
    assert f"Strategy full was {reason}." in selected(result)
    assert reason in (run.path / "report.html").read_text(encoding="utf-8")
    held = Answers.load(run.path / "answers.parquet").part_of(HELD)  # what is calibrated and judged is the probe
    assert result.forgetting is None
    scored = METRICS[result.metric].function(held.truth, held.probabilities)
    assert scored == pytest.approx(result.ladder.rungs[0].valid_score, abs=1e-6)


def test_quick_means_no_limit(settled_bases: dict[str, str], pictures: Path, tmp_path: Path) -> None:
    run, told = fit(pictures, tmp_path / "run", settled_bases["image"], "full", QUICK, budget=3600.0)
    assert not any("time is short" in line for line in told)
    assert run.result.training[0].stopped == "finished"


def test_a_fit_of_a_command_tells_all_of_its_seconds(
    settled_bases: dict[str, str], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(began, "_command", [])
    monkeypatch.setattr(began, "LOADED", time.monotonic() - 1000)
    began.command_began()
    first, second = (
        fit(pictures, tmp_path / f"run{one}", settled_bases["image"], "probe", budget=5000.0)[0] for one in range(2)
    )
    assert first.result.seconds > 1000 > second.result.seconds
