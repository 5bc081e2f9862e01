"""Whole runs on tiny bases, and what must agree in what they leave."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.evaluation.bootstrap import Interval
from headstart.flow.fit.fit import Places, Run, fit_source
from headstart.records import Result
from headstart.settings import FitSettings, TrainingSettings
from headstart.strategies import ladder
from headstart.strategies import training as starting
from headstart.strategies.names import get
from tests.cli.running import timeless
from tests.strategies.made_up import Told

QUICK = TrainingSettings(epochs=1, scratch_control=False)
FROZEN = TrainingSettings(scratch_control=False)  # for strategies that train no weights


#: What a run's folder may hold.
FILES = {
    "answers.parquet",
    "bundle",
    "examples.json",
    "learnt.txt",
    "mistakes.csv",
    "openings.jsonl",
    "parts.csv",
    "rejected.csv",
    "report.html",
    "result.json",
}


def fit(
    source: Path, out: Path, base: str, strategy: str, training: TrainingSettings = QUICK, **given: Any
) -> tuple[Run, list[str]]:
    """A finished run, and what it said."""
    told = Told()
    if strategy != "auto" and get(strategy).recipe is None and training is QUICK:
        training = FROZEN
    settings = FitSettings(base=base, strategy=strategy, training=training, **given)
    return fit_source(Places(source, out), settings, progress=told), told.lines


def weak_start(patch: pytest.MonkeyPatch) -> None:
    """Training begins with a head that knows next to nothing, so that it is worth its time."""
    own = starting.start_head

    def weak(*given: Any) -> Any:
        head = own(*given)
        return replace(head, weight=0.01 * head.weight)

    patch.setattr(starting, "start_head", weak)


def surely_taken(patch: pytest.MonkeyPatch) -> None:
    """Training is taken, and starts from a head that it can improve on.

    Whether it does better than the probe is chance on so few rows: where what follows is tested, it is not left to it.
    """
    weak_start(patch)
    patch.setattr(ladder, "_gain", lambda *_: Interval(0.1, 0.05, 0.15, 0.8, 120))


def repeated(result: Result) -> dict[str, Any]:
    """``result`` without what may differ from one run to the next."""
    plain = timeless(json.loads(result.to_json()))
    for record in plain["training"]:
        record.pop("examples_per_second")
    return plain


def check(run: Run) -> None:
    """The parts of the result agree with one another, with the file, and with the bundle."""
    result = run.result
    written = (run.path / "result.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(result.to_json())
    made = {candidate.strategy: candidate for candidate in result.candidates}
    rungs = {rung.strategy: rung for rung in result.ladder.rungs}
    assert len(made) == len(result.candidates)
    assert len(rungs) == len(result.ladder.rungs)
    for name, rung in rungs.items():
        if rung.decision == "not tried":
            assert name not in made
        else:
            broken_off = rung.decision == "not taken" and " of 3 folds " in rung.reason  # on fewer rows than the others
            assert np.isnan(rung.valid_score) == broken_off
            assert broken_off or np.isclose(rung.valid_score, made[name].valid_score)
    assert set(made) - set(rungs) <= {"probe"}
    assert {record.strategy for record in result.training} <= set(made)
    assert result.diagnosis
    for record in result.training:
        assert 0 <= record.thawed <= record.weights
        assert record.curve
        assert record.stopped in ("finished", "stopped early", "budget", "diverged")
    if result.chosen.base:
        assert result.chosen.strategy in made
        assert result.chosen.base == result.base["name"]
    if result.forgetting and result.chosen.base:
        assert (result.chosen.head == "trained") == (result.forgetting.kept > 0)
    _check_bundle(run)


def _check_bundle(run: Run) -> None:
    record = json.loads((run.path / "bundle" / "bundle.json").read_text(encoding="utf-8"))
    if not run.result.chosen.base:
        assert "control" in record
        return
    changed = (run.path / "bundle" / "changes.safetensors").exists()
    assert changed == (run.result.chosen.head == "trained")
    assert {path.name for path in run.path.iterdir()} <= FILES
