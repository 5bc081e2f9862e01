"""A run that was broken off goes on to what it would have come to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.bases.base import Base
from headstart.modalities.text.augment import TextAugmentation
from headstart.progress import Progress
from headstart.training.phase import Phase
from headstart.training.position import Position
from headstart.training.run import Job, Trained, train
from headstart.training.stepping import Diverged, Stepper
from tests.training.small import Killed, base_of, forward, job_of, rows_of, size_of, weights_of

ROOT = Path(__file__).resolve().parents[2]
Bases = Callable[[str], Base]
PHASES = (Phase(thaw=1, epochs=2.0, least_steps=1), Phase(thaw=1.0, epochs=2.0, least_steps=1))


class Told(Progress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str = "") -> None:
        self.lines.append(line)


@contextmanager
def killed_after(steps: int) -> Iterator[None]:
    """Within, a run ends as if killed when ``steps`` steps were made."""
    own, made = Stepper.step, 0

    def step(self: Stepper, *arguments: Any) -> float:
        nonlocal made
        if made == steps:
            raise Killed
        made += 1
        return own(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        yield


def same(a: Trained, b: Trained) -> None:
    first, second = weights_of(a), weights_of(b)
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name]), name
    for one, other in ((a.held, b.held), (a.kept, b.kept)):
        assert (one is None) == (other is None)
        if one is not None:
            assert np.array_equal(one, other)
    assert a.chosen == b.chosen
    assert repr(a.curve) == repr(b.curve)
    assert (a.steps, a.shares, a.stopped) == (b.steps, b.shares, b.stopped)
    assert (a.rollbacks, a.halvings) == (b.rollbacks, b.halvings)


def broken_and_resumed(job: Job, after: int) -> tuple[Trained, list[str]]:
    with killed_after(after), pytest.raises(Killed):
        train(job)
    told = Told()
    return train(job, told), told.lines


@pytest.mark.parametrize(("kind", "after"), [("resnet", 4), ("resnet", 8), *(("bert", k) for k in (1, 4, 6, 8, 11))])
def test_a_broken_run_comes_to_the_same(bases: Bases, tmp_path: Path, kind: str, after: int) -> None:
    phases = [replace(phase, rate=1e-4) for phase in PHASES]
    job = job_of(bases(kind), *phases, dropout=0.2)
    whole = train(job)
    again, lines = broken_and_resumed(
        replace(job, options=replace(job.options, keep=tmp_path / "kept", every=0.0)), after
    )
    same(whole, again)
    assert any(f"step {after}" in line for line in lines)
    assert not list((tmp_path / "kept").rglob("*.*"))


@pytest.mark.parametrize("after", [2, 5, 7])
@pytest.mark.parametrize(
    "given",
    [
        {"l2sp": 0.5},
        {"mixup": 0.5},
        {"balanced": True},
        {"augmentation": TextAugmentation(drop=0.3), "views": 2},
        {"augmentation": TextAugmentation(drop=0.3), "views": 2, "cache_prefix": False},
        {"replay": 1.0},
        {"held": None},
    ],
    ids=str,
)
def test_every_option_goes_on_exactly(bases: Bases, tmp_path: Path, given: dict[str, Any], after: int) -> None:
    base = bases("bert")
    if "replay" in given:
        given = {**given, "retained": rows_of(base, 10, seed=5)}
    job = job_of(base, *PHASES, dropout=0.2, **given)
    whole = train(job)
    again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    same(whole, again)


@pytest.mark.parametrize("after", [1, 3])
def test_the_best_answers_survive_a_kill(bases: Bases, tmp_path: Path, after: int) -> None:
    """All looks after the first are worse, so what is given was seen before the kill."""
    job = job_of(bases("bert"), Phase(thaw=1.0, rate=0.3, body=1.0, epochs=2.0, least_steps=1))
    whole = train(job)
    assert whole.steps == 0
    again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    same(whole, again)


@pytest.mark.parametrize("after", [2, 5, 7, 9])
def test_a_run_that_rolled_back_goes_on_exactly(bases: Bases, tmp_path: Path, after: int) -> None:
    """The divergence comes two steps after a look, before or after the kill."""
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=4.0, least_steps=1, rate=1e-2), batch=4)
    own = Stepper.step

    def step(self: Stepper, position: Position, *arguments: Any) -> float:
        if position.done == 5 and position.factor == 1.0:  # looks are after 4 and 8
            raise Diverged("planted")
        return own(self, position, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        whole = train(job)
        assert whole.rollbacks == 1
        again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    same(whole, again)


@pytest.mark.parametrize("after", [1, 3, 5])
def test_a_halved_run_goes_on_exactly(bases: Bases, tmp_path: Path, after: int) -> None:
    job = job_of(bases("vit"))

    def short(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        if self.objective.training and size_of(arguments[0]) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return own(self, *arguments)

    with forward(short):
        whole = train(job)
        again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    assert whole.halvings == 2
    same(whole, again)


@pytest.mark.parametrize("after", [3, 7, 9])
def test_a_shortened_run_goes_on_exactly(bases: Bases, tmp_path: Path, after: int) -> None:
    """By a clock that every training step sets on by a second; it stands still for those that are dead."""
    job = job_of(bases("vit"), Phase(thaw=1.0, epochs=20.0, least_steps=1), seconds=12.5)

    def tick(own: Callable[..., Any], self: Any, arguments: tuple[Any, ...]) -> Any:
        nonlocal now
        now += self.objective.training
        return own(self, *arguments)

    now = 0.0
    with pytest.MonkeyPatch.context() as patch, forward(tick):
        patch.setattr("headstart.training.pace.time.monotonic", lambda: now)
        patch.setattr("headstart.training.engine.time.perf_counter", lambda: now)
        whole = train(job)
        now = 0.0
        again, _ = broken_and_resumed(replace(job, options=replace(job.options, keep=tmp_path, every=0.0)), after)
    assert whole.curve[-1].step == 12
    same(whole, again)


def test_a_damaged_checkpoint_starts_anew(bases: Bases, tmp_path: Path) -> None:
    job = job_of(bases("bert"), *PHASES, keep=tmp_path, every=0.0)
    with killed_after(3), pytest.raises(Killed):
        train(job)
    (file,) = tmp_path.rglob("checkpoint.safetensors")
    file.write_bytes(file.read_bytes()[:-40])
    told = Told()
    again = train(job, told)
    assert not [line for line in told.lines if "going on" in line]
    same(train(replace(job, options=replace(job.options, keep=None))), again)


@pytest.mark.parametrize("change", [{"seed": 1}, {"l2sp": 1.0}, {"batch": 6}, {"mixup": 0.3}])
def test_another_run_does_not_pick_it_up(bases: Bases, tmp_path: Path, change: dict[str, Any]) -> None:
    job = job_of(bases("bert"), *PHASES, keep=tmp_path, every=0.0)
    with killed_after(3), pytest.raises(Killed):
        train(job)
    told = Told()
    train(replace(job, options=replace(job.options, **change)), told)
    assert not [line for line in told.lines if "going on" in line]
    train(replace(job, train=rows_of(job.base, 22)), told)
    assert not [line for line in told.lines if "going on" in line]
    assert len(list(tmp_path.rglob("checkpoint.safetensors"))) == 1  # the broken one's still stands
    train(job, told)
    assert [line for line in told.lines if "going on" in line]


def child_job(folder: Path, keep: Path | None) -> Job:
    """What the killed process trains."""
    torch.set_num_threads(1)  # sums in one order
    phases = (Phase(thaw=1, epochs=10.0, least_steps=1), Phase(thaw=1.0, epochs=10.0, least_steps=1))
    return job_of(base_of("bert", folder), *phases, dropout=0.2, keep=keep, every=0.0)


_CHILD = """
import sys
from pathlib import Path
from headstart.training.run import train
from tests.training.test_resuming import child_job
train(child_job(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_sigkill_at_any_moment_changes_nothing(bases: Bases, tmp_path: Path) -> None:
    folder = Path(bases("bert").folder)  # type: ignore[attr-defined]
    keep = tmp_path / "kept"
    command = [sys.executable, "-c", _CHILD, str(folder), str(keep)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 60
        while not list(keep.rglob("checkpoint.safetensors")) and time.monotonic() < deadline:
            assert child.poll() is None, "the child ended before its first checkpoint"
            time.sleep(0.005)
        time.sleep(float(np.random.default_rng().uniform(0, 0.3)))
        assert child.poll() is None, "the child was done before it could be killed"
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
    same(train(child_job(folder, None)), train(child_job(folder, keep)))
    assert not list(keep.rglob("checkpoint.safetensors"))
