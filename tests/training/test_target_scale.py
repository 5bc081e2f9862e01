"""Training knows neither the unit nor the zero of a regression's targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.bases.adapters import Lora
from headstart.bases.base import Base
from headstart.evaluation.metrics import METRICS
from headstart.heads.solve import solve
from headstart.training.engine import Engine
from headstart.training.phase import Phase
from headstart.training.run import Job, Trained, train
from tests.training.small import Killed, job_of, rows_of

Bases = Callable[[str], Base]
#: (constant added, factor).
UNITS = [(10.0, 1.0), (1.7e9, 1.0), (0.0, 1e5), (0.0, 1e-4), (-1e6, 1e-5)]
_ALL = Phase(thaw=1.0, epochs=3.0, least_steps=1, rate=1e-2)
#: Ways to train: phases, and what else the job is given.
WAYS: dict[str, tuple[tuple[Phase, ...], dict[str, Any]]] = {
    "head alone": ((replace(_ALL, thaw=0),), {}),
    "full": ((_ALL,), {}),
    "partial from the cached prefix": ((replace(_ALL, thaw=1),), {"mixup": 0.3}),
    "norm, then full": ((replace(_ALL, moves="norm"), _ALL), {"l2sp": 0.1}),
    "lora": ((replace(_ALL, moves="adapter"),), {"recipe": {"lora": Lora("lora", 2)}}),
    "scratch": ((_ALL,), {"recipe": {"scratch": True}}),
}


def job(base: Base, way: str, by: float, factor: float, outputs: int = 1, **given: Any) -> Job:
    """One way of training on values that the two kinds of rows tell, in another unit and from another zero."""
    phases, more = WAYS[way]
    parts = [rows_of(base, 24), rows_of(base, 12, seed=1)]
    noise = np.random.default_rng(0).normal(0, 0.2, (24, outputs))
    rows = [replace(r, y=by + factor * (r.y[:, None] + noise[: len(r)])) for r in parts]
    head = None if way == "scratch" else solve(rows[0].vectors, rows[0].y, "regression").head
    known = {"train": rows[0], "held": rows[1], "task": "regression", "outputs": outputs, "metric": "rmse"}
    return job_of(base, *phases, **{**known, "head": head, **more, **given})


def told(trained: Trained, by: float, factor: float) -> dict[str, Any]:
    """What a run came to, in the unit that all are compared in."""
    curve = trained.curve
    return {
        "held": (np.asarray(trained.held, np.float64) - by) / factor,
        "rmse": [point.valid_score / factor for point in curve],
        "losses": [point.valid_loss for point in curve],
        "training losses": [point.train_loss for point in curve[1:]],
        "kept": [trained.steps, trained.rollbacks, *trained.shares],
    }


@pytest.mark.parametrize(("by", "factor"), UNITS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_training_comes_to_the_same(bases: Bases, way: str, by: float, factor: float) -> None:
    base = bases("vit")
    plain, given = (train(job(base, way, *unit)) for unit in ((0.0, 1.0), (by, factor)))
    assert given.held is not None
    assert given.held.dtype == np.float64
    expected = told(plain, 0.0, 1.0)
    for name, values in told(given, by, factor).items():
        assert values == pytest.approx(expected[name], rel=2e-2, abs=2e-3), name
    answers = given.head.scores(rows_of(base, 12, seed=1).vectors)  # of the base, not of the changed one: for its unit
    before = plain.head.scores(rows_of(base, 12, seed=1).vectors)
    assert (answers - by) / factor == pytest.approx(before, rel=2e-2, abs=1e-2)


def test_several_targets_each_have_their_own(bases: Bases) -> None:
    by, factor = np.array([1.7e9, -5.0]), np.array([1e4, 1e-5])
    base = bases("vit")
    plain, given = (train(job(base, "full", *u, outputs=2, held=None)) for u in ((0.0, 1.0), (by, factor)))
    answers, before = (run.head.scores(rows_of(base, 12, seed=1).vectors) for run in (given, plain))
    assert (answers - by) / factor == pytest.approx(before, abs=2e-3)


@pytest.mark.parametrize(("by", "factor"), [(1.7e9, 40.0), (0.0, 1e5), (0.0, 1e-4)])
@pytest.mark.parametrize("kind", ["resnet", "bert"])
def test_a_network_from_random_weights_begins_at_the_mean(bases: Bases, kind: str, by: float, factor: float) -> None:
    trained = train(job(bases(kind), "scratch", by, factor))
    assert trained.curve[0].valid_loss == pytest.approx(1, abs=0.3)
    assert trained.loss < 1.1
    assert trained.rollbacks == 0
    held = rows_of(bases(kind), 12, seed=1).y[:, None] + np.random.default_rng(0).normal(0, 0.2, (24, 1))[:12]
    assert METRICS["r2"].function(by + factor * held, trained.held) > -0.2


def test_a_run_goes_on_in_its_unit(bases: Bases, tmp_path: Path) -> None:
    given = {"keep": tmp_path, "every": 0.0}
    whole = train(job(bases("vit"), "norm, then full", 1.7e9, 40.0))
    steps, own = [], Engine._save

    def killed(self: Engine) -> None:
        own(self)
        steps.append(1)
        if len(steps) == 12:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_save", killed)
        with pytest.raises(Killed):
            train(job(bases("vit"), "norm, then full", 1.7e9, 40.0, **given))
    again = train(job(bases("vit"), "norm, then full", 1.7e9, 40.0, **given))
    assert again.held == pytest.approx(whole.held, abs=1e-6)
    assert np.array_equal(again.head.bias, whole.head.bias)
