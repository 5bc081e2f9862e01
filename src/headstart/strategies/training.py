"""Candidates whose base is trained: one run a part, from the solved head or from the candidate below."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.bases.adapters import Lora
from headstart.bases.changes import Changes
from headstart.errors import SettingError
from headstart.heads.linear import LinearHead
from headstart.heads.solve import refit
from headstart.modalities import get as get_modality
from headstart.ragged import flat, joined, shaped
from headstart.settings import TrainingSettings
from headstart.strategies.candidate import Candidate
from headstart.strategies.ground import Ground
from headstart.strategies.strategy import Strategy
from headstart.training.job import Job, Trained, training_root
from headstart.training.options import TrainOptions
from headstart.training.recipe import Recipe

#: Rows a step, by the fewest rows to train on: few rows need steps more than they need steps without noise.
_BATCHES = ((4000, 64), (1000, 32), (0, 16))
_MIXUP, _PLENTY = 0.2, 200  # strength, and pictures a class from which mixup helps rather than blurs


def trained(
    ground: Ground,
    strategy: Strategy,
    below: Candidate,
    seconds: float | None,
    hopeful: Callable[[Any], bool] | None = None,
    attempt: int = 0,
) -> Candidate:
    """The candidate of a strategy that trains the base, each part's run starting where ``below``'s ended.

    Args:
        below: a trained candidate to go on from, or a probe whose heads to start from.
        seconds: that all parts together may take; None: as many as they need.
        hopeful: asked after each part, with the answers [rows so far, outputs]; on False the other parts are not run,
            and the candidate has answers for these rows alone.
        attempt: which try of the strategy this is in the run, from 0.
    """
    from headstart.training.run import train

    start = time.perf_counter()
    recipe, options = told(strategy, ground.settings), train_options(ground, len(ground.rows))
    runs: list[Trained] = []
    whole = replace(ground.rows, units=ground.units)
    held: list[np.ndarray] = []
    kept: list[np.ndarray] = []
    for part, (rows, out) in enumerate(ground.holding.parts):
        head, changes = _start(ground, recipe, below, part)
        rates = (runs[0].rate_factor,) if runs else recipe.rates  # the sweep's answer holds for the other parts
        left = None if seconds is None else max(0.0, seconds - (time.perf_counter() - start))
        each = None if left is None else left / (len(ground.holding.parts) - part)
        job = Job(
            ground.base,
            replace(recipe, rates=rates),
            ground.task.name,
            ground.task.outputs,
            whole.take(rows),
            whole.take(out),
            head,
            replace(options, seconds=each, attempt=attempt),
            changes,
            ground.retained,
        )
        with ground.progress.stage(_named(strategy.name, part, len(ground.holding.parts))):
            runs.append(train(job, ground.progress))
        held.append(_answers(runs[-1].held, out, ground))
        kept.append(_answers(runs[-1].kept, out, ground))
        if hopeful and not hopeful(joined(held)):
            break
    own = replace(recipe, rates=(runs[0].rate_factor,))
    shares = np.mean([run.shares for run in runs], axis=0)
    own = own.shortened(tuple(float(share) for share in shares))
    goes_on = below.recipe is not None and not recipe.scratch and recipe.lora is None
    all_phases = below.recipe.then(own) if goes_on and below.recipe else own
    return Candidate(
        base=ground.base.identity.name,
        strategy=strategy.name,
        features="trained",
        held=joined(held),
        valid_score=ground.score(joined(held)),
        heads=tuple(run.head for run in runs),
        tried=(),
        seconds=time.perf_counter() - start + sum(run.before for run in runs),
        runs=tuple(runs),
        recipe=all_phases,
        kept=joined(kept),
        chosen=any(run.chosen for run in runs),
    )


def starts_from(strategy: Strategy, below: Candidate) -> bool:
    """Whether the strategy's runs go on from the weights that ``below``'s ended with."""
    recipe = strategy.recipe
    return bool(recipe is not None and below.runs and not recipe.scratch and recipe.lora is None)


def _answers(given: Any, out: np.ndarray, ground: Ground) -> Any:
    if given is not None:
        return given
    y = ground.rows.y[out]
    return shaped(np.full((len(flat(y)), ground.task.outputs), np.nan), y)


def train_again(ground: Ground, candidate: Candidate, head: LinearHead | None, seconds: float | None) -> Trained:
    """The candidate's recipe on all working rows, up to the share of its schedule that the parts found best."""
    from headstart.training.run import train

    if candidate.recipe is None:
        raise SettingError(f"strategy {candidate.strategy!r} trains no weights.")
    job = Job(
        ground.base,
        candidate.recipe,
        ground.task.name,
        ground.task.outputs,
        ground.rows,
        None,
        head,
        replace(train_options(ground, len(ground.rows)), seconds=seconds),
        None,
        ground.retained,
    )
    with ground.progress.stage(f"{candidate.strategy}, on all training and validation rows"):
        return train(job, ground.progress)


def _named(strategy: str, part: int, parts: int) -> str:
    return strategy if parts == 1 else f"{strategy}, fold {part + 1} of {parts}"


def told(strategy: Strategy, settings: TrainingSettings) -> Recipe:
    """The strategy's recipe with what the user said of it.

    Raises:
        SettingError: the strategy trains nothing.
    """
    if strategy.recipe is None:
        raise SettingError(f"strategy {strategy.name!r} trains no weights.")
    given = {
        "thaw": settings.thaw,
        "epochs": settings.epochs,
        "rate": settings.rate,
        "body": settings.body_rate,
        "least_steps": 1 if settings.epochs is not None else None,
    }
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if strategy.name == "progressive":
        said.pop("thaw", None)
    lora = strategy.recipe.lora and Lora(settings.adapter, settings.rank)
    return replace(strategy.recipe, lora=lora, phases=tuple(replace(phase, **said) for phase in strategy.recipe.phases))


def train_options(ground: Ground, rows: int) -> TrainOptions:
    """How to train on ``rows`` rows."""
    settings = ground.settings
    plenty = get_modality(ground.base.modality).mixup and ground.per_class >= _PLENTY and ground.task.exclusive
    mixup = settings.mixup if settings.mixup is not None else _MIXUP if plenty and ground.augmentation else 0.0
    return TrainOptions(
        metric=ground.metric,
        seed=ground.seed,
        batch=settings.batch or next(batch for fewest, batch in _BATCHES if rows >= fewest),
        augmentation=ground.augmentation,
        cache_prefix=settings.prefix_cache,
        mixup=mixup,
        balanced=ground.balanced,
        l2sp=settings.l2sp,
        replay=settings.replay if ground.retained is not None else 0.0,
        keep=training_root(),
        finished=ground.finished,
    )


def _start(ground: Ground, recipe: Recipe, below: Candidate, part: int) -> tuple[LinearHead | None, Changes | None]:
    """The head and the changes that one part's run starts from."""
    if recipe.scratch:
        return None, None
    if below.runs and recipe.lora is None:
        return below.runs[part].head, below.runs[part].changes
    return start_head(ground, below, ground.holding.parts[part][0]), None


def start_head(ground: Ground, probe: Candidate, rows: np.ndarray) -> LinearHead:
    """The head that training on ``rows`` starts from: solved in closed form, with the settings that the probe found.

    Not the probe's own where that is a logistic regression: it fits the training rows so well that little gradient is
    left for the base (banking77, held-out accuracy: 8,000 rows 0.925 -> 0.926 from it; 4,000 rows 0.872 -> 0.913 from
    LDA, where the probe has 0.902; docs/log.md).
    """
    best = probe.closed or probe.heads[0]
    task = ground.task
    some = ground.rows
    weights = None if some.weights is None else some.weights[rows]
    return refit(best, some.vectors[rows], some.y[rows], task.name, outputs=task.outputs, weights=weights)
