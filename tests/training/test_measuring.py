"""Measuring a base on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headstart.bases.base import Base
from headstart.training import measuring
from headstart.training.measuring import measure
from headstart.training.memory import saved_bytes
from headstart.training.rows import TrainRows
from headstart.training.speed import Speed

Bases = Callable[[str], Base]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def texts(lengths: list[int]) -> TrainRows:
    inputs = [" ".join(["cat"] * length) for length in lengths]
    keys = np.array([f"{i:064x}" for i in range(len(inputs))])
    return TrainRows(inputs, keys, np.arange(len(inputs)) % 2, np.zeros((0, 8), np.float32))


def pictures(count: int) -> TrainRows:
    inputs = list(np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3)).astype(np.uint8))
    keys = np.array([f"{i:064x}" for i in range(count)])
    return TrainRows(inputs, keys, np.arange(count) % 2, np.zeros((0, 8), np.float32))


def sane(speed: Speed) -> bool:
    rising = all(a <= b for a, b in zip(speed.below, speed.below[1:], strict=False))
    positive = min(speed.forward, speed.step, speed.loading, speed.update, speed.saved, speed.weights) > 0
    return rising and positive and len(speed.below) == len(speed.held) == len(speed.states)


def test_pictures_are_measured(bases: Bases) -> None:
    speed = measure(bases("resnet"), pictures(24), "classification", 2)
    assert sane(speed)
    assert math.isnan(speed.adapter)
    assert speed.decode > 0
    assert sum(speed.held) <= speed.weights


def test_texts_are_measured_with_adapters(bases: Bases) -> None:
    speed = measure(bases("bert"), texts([3] * 20 + [9] * 20), "classification", 2)
    assert sane(speed)
    assert speed.adapter > 0


def test_longer_texts_keep_more_for_the_way_back(bases: Bases) -> None:
    short, long = (measure(bases("bert"), texts([length] * 40), "classification", 2).saved for length in (2, 12))
    assert long > 2 * short


def test_a_measurement_is_remembered_for_a_while(bases: Bases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_pulse", lambda: 0.001)
    first = measure(bases("resnet"), pictures(24), "classification", 2)
    assert repr(measure(bases("resnet"), pictures(24), "classification", 2)) == repr(first)
    monkeypatch.setattr(measuring, "_FRESH", -1.0)
    assert repr(measure(bases("resnet"), pictures(24), "classification", 2)) != repr(first)


@pytest.mark.parametrize("pulse", [0.0005, 0.002])
def test_a_machine_that_is_quicker_or_slower_by_now_is_measured_anew(
    bases: Bases, monkeypatch: pytest.MonkeyPatch, pulse: float
) -> None:
    monkeypatch.setattr(measuring, "_pulse", lambda: 0.001)
    first = measure(bases("resnet"), pictures(24), "classification", 2)
    monkeypatch.setattr(measuring, "_pulse", lambda: 1.1 * 0.001)
    assert repr(measure(bases("resnet"), pictures(24), "classification", 2)) == repr(first)
    monkeypatch.setattr(measuring, "_pulse", lambda: pulse)
    assert repr(measure(bases("resnet"), pictures(24), "classification", 2)) != repr(first)


def test_batches_are_taken_from_all_over_the_sizes() -> None:
    class Made:
        def sizes(self, batches: list[np.ndarray]) -> list[float]:
            return [float(rows.max()) for rows in batches]

    batches = [np.arange(i, i + 16) for i in range(0, 160, 16)]
    picked = measuring._over_sizes(Made(), batches, 4)  # type: ignore[arg-type]
    longest = [int(rows.max()) for rows in picked]
    assert longest == sorted(longest)
    assert longest[0] < 40
    assert longest[-1] > 120


def test_tensors_kept_for_the_way_back_count_once_and_weights_not_at_all() -> None:
    layer = nn.Linear(10, 10, bias=False)
    x = torch.ones(5, 10)
    with saved_bytes(layer) as saved:
        (layer(x) + layer(x)).sum().backward()
    assert saved.bytes == 5 * 10 * 4


def test_where_little_time_is_given_a_row_counts_as_one_of_a_batch(
    bases: Bases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass of a busy machine takes nearly as long for one row as for many."""
    now, passes = 100.0, []

    def clock() -> float:
        return now

    def slow(self: object, batch: tuple[torch.Tensor, ...], cut: int | None = None, plain: bool = False) -> None:
        nonlocal now
        first = len(batch[0]) not in passes
        passes.append(len(batch[0]))
        now += 1.0 + 0.1 * len(batch[0]) + 2.0 * first  # which makes ready for that size

    monkeypatch.setattr(measuring.time, "perf_counter", clock)
    monkeypatch.setattr(measuring._Bench, "_pass", slow)
    speed = measure(bases("resnet"), pictures(24), "classification", 2, seconds=5.0)
    assert passes == [1, 1, 8, 8]
    assert speed.forward == pytest.approx(1.8 / 8)
    assert speed.step == pytest.approx(3 * 1.8 / 8)


@pytest.mark.parametrize(("dear", "steps"), [("forward", 0), ("step", 1)])
def test_what_is_not_timed_in_time_is_guessed(
    bases: Bases, monkeypatch: pytest.MonkeyPatch, dear: str, steps: int
) -> None:
    """A first pass of a batch, or a first step, may take many times as long as one row tells."""
    now, work = 100.0, []

    def clock() -> float:
        return now

    def take(name: str, rows: int) -> None:
        nonlocal now
        now += 20.0 if name == dear and (name, rows) not in work and rows > 1 else 0.01 * rows
        work.append((name, rows))

    own_pass, own_step = measuring._Bench._pass, measuring._Bench._step

    def passed(self: measuring._Bench, batch: tuple[torch.Tensor, ...], *rest: Any, **more: Any) -> torch.Tensor:
        take("forward", len(batch[0]))
        return own_pass(self, batch, *rest, **more)

    def stepped(self: measuring._Bench, batch: tuple[torch.Tensor, ...], *rest: Any) -> None:
        take("step", len(batch[0]))
        own_step(self, batch, *rest)

    monkeypatch.setattr(measuring.time, "perf_counter", clock)
    monkeypatch.setattr(measuring, "_pulse", lambda: 0.001)
    monkeypatch.setattr(measuring._Bench, "_pass", passed)
    monkeypatch.setattr(measuring._Bench, "_step", stepped)
    speed = measure(bases("resnet"), pictures(24), "classification", 2, seconds=5.0)
    assert speed.forward == pytest.approx(0.01)
    assert speed.step == pytest.approx(0.03)
    assert [name for name, _ in work].count("step") == steps
    assert len(speed.below) == len(speed.held)
    before = len(work)
    measure(bases("resnet"), pictures(24), "classification", 2, seconds=5.0)  # a guess is not kept
    assert len(work) > before
