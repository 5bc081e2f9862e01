"""The control from random weights: when it runs, for how long, and what the verdict makes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.flow import judgement as judging
from headstart.flow.fit import scratch
from headstart.flow.fit.fit import Run
from headstart.settings import SplitSettings, TrainingSettings
from headstart.strategies.names import STRATEGIES
from tests.strategies import data
from tests.strategies.whole import check, fit, surely_taken

WITH = TrainingSettings(epochs=1)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return data.texts(tmp_path / "texts.csv", 120)


def controls(run: Run) -> list[str]:
    return [control.name for control in run.result.controls]


def test_it_is_judged_where_weights_moved(settled_bases: dict[str, str], texts: Path, tmp_path: Path) -> None:
    run, told = fit(texts, tmp_path / "run", settled_bases["text"], "full", WITH)
    check(run)
    assert run.result.chosen.strategy == "full"
    assert controls(run)[-1] == "scratch"
    record = run.result.controls[-1]
    assert record.low <= record.score <= record.high
    assert any(line.startswith("baseline scratch: ") for line in told)
    assert run.result.timing["random weights"] > 0


@pytest.mark.parametrize(
    ("strategy", "training"),
    [
        ("probe", TrainingSettings()),
        ("head2toe", TrainingSettings()),
        ("scratch", WITH),
        ("full", replace(WITH, scratch_control=False)),
    ],
)
def test_it_is_left_out_elsewhere(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, strategy: str, training: TrainingSettings
) -> None:
    run, told = fit(texts, tmp_path / "run", settled_bases["text"], strategy, training)
    assert "scratch" not in controls(run)
    assert not any("baseline scratch: " in line for line in told)


APART = SplitSettings(together=False)  # the made-up texts are so like one another that few clusters are left


def test_as_many_steps_as_the_model_took(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phase that trains all stages counts whole, one that trains a part of them for that part."""
    own, jobs = scratch._train, []

    def train(*given: Any) -> Any:
        trained = own(*given)
        jobs.append((given[0], trained))
        return trained

    monkeypatch.setattr(scratch, "_train", train)
    surely_taken(monkeypatch)
    for strategy, share in (("full", 1.0), ("partial", STRATEGIES["partial"].recipe.phases[0].thaw)):  # type: ignore[union-attr]
        jobs.clear()
        slow = TrainingSettings(epochs=4, rate=1e-4)
        fit(texts, tmp_path / strategy, settled_bases["text"], strategy, slow, split=APART)
        ((climbed, trained),) = jobs
        assert climbed.final.trained.steps
        assert trained.steps == max(1, round(share * climbed.final.trained.steps))


def test_one_that_diverged_says_nothing(
    settled_bases: dict[str, str], texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = scratch._train

    def broken(*given: Any) -> Any:
        trained = own(*given)
        head = replace(trained.head, weight=np.full_like(trained.head.weight, math.nan))
        return replace(trained, head=head)

    monkeypatch.setattr(scratch, "_train", broken)
    seen: list[set[str]] = []
    judge = judging.judge

    def spy(score: Any, metric: str, gains: dict[str, Any], **given: Any) -> Any:
        seen.append(set(gains))
        return judge(score, metric, gains, **given)

    monkeypatch.setattr(judging, "judge", spy)
    run, _ = fit(texts, tmp_path / "run", settled_bases["text"], "full", WITH, metric="log_loss")
    assert seen
    assert "scratch" not in seen[0]
    assert run.result.transfer_gain.against != "scratch"
    assert "scratch" not in run.result.verdict.sentence
