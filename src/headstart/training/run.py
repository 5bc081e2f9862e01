"""One training run from a base and rows to changed weights and a head."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from headstart.bases.adapted import adapter_changes, changes_of, lay_in, state_of
from headstart.bases.adapters import inject
from headstart.bases.changes import Changes
from headstart.bases.network import Network
from headstart.evaluation.metrics import METRICS
from headstart.files import claim, writing
from headstart.heads.folds import deal
from headstart.progress import Progress
from headstart.ragged import Ragged, flat
from headstart.training.answers import pooled
from headstart.training.checkpoint import Tensors
from headstart.training.crossing import halves_of
from headstart.training.engine import Engine
from headstart.training.feed import feed_for
from headstart.training.finished import lock_of
from headstart.training.job import Job, Trained
from headstart.training.objective import objective_of
from headstart.training.options import TrainOptions
from headstart.training.phase import Phase
from headstart.training.position import Position
from headstart.training.processes import Processes
from headstart.training.supply import Supply
from headstart.training.trainee import Trainee
from headstart.training.work import Parts, Work

_SWEEP = 0.25  # share of the steps that each rate of a sweep is tried for
_SWEPT = 5  # parts of the training rows, one of which a sweep is judged by
_FORMAT = 2  # of checkpoints: one of another is not found
_TOLD_ROWS = 256  # training rows that tell how well they are fitted


def train(job: Job, progress: Progress | None = None) -> Trained:
    """Run ``job``; a run that was killed goes on from its last checkpoint.

    Raises:
        SettingError: the recipe does not fit the base, or mixup the task.
        TrainingError: there is not enough memory for one row at a time.
    """
    progress = progress or Progress()
    processes = Processes(job.base)
    with torch.random.fork_rng(devices=[]):  # steps are seeded; the caller's own random numbers go on as before
        start = time.monotonic()
        if len(job.recipe.rates) > 1:
            recipe = replace(job.recipe, rates=(_best_rate(job, processes, progress),))
            seconds = job.options.seconds and job.options.seconds - (time.monotonic() - start)
            job = replace(job, recipe=recipe, options=replace(job.options, seconds=seconds))
        return _run(job, processes, progress, 1.0)


def _best_rate(job: Job, processes: Processes, progress: Progress) -> float:
    """The factor of the rates whose short run has the lowest loss on a fifth of the training rows, held out for that.

    Not on the held-out rows: they judge what is chosen here.
    """
    losses = {}
    train = job.train
    out = deal(train.y, job.task, _SWEPT, seed=job.options.seed, groups=train.units)[0]
    rest = np.setdiff1d(np.arange(len(train)), out)
    if not len(rest):  # one unit: nothing can be held out
        return min(job.recipe.rates, key=lambda rate: abs(rate - 1))
    job = replace(job, train=train.take(rest), held=train.take(out))
    for rate in job.recipe.rates:
        short = replace(job, recipe=replace(job.recipe, rates=(rate,)), options=_shorter(job.options, job.recipe.rates))
        with progress.stage(f"trying {rate:g} x the learning rate"):
            losses[rate] = _run(short, processes, progress, _SWEEP).loss
    return min(losses, key=lambda rate: (not np.isfinite(losses[rate]), losses[rate]))


def _shorter(options: TrainOptions, rates: tuple[float, ...]) -> TrainOptions:
    if options.seconds is None:
        return options
    return replace(options, seconds=options.seconds * _SWEEP / (1 + _SWEEP * len(rates)))


def _run(job: Job, processes: Processes, progress: Progress, share: float) -> Trained:
    rate = job.recipe.rates[0]
    phases = [replace(phase, rate=phase.rate * rate) for phase in job.recipe.phases]
    with _claimed(_folder(job, share), processes) as folder:
        options = replace(job.options, keep=folder)
        known = options.finished.load(folder, Trained, options.seconds) if options.finished and folder else None
        if known is None:
            return _made(replace(job, options=options), phases, processes, progress, share)
        progress.say(f"  {known.steps} steps of training are known from a run that was broken off")
        return known


@contextmanager
def _claimed(folder: Path | None, processes: Processes) -> Iterator[Path | None]:
    """``folder`` for this training alone; None where another is at work there: this one then keeps nothing."""
    if folder is None:
        yield None
        return
    with writing(folder):
        release = claim(lock_of(folder)) if processes.first else None
    try:
        yield folder if processes.first_says(float(release is not None)) else None
    finally:
        if release:
            release()


def _made(job: Job, phases: list[Phase], processes: Processes, progress: Progress, share: float) -> Trained:
    options, start = job.options, time.monotonic()
    objective = objective_of(job)
    network, before = _network(job)
    if job.recipe.lora:
        torch.manual_seed(options.seed)  # adapters begin with random numbers
        inject(network, job.recipe.lora)
    trainee = Trainee(network, objective).to(processes.device)
    held = job.held
    halves = None if held is None else halves_of(held.y, job.task, held.units, options.seed)
    closing = 0.0 if held is None else min(_TOLD_ROWS, len(job.train)) / len(held)
    loading = time.monotonic() - start
    held_y = None if held is None else held.y
    engine = Engine(Work(trainee, options, processes, progress, halves, closing, loading, held_y))
    moments = engine.resume()
    steps = [max(1, round(phase.steps(len(job.train), options.batch) * share)) for phase in phases]
    thawed, prefix = _phases(job, engine, phases, steps, moments)
    engine.finish()
    changes = adapter_changes(network, job.recipe.lora) if job.recipe.lora else changes_of(before, network)
    trained = _trained(job, engine, changes, steps, thawed, prefix)
    if options.finished and options.keep and processes.first:
        took = engine.before + time.monotonic() - start
        options.finished.save(options.keep, replace(trained, before=took), engine.position.cut_to, progress)
    engine.done()
    return trained


def _network(job: Job) -> tuple[Network, dict[str, torch.Tensor]]:
    """What the run begins with, and the base's own state."""
    own = job.base.network()
    before = state_of(own)
    if job.recipe.scratch:
        torch.manual_seed(job.options.seed)
        return job.base.untrained(), before
    if job.start:
        lay_in(own, job.start)
    return own, before


def _phases(
    job: Job, engine: Engine, phases: list[Phase], steps: list[int], moments: Tensors | None
) -> tuple[int, str]:
    """Run the phases that are left; the most weights thawed, and the cached prefix of the first."""
    feeds = _Feeds(job, engine)
    thawed, prefix = 0, ""
    for number, (phase, count) in enumerate(zip(phases, steps, strict=True)):
        if number < engine.position.phase:
            engine.note(phase)
            continue
        parts, name = feeds.parts(phase)
        prefix = name if number == 0 else prefix
        engine.run_phase(phase, parts, count, moments, later=sum(steps[number + 1 :]))
        moments = None
        engine.position.ends.append(engine.position.done)
        thawed = max(thawed, sum(p.numel() for _, p in engine.trainee.moving()))
        if engine.position.stopped in ("budget", "diverged"):
            break
        if number + 1 < len(phases):
            engine.next_phase()
    return thawed, prefix


class _Feeds:
    """The feeds of a job's rows, and the supplies made of them for each phase."""

    def __init__(self, job: Job, engine: Engine) -> None:
        self._job, self._engine = job, engine
        options = job.options
        self._train = feed_for(job.base, job.train, options.augmentation, options.seed)
        self._held = feed_for(job.base, job.held, None, options.seed) if job.held is not None else None
        self._retained = feed_for(job.base, job.retained, None, options.seed) if job.retained is not None else None

    def parts(self, phase: Phase) -> tuple[Parts, str]:
        """Supplies for ``phase``, and the last stage of the cached prefix, if any."""
        trainee, processes, options = self._engine.trainee, self._engine.processes, self._job.options
        cut = trainee.cut(phase)
        weights = self._weights(cut) if options.cache_prefix else None
        views = options.views if cut else None
        common = (trainee, cut, weights, views, processes.device, processes.dtype, processes.world)
        train = Supply(self._train, *common)
        held = Supply(self._held, *common) if self._held else None
        retained = Supply(self._retained, *common) if self._retained else None
        name = trainee.stages.stages[cut - 1].name if train.prefix else ""
        return Parts(train, held, retained), name

    def _weights(self, cut: int) -> str | None:
        """The key of the weights below ``cut``: the base's own, or None where some of them have moved."""
        job = self._job
        if cut == 0 or job.recipe.lora or job.recipe.scratch or (job.start and job.start.lora):
            return None
        below = {name for stage in self._engine.trainee.stages.stages[:cut] for name in stage.parameters}
        moved = set(job.start.tensors) if job.start else set()
        return None if below & moved or self._engine.has_moved(below) else job.base.identity.weights


def _trained(job: Job, engine: Engine, changes: Changes, steps: list[int], thawed: int, prefix: str) -> Trained:
    position, trainee = engine.position, engine.trainee
    kept = position.best_done if job.held is not None else position.done
    processed = position.seen * engine.processes.count
    share, cut = kept / max(1, position.done), not math.isnan(position.cut_to)
    return Trained(
        changes=changes,
        head=trainee.objective.state(),
        held=engine.crossing.held if engine.crossing else None,
        kept=engine.kept_held,
        chosen=engine.chosen,
        score=position.best_score,
        loss=position.best_loss,
        train_score=_train_score(job, engine) if job.held is not None else float("nan"),
        curve=tuple(position.curve),
        shares=_shares(job, position, steps),
        steps=kept,
        epochs=processed * share / max(1, len(job.train)),
        rate_factor=job.recipe.rates[0],
        thawed=thawed,
        weights=sum(p.numel() for p in trainee.parameters()),
        prefix=prefix,
        rows_per_second=processed / position.seconds if position.seconds else float("nan"),
        seconds=position.seconds,
        rollbacks=position.rollbacks,
        halvings=position.halvings,
        stopped="budget" if cut and position.stopped == "finished" else position.stopped,
        before=engine.before,
    )


def _shares(job: Job, position: Position, steps: list[int]) -> tuple[float, ...]:
    """Of each phase's steps, those up to the weights kept.

    A phase that ended before its time counts to its own end.
    """
    if job.held is None:
        return (1.0,) * len(steps)
    kept = position.best_done
    ends = [0, *position.ends, *[position.done] * (len(steps) - len(position.ends))]
    done = [min(kept, end) - min(kept, start) for start, end in itertools.pairwise(ends)]
    return tuple(min(1.0, max(0, d) / count) for d, count in zip(done, steps, strict=True))


def _train_score(job: Job, engine: Engine) -> float:
    """The metric on some of the training rows, without augmentation and dropout."""
    some = job.train.take(np.linspace(0, len(job.train) - 1, min(_TOLD_ROWS, len(job.train))).astype(int))
    vectors = pooled(job.base, engine.trainee.network, some, engine.progress)
    answers = engine.trainee.objective.state().probabilities(vectors)
    return float(METRICS[job.options.metric].function(some.y, answers))


def _folder(job: Job, share: float) -> Path | None:
    """A folder named by all that the run depends on, so that only the same run goes on from it."""
    if job.options.keep is None:
        return None
    digest = hashlib.sha256()
    for part in _told(job, share):
        digest.update(part)
    return job.options.keep / digest.hexdigest()[:32]


def _told(job: Job, share: float) -> Iterator[bytes]:
    yield json.dumps([_FORMAT, job.base.key(), job.task, job.outputs, share]).encode()
    yield repr(job.recipe).encode()
    yield json.dumps(job.options.to_dict(), sort_keys=True).encode()
    for rows in (job.train, job.held, job.retained):
        if rows is not None:
            yield "".join(str(key) for key in rows.keys).encode()
            yield np.ascontiguousarray(flat(rows.y)).tobytes()
            yield b"items" + rows.y.counts.tobytes() if isinstance(rows.y, Ragged) else b""
            yield b"" if rows.units is None else np.ascontiguousarray(rows.units).tobytes()
            yield b"" if rows.weights is None else b"weights" + np.ascontiguousarray(rows.weights).tobytes()
    if job.head is not None:
        yield job.head.weight.tobytes() + job.head.bias.tobytes()
    if job.start is not None:
        yield job.start.digest().encode()
