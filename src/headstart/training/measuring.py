"""How fast a base can be run and trained on this machine: a measurement of a few seconds."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from headstart.bases.adapters import Lora, inject, linear_layers
from headstart.bases.base import Base
from headstart.bases.device import device
from headstart.bases.network import Network
from headstart.bases.runtime import measured_path, remembered
from headstart.files import write_atomically
from headstart.modalities import get
from headstart.training.feed import Batch, Feed, feed_for
from headstart.training.job import Job
from headstart.training.memory import saved_bytes
from headstart.training.objective import objective_of
from headstart.training.options import Augmentation, TrainOptions
from headstart.training.phase import Phase
from headstart.training.processes import Processes, casting
from headstart.training.recipe import Recipe
from headstart.training.rows import TrainRows
from headstart.training.speed import Speed
from headstart.training.trainee import Trainee

_ROWS, _FEWEST = 16, 2  # measured at once, and where little time may be spent on it
_PICTURES = 2_000  # rows among which batches are looked for
_FRESH = 3600.0  # seconds for which a measurement holds at most
_ALIKE = 1.3  # times that the machine may have become quicker or slower: as near as predictions are to be
_PULSE, _PULSE_SIDE = 0.15, 512  # seconds for which a product of matrices of that side is repeated
_LOOKS = 6  # passes of one row, of which the quickest counts
_TOGETHER, _DEAREST = 8, 3.0  # rows of one more pass, and times the seconds given that it may take at most
_LATE = 2.0  # times the seconds given after which what is not yet timed is guessed
_SLOW = 5.0  # seconds of loading above which it is not done twice to leave out the libraries' part
_READ_LEAST, _READ_RATE = 0.3, 3e8  # seconds, and bytes a second, of reading weights where that is not measured
_LARGE = 300_000_000  # weights of a base that is not copied to try adapters on it
_ADAPTER_SHARE = 0.7  # of a step, taken for such a base: no gradients of its own weights
_FORMAT = 3
_STEP = 3.0  # forward passes that a step comes to
_UPDATE = 2e-9  # seconds of the optimiser a weight
_PASSES = 12.0  # forward passes that a measurement of the barest kind comes to: stages, steps, the first and slow one

#: What some strategies alone ask about, each timed in passes of its own.
NORM, ADAPTER, SAVED = "norm", "adapter", "saved"
EVERYTHING = (NORM, ADAPTER, SAVED)


def measure(
    base: Base,
    rows: TrainRows,
    task: str,
    outputs: int,
    *,
    batch: int = _ROWS,
    augmentation: Augmentation | None = None,
    also: Collection[str] = EVERYTHING,
    seconds: float | None = None,
) -> Speed:
    """Time passes and steps of ``base`` on batches of ``rows`` as training in batches of ``batch`` makes them.

    Texts differ in length, and a batch of texts of like length takes as long as its longest: batches are taken from
    all over the range of sizes that the data's own have, so that the mean a row is the data's. A measurement
    holds for an hour for the same base, machine and shape of data, as long as the machine is about as quick as it was
    then: what else runs on it, and on how many threads this may, changes.

    Args:
        also: of `NORM`, `ADAPTER` and `SAVED`, those that are needed; the others are left at what they are by default.
        seconds: that passes and steps may take, roughly, where there is a budget: fewer rows are timed, each once.
            Loading the libraries and the weights, which training asks for too, is not counted. Where not even the
            fewest rows can be timed all the ways that there are, the rest is guessed from passes of few rows; so is
            what has not been timed by `_LATE` times these seconds.
    """
    options = TrainOptions("", batch=batch, augmentation=augmentation, dropout=0.0)
    some = rows.take(_spread(len(rows), _PICTURES))
    job = Job(base, Recipe((Phase(thaw=1.0),)), task, outputs, some, None, None, options)
    feed = feed_for(base, some, augmentation, 0)
    file = measured_path(base, f".{_shape(feed, batch, outputs)}.speed.json")
    known = _remembered(file.read_text(encoding="utf-8") if file.exists() else "", also)
    if known is None:
        with torch.random.fork_rng(devices=[]):
            bench = _Bench(job, feed, also, seconds)
            if bench.guess is not None:
                return bench.guess
            try:
                known = bench.speed()
            except _Late:
                return bench.guessed()
        told = {"format": _FORMAT, "at": time.time(), "pulse": _pulse(), "also": [*also], "speed": asdict(known)}
        write_atomically(file, json.dumps(told))
    return known


class _Late(Exception):
    """There is no more time for measuring."""


class _Bench:
    """A base ready to be timed on batches of a feed."""

    def __init__(self, job: Job, feed: Feed, also: Collection[str], seconds: float | None) -> None:
        base = job.base
        self._base, self._feed, self._batch, self._also = base, feed, job.options.batch, also
        self._times = get(base.modality).times if seconds is None else 1
        self._tried = get(base.modality).tried if seconds is None else 2
        self._processes = Processes(base)
        network, self._opening = _opened(base, again=seconds is None)
        start = time.perf_counter()
        trainee = Trainee(network, objective_of(job))
        self._loading = self._opening + time.perf_counter() - start
        self._trainee = trainee.to(self._processes.device)
        self._until, self._passed, self._stepped, self._reading = math.inf, 0.0, 0.0, 0.0
        self._rows, self.guess = _ROWS, None if seconds is None else self._fit_into(seconds)

    def _fit_into(self, seconds: float) -> Speed | None:
        """Choose how many rows at a time can be measured in ``seconds``; a guess where that is too few of them."""
        self._trainee.eval()
        start = time.perf_counter()
        one = self._batches([self._feed.order(0, self._batch)[0][:1]])[0]
        self._reading = time.perf_counter() - start
        times = [self._timed(partial(self._pass, one))]
        # the first is slower, and so is any that is disturbed
        while len(times) < _LOOKS and sum(times) < (seconds if len(times) == 1 else seconds / 4):
            times.append(self._timed(partial(self._pass, one)))
        passed = self._passed = min(times)
        passes = _PASSES + len(self._trainee.stages.cuts) + 3 * sum(name in self._also for name in EVERYTHING)
        self._rows = int(min(_ROWS, seconds / max(passes * passed, 1e-9)))
        if self._rows < _FEWEST:
            self._passed = min(passed, self._together(passed, seconds))
            return self.guessed()
        self._until = start + _LATE * seconds
        return None

    def _together(self, passed: float, seconds: float) -> float:
        """Seconds a row of some rows at once, one of which took ``passed``; inf where trying takes too long.

        What a pass costs whatever its rows is large beside one row, above all where other work keeps the threads
        waiting for one another: of a busy machine, training was once predicted to take 16 times what it took.
        """
        count = min(_TOGETHER, len(self._feed.rows))
        known = _of_a_batch(self._base, self._processes.dtype)
        if count * passed > _DEAREST * seconds and passed + count * known > seconds:
            return math.inf
        some = self._batches([self._feed.order(0, self._batch)[0][:count]])[0]
        first = self._timed(partial(self._pass, some))  # which makes ready for this size of batch, too
        again = self._timed(partial(self._pass, some)) if first < seconds else first
        return min(first, again) / len(some[0])

    def guessed(self) -> Speed:
        """From what was timed: where that is the pass of a row alone, stages cost the same, and a step three passes."""
        stages, forward, reading = len(self._trainee.holding()), self._passed, self._reading
        return Speed(
            forward=forward,
            step=self._stepped or _STEP * forward,
            below=tuple(stage / stages for stage in range(stages)),
            weights=sum(p.numel() for p in self._trainee.network.parameters()),
            memory=0,
            plain=forward,
            adapter=_ADAPTER_SHARE,
            update=_UPDATE,
            held=self._held(),
            decode=reading,
            augment=reading if self._feed.augmentation else 0.0,
            loading=self._loading,
            opening=self._opening,
        )

    def speed(self) -> Speed:
        """All that there is to know."""
        feed, also = self._feed, self._also
        looked = self._batches(_over_sizes(feed, feed.steady(2 * _ROWS), self._tried, self._rows))
        stepped = self._batches(_over_sizes(feed, feed.order(0, self._batch), self._tried, self._rows))
        widest = stepped[-1]
        self._trainee.eval()
        self._timed(partial(self._pass, widest))
        forward = self._passed = self._each(looked, self._pass)
        plain = self._each(looked, partial(self._pass, plain=True)) if self._casts else forward
        below, states = self._stages(widest)
        update, memory = self._warm_up(widest)
        step = self._stepped = self._each(stepped, self._step)
        norm = self._norm(widest) if NORM in also else math.nan
        adapter = self._adapter(widest) if ADAPTER in also else 0.0
        again = self._timed(partial(self._step, widest)) if {NORM, ADAPTER} & {*also} else math.nan
        return Speed(
            forward=forward,
            step=step,
            below=below,
            weights=sum(p.numel() for p in self._trainee.network.parameters()),
            memory=memory,
            plain=plain,
            norm=min(1.0, norm / again) if NORM in also else 1.0,
            adapter=adapter / again if adapter else _ADAPTER_SHARE,
            update=update,
            held=self._held(),
            decode=self._fed(None),
            augment=self._fed(0) if feed.augmentation else 0.0,
            loading=self._loading,
            opening=self._opening,
            states=states,
            saved=self._saved(widest) if SAVED in also else 0,
        )

    @property
    def _casts(self) -> bool:
        return self._processes.dtype != torch.float32

    def _batches(self, rows: list[np.ndarray]) -> list[Batch]:
        where = self._processes.device
        stream = self._feed.stream(rows, None)
        return [tuple(tensor.to(where) for tensor in batch) for batch in stream]

    def _each(self, batches: list[Batch], work: Callable[[Batch], object]) -> float:
        """Mean seconds a row, the better of two times each: most sizes are met again and again."""
        seconds = sum(min(self._timed(partial(work, b)) for _ in range(self._times)) for b in batches)
        return seconds / sum(len(b[0]) for b in batches)

    def _timed(self, work: Callable[[], object]) -> float:
        """Seconds that ``work`` takes.

        Raises:
            _Late: there is no more time for it.
        """
        start = time.perf_counter()
        if start > self._until:
            raise _Late
        work()
        if self._processes.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def _pass(self, batch: Batch, cut: int | None = None, plain: bool = False) -> torch.Tensor:
        """The features, or what stands above ``cut``."""
        dtype = torch.float32 if plain else self._processes.dtype
        with torch.no_grad(), casting(self._processes.device, dtype):
            if cut is None:
                return self._trainee.network(*batch)
            return self._trainee.stages.prefix(batch, cut).hidden

    def _stages(self, batch: Batch) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Below each stage that holds weights: the share of a pass, and the bytes of a row's state."""
        shares, sizes = {0: 0.0}, {0: 0}
        whole = min(self._timed(partial(self._pass, batch)) for _ in range(self._times + 1))
        for cut in self._trainee.stages.cuts:
            state = self._pass(batch, cut)
            shares[cut] = min(1.0, self._timed(partial(self._pass, batch, cut)) / whole)
            sizes[cut] = state.element_size() * state[0].numel()
        highest = [max(k for k in shares if k <= stage) for stage in self._trainee.holding()]
        rising = np.maximum.accumulate([shares[k] for k in sorted(shares)])  # noise must not let a share fall
        by_cut = dict(zip(sorted(shares), rising.tolist(), strict=True))
        return tuple(by_cut[k] for k in highest), tuple(sizes[k] for k in highest)

    def _held(self) -> tuple[int, ...]:
        named, stages = dict(self._trainee.network.named_parameters()), self._trainee.stages.stages
        return tuple(sum(named[name].numel() for name in stages[i].parameters) for i in self._trainee.holding())

    def _step(self, batch: Batch, phase: Phase | None = None) -> None:
        """Forward and backward, all weights moving unless ``phase`` says otherwise."""
        phase = phase or Phase(thaw=1.0)
        self._trainee.thaw(phase)
        self._trainee.set_training(phase)
        with casting(self._processes.device, self._processes.dtype):
            scores, _ = self._trainee(batch, 0)
        scores.to(torch.float32).square().mean().backward()

    def _warm_up(self, batch: Batch) -> tuple[float, int]:
        """Seconds that the optimiser takes a weight, and an accelerator's peak memory."""
        cuda = self._processes.device.type == "cuda"
        if cuda:
            torch.cuda.reset_peak_memory_stats()
        self._timed(partial(self._step, batch))
        moving = [p for p in self._trainee.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(moving, lr=0.0, weight_decay=0.0, fused=cuda or batch[0].device.type == "cpu")

        def update() -> None:
            torch.nn.utils.clip_grad_norm_(moving, 1.0)
            optimizer.step()

        update()
        seconds = self._timed(update)
        memory = torch.cuda.max_memory_allocated() if cuda else 0
        optimizer.zero_grad()
        return seconds / sum(p.numel() for p in moving), memory

    def _norm(self, batch: Batch) -> float:
        phase = Phase(thaw=1.0, moves="norm")
        self._clear()
        self._step(batch, phase)
        return self._timed(partial(self._step, batch, phase))

    def _adapter(self, batch: Batch) -> float:
        """Seconds of a step with adapters; nan where there is no linear layer for them to stand beside."""
        network = self._trainee.network
        if not linear_layers(network):
            return math.nan
        self._clear()
        if sum(p.numel() for p in network.parameters()) > _LARGE:
            return _ADAPTER_SHARE * self._timed(partial(self._step, batch))
        adapted = copy.deepcopy(network)
        inject(adapted, Lora())

        def step() -> None:
            with casting(self._processes.device, self._processes.dtype):
                features = adapted(*batch)
            features.to(torch.float32).square().mean().backward()

        step()
        return self._timed(step)

    def _saved(self, batch: Batch) -> int:
        """Bytes a row that a step of the data's largest batch keeps for the way back."""
        self._clear()
        with saved_bytes(self._trainee) as saved:
            self._step(batch)
        self._clear()
        sizes = self._feed.sizes(self._feed.order(0, self._batch))
        if not get(self._base.modality).long:
            return int(saved.bytes / len(batch[0]))
        at_once = self._feed.in_parts(self._batch)  # of a step that is made in parts
        tokens = int(batch[1].any(-1).sum()) * batch[1].shape[-1]
        return int(saved.bytes / tokens * max(sizes) * at_once)

    def _clear(self) -> None:
        self._trainee.zero_grad(set_to_none=True)

    def _fed(self, view: int | None) -> float:
        """Seconds a row until it stands in a batch."""
        some = np.arange(min(len(self._feed.rows), 2 * _ROWS))
        start = time.perf_counter()
        for _ in self._feed.stream([some], view):
            pass
        return (time.perf_counter() - start) / len(some)


def _of_a_batch(base: Base, dtype: torch.dtype) -> float:
    """Seconds a row of a batch took through torch when the runtimes of ``base`` were tried; inf where they were not."""
    choice = remembered(base)
    tried = [one for one in choice.usable if one.name.startswith("torch")] if choice else []
    rates = [one.rate for one in tried if (one.dtype == "bfloat16") == (dtype == torch.bfloat16)]
    return 1 / min(rates) if rates else math.inf


def _opened(base: Base, again: bool) -> tuple[Network, float]:
    """The network, and the seconds that reading it takes once its libraries are there: read ``again``, or guessed."""
    start = time.perf_counter()
    network = base.network()
    seconds = time.perf_counter() - start
    if not again:
        weights = sum(p.numel() for p in network.parameters())
        return network, min(seconds, _READ_LEAST + 4 * weights / _READ_RATE)
    if seconds > _SLOW:
        return network, seconds
    start = time.perf_counter()
    network = base.network()
    return network, time.perf_counter() - start


def _over_sizes(feed: Feed, batches: list[np.ndarray], count: int, rows: int = _ROWS) -> list[np.ndarray]:
    """``count`` of ``batches``, evenly over their sizes and the largest last, at most ``rows`` rows each."""
    order = np.argsort(feed.sizes(batches), kind="stable")
    edges = np.linspace(0, len(order), min(count, len(order)) + 1)
    picked = [order[int((a + b) / 2)] for a, b in pairwise(edges)]
    return [batches[i][-rows:] for i in picked]


def _spread(count: int, most: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(most, count)).astype(int)


def _shape(feed: Feed, batch: int, outputs: int) -> str:
    """What of the data a measurement depends on, roughly."""
    size = float(np.mean(feed.sizes(feed.order(0, batch))))
    changed = "augmented" if feed.augmentation else "plain"
    return f"{min(batch, len(feed.rows))}-{outputs}-{round(8 * math.log2(size))}-{changed}"


def _pulse() -> float:
    """Seconds that a fixed piece of work takes right now."""
    one = torch.ones(_PULSE_SIDE, _PULSE_SIDE, device=device())
    float((one @ one)[0, 0])  # the first is slower
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < _PULSE:
        float((one @ one)[0, 0])  # reading a number waits for an accelerator
        count += 1
    return (time.perf_counter() - start) / count


def _remembered(text: str, also: Collection[str]) -> Speed | None:
    """What was measured, if it is fresh and ``also`` is among it."""
    try:
        values = json.loads(text)
        if values["format"] != _FORMAT or not 0 <= time.time() - values["at"] <= _FRESH:
            return None
        if not {*also} <= {*values["also"]}:
            return None
        if not 1 / _ALIKE <= _pulse() / values["pulse"] <= _ALIKE:
            return None
        told: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values["speed"].items()}
        return Speed(**told)
    except (ValueError, KeyError, TypeError):
        return None
