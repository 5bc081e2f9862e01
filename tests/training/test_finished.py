"""Trainings that ended before a kill are not made again; what a budget cut short does not serve a run without one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.bases.adapters import Lora
from headstart.bases.base import Base
from headstart.progress import Progress
from headstart.training import finished as room
from headstart.training.finished import FILE, Finished
from headstart.training.phase import Phase
from headstart.training.run import Trained, train
from headstart.training.stepping import Stepper
from tests.training.small import Killed, forward, job_of
from tests.training.test_resuming import PHASES, Told, killed_after, same

Bases = Callable[[str], Base]


def alike(a: Any, b: Any) -> None:
    """Equal in all that they hold, and of the same kinds."""
    assert type(a) is type(b)
    if is_dataclass(a):
        for one in fields(a):
            alike(getattr(a, one.name), getattr(b, one.name))
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            alike(one, other)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for name, value in a.items():
            alike(value, b[name])
    else:
        assert a == b or (a != a and b != b)


@pytest.mark.parametrize("how", ["layers", "lora", "unseen"])
def test_what_is_kept_is_given_back_whole(bases: Bases, tmp_path: Path, how: str) -> None:
    recipe = {"lora": Lora("lora", rank=2)} if how == "lora" else {}
    given = {"held": None} if how == "unseen" else {}
    trained = train(job_of(bases("bert"), *PHASES, recipe=recipe, **given))
    kept = Finished()
    kept.save(tmp_path / "one", trained, float("nan"), Progress())
    found = kept.load(tmp_path / "one", Trained, None)
    alike(found, trained)
    kept.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_ended_is_not_made_again(bases: Bases, tmp_path: Path) -> None:
    job = job_of(bases("bert"), *PHASES, dropout=0.2, keep=tmp_path, finished=Finished())
    whole = train(job)
    again = replace(job, options=replace(job.options, finished=Finished()))
    told = Told()
    with killed_after(0):
        known = train(again, told)
    same(whole, known)
    assert known.before > 0
    assert any("known from a run that was broken off" in line for line in told.lines)
    for other in ({"seed": 1}, {"batch": 6}):
        with killed_after(0), pytest.raises(Killed):
            train(replace(again, options=replace(again.options, **other)))
    again.options.finished.clear()
    with killed_after(0), pytest.raises(Killed):
        train(again)


def test_a_sweep_goes_on_behind_the_rates_it_tried(bases: Bases, tmp_path: Path) -> None:
    phase = Phase(thaw=1.0, epochs=4.0, least_steps=1)
    job = job_of(bases("bert"), phase, recipe={"rates": (0.3, 1.0, 3.0)}, keep=tmp_path, finished=Finished())
    made = 0
    own = Stepper.step

    def step(self: Stepper, *given: Any) -> float:
        nonlocal made
        made += 1
        return own(self, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        whole = train(replace(job, options=replace(job.options, keep=None, finished=None)))
        uninterrupted, made = made, 0
        with killed_after(7), pytest.raises(Killed):
            train(job)
        same(train(replace(job, options=replace(job.options, finished=Finished()))), whole)
    assert uninterrupted - 3 <= made <= uninterrupted + 3  # a rate takes 3 steps, and one was under way


def test_another_try_in_the_same_run_is_not_served_by_the_one_before(bases: Bases, tmp_path: Path) -> None:
    job = job_of(bases("bert"), keep=tmp_path, finished=Finished())
    train(job)
    same_again, longer = Told(), Told()
    train(job, same_again)
    train(replace(job, options=replace(job.options, attempt=1)), longer)
    assert any("are known from a run" in line for line in same_again.lines)
    assert not any("are known from a run" in line for line in longer.lines)


def test_what_cannot_be_kept_is_said(bases: Bases, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = Told()
    Finished().save(tmp_path / "file" / "x", train(job_of(bases("bert"))), float("nan"), told)
    assert any("is not kept" in line for line in told.lines)


def test_a_damaged_result_is_none(bases: Bases, tmp_path: Path) -> None:
    kept = Finished()
    kept.save(tmp_path / "one", train(job_of(bases("bert"))), float("nan"), Progress())
    content = (tmp_path / "one" / FILE).read_bytes()
    (tmp_path / "one" / FILE).write_bytes(content[: len(content) // 2])
    assert Finished().load(tmp_path / "one", Trained, None) is None


@pytest.mark.parametrize("seconds", [None, 60.0])
@pytest.mark.parametrize("ended", [False, True])
def test_what_a_budget_cut_short_does_not_serve_a_run_with_more_time(
    bases: Bases, tmp_path: Path, seconds: float | None, ended: bool
) -> None:
    """By a clock that every training step sets on by a second."""
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=8.0, least_steps=1), keep=tmp_path, every=0.0)
    short = replace(job, options=replace(job.options, seconds=8.5, finished=Finished()))
    more = replace(job, options=replace(job.options, seconds=seconds, finished=Finished()))

    def tick(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        nonlocal now
        now += self.objective.training
        return own(self, *arguments)

    now = 0.0
    with pytest.MonkeyPatch.context() as patch, forward(tick):
        for place in ("pace", "engine"):
            patch.setattr(f"headstart.training.{place}.time.monotonic", lambda: now)
        patch.setattr("headstart.training.engine.time.perf_counter", lambda: now)
        if ended:
            cut = train(short)
            assert cut.curve[-1].step == 8
            told = Told()
            same(train(short, told), cut)  # a run with as much time takes it as it is
            assert told.lines
        else:
            with killed_after(7), pytest.raises(Killed):
                train(short)
        now = 0.0
        told = Told()
        whole = train(more, told)
        plain = train(replace(job, options=replace(job.options, keep=None)))
    assert not [line for line in told.lines if "broken off" in line]
    assert whole.curve[-1].step == 24
    same(whole, plain)


def test_the_rule_for_time() -> None:
    for cut_to, seconds, serves in [
        (float("nan"), None, True),
        (float("nan"), 5.0, True),
        (10.0, None, False),
        (10.0, 9.0, True),
        (10.0, 14.0, True),
        (10.0, 16.0, False),
    ]:
        assert room.serves(cut_to, seconds) == serves


def test_two_of_one_kind_at_once_leave_each_other_alone(bases: Bases, tmp_path: Path) -> None:
    """The first waits in the middle until the second, which is the same training, has come and gone."""
    job = job_of(bases("bert"), *PHASES, dropout=0.2, keep=tmp_path, every=0.0)
    plain = train(replace(job, options=replace(job.options, keep=None)))
    middle, over, made = threading.Event(), threading.Event(), {}
    own = Stepper.step

    def step(self: Stepper, position: Any, *given: Any) -> float:
        if threading.current_thread().name == "first" and position.done == 5:
            middle.set()
            assert over.wait(60)
        return own(self, position, *given)

    def first() -> None:
        told = Told()
        made["first"] = train(replace(job, options=replace(job.options, finished=Finished())), told)
        made["lines"] = told.lines

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        thread = threading.Thread(target=first, name="first")
        thread.start()
        assert middle.wait(60)
        told, kept = Told(), Finished()
        second = train(replace(job, options=replace(job.options, finished=kept)), told)
        kept.clear()
        assert len(list(tmp_path.rglob("checkpoint.safetensors"))) == 1  # the first's still stands
        over.set()
        thread.join(60)
    assert not [line for line in [*told.lines, *made["lines"]] if "broken off" in line]
    same(second, plain)
    same(made["first"], plain)
    assert not list(tmp_path.rglob("checkpoint.safetensors"))
