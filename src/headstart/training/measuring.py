"""How fast a base can be run and trained on this machine: a measurement of seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from headstart.bases.base import Base
from headstart.training.feed import feed_for
from headstart.training.phase import Phase
from headstart.training.precision import casting
from headstart.training.processes import Processes
from headstart.training.rows import TrainRows
from headstart.training.speed import Speed
from headstart.training.trainee import Trainee

_ROWS = 32  # measured at once


def measure(base: Base, rows: TrainRows, outputs: int) -> Speed:
    """Time ``base`` on some of ``rows``: two forward passes, two training steps, and the forward pass by stages."""
    some = rows.take(np.linspace(0, len(rows) - 1, min(_ROWS, len(rows))).astype(int))
    processes = Processes(base)
    trainee = Trainee(base.network(), None, np.eye(2, base.width, dtype=np.float32), outputs, 0.0).to(processes.device)
    feed = feed_for(base, some, None, 0)
    batch = tuple(t.to(processes.device) for t in next(feed.stream([np.concatenate(feed.steady(len(some)))], None)))

    def forward(cut: int | None) -> None:
        with torch.no_grad(), casting(processes.device, processes.dtype):
            if cut is None:
                trainee.network(*batch)
            else:
                trainee.stages.prefix(batch, cut)

    trainee.eval()
    whole = _timed(lambda: forward(None), processes.device)
    holding = trainee.holding()
    cuts = {k: min(1.0, _timed(partial(forward, k), processes.device, 1) / whole) for k in trainee.stages.cuts}
    below = [max((cuts[k] for k in cuts if k <= stage), default=0.0) for stage in holding]
    step = _timed(lambda: _step(trainee, batch, processes), processes.device)
    memory = torch.cuda.max_memory_allocated() if processes.device.type == "cuda" else 0
    weights = sum(p.numel() for p in trainee.network.parameters())
    return Speed(whole / len(some), step / len(some), tuple(below), weights, memory)


def _step(trainee: Trainee, batch: tuple[torch.Tensor, ...], processes: Processes) -> None:
    phase = Phase(thaw=1.0)
    trainee.thaw(phase)
    trainee.set_training(phase)
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=0.0)
    with casting(processes.device, processes.dtype):
        scores, _ = trainee(batch, 0)
    scores.to(torch.float32).square().mean().backward()
    optimizer.step()


def _timed(work: Callable[[], object], device: torch.device, times: int = 2) -> float:
    """The quickest of ``times`` runs in seconds."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
