"""From prepared rows to the model that is handed over: the probe, the ladder above it, and the best one made again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from headstart.bases.adapters import Lora
from headstart.bases.base import Base
from headstart.errors import SettingError
from headstart.flow.given import given_inputs
from headstart.flow.preparation import Prepared, train_rows
from headstart.flow.remaining import Remaining, evidence_seconds, following, head_seconds, remaining
from headstart.modalities import get as get_modality
from headstart.progress import Progress
from headstart.settings import FitSettings, TrainingSettings, option_name
from headstart.strategies.budget import Budget
from headstart.strategies.candidate import Candidate
from headstart.strategies.finishing import Final, finish
from headstart.strategies.ground import Ground
from headstart.strategies.holding import FEWEST, FOLDS, hold
from headstart.strategies.ladder import Climb, climb, single
from headstart.strategies.names import AUTO, STRATEGIES, asked_baseline, get
from headstart.strategies.solving import solved
from headstart.tasks import get as get_task
from headstart.training.options import Augmentation
from headstart.training.rows import TrainRows

AUGMENTS = ("auto", "none", "corruption")
_EARLIER = {"damage": "corruption"}  # what the value was called in earlier releases
PROBE = STRATEGIES["probe"]


@dataclass(frozen=True)
class Climbed:
    """The ladder and what came of it; ``remaining`` is what a budget sets aside for what follows."""

    ground: Ground
    climb: Climb
    final: Final
    remaining: Remaining = field(default_factory=Remaining)


def climb_and_finish(
    prepared: Prepared, base: Base, metric: str, settings: FitSettings, budget: Budget, progress: Progress
) -> Climbed:
    """Run the strategy that was asked for, or the ladder, and make the best candidate again on all working rows.

    Raises:
        SettingError: the strategy does not fit the base, or the budget allows nothing.
        SplitError: too few rows to compare anything on.
    """
    ground = ground_of(prepared, base, metric, settings, progress)
    start = time.perf_counter()
    budget.kept_back = 0.0
    evidence = evidence_seconds(ground.task.outputs, len(prepared.sealed), budget)
    probe = solved(ground, PROBE, head_seconds(ground, settings, budget, evidence))
    seconds = time.perf_counter() - start + prepared.features.seconds
    after = remaining(ground, prepared, settings, budget, evidence)
    heads = [f"of the probe's heads, {' and '.join(probe.left_out)} not tried to the end"] if probe.left_out else []
    for said in (*heads, *after.cut):
        budget.leave_out(said, progress)
    budget.kept_back = after.total + _again(probe)
    if settings.strategy == AUTO:
        climbed = climb(ground, probe, budget, seconds, following(prepared))
    else:
        climbed = single(ground, get(settings.strategy), probe, budget, seconds, following(prepared))
        if baseline := asked_baseline(settings.strategy):
            plan = f"the baseline {baseline}, as asked for; the probe is what it is compared with"
            climbed.record = replace(climbed.record, plan=plan)
    budget.kept_back = after.total
    ground = climbed.ground or ground  # held-out rows that the best one has no answers to are evidence of nothing
    return Climbed(ground, climbed, finish(ground, climbed, budget), after)


def _again(probe: Candidate) -> float:
    """Seconds of solving the probe's head on all working rows, or the one that training starts from."""
    return 1.5 * probe.seconds / len(probe.heads)


def _augment(told: TrainingSettings) -> str:
    return _EARLIER.get(told.augment, told.augment)


def training_options(settings: FitSettings) -> list[str]:
    """The options of training that were given and change something, as typed."""
    told, usual = settings.training, TrainingSettings()
    names = ["thaw", "epochs", "rate", "body_rate", "batch", "l2sp", "retain", "replay"]
    given = [name for name in names if getattr(told, name) != getattr(usual, name)]
    given += ["augment"] if _augment(told) == "corruption" else []
    given += ["mixup"] if told.mixup else []
    given += [name for name in ("adapter", "rank") if getattr(told, name) != getattr(usual, name)]
    return [f"--{option_name(name)}" for name in given]


def check_used(settings: FitSettings) -> None:
    """Refuse options of training that the strategy asked for has no use for, before any work.

    Raises:
        SettingError: what came, and what takes it.
    """
    if settings.strategy == AUTO:
        return
    strategy = get(settings.strategy)
    if strategy.recipe is None and (given := training_options(settings)):
        trains = ", ".join(name for name, one in STRATEGIES.items() if one.recipe is not None)
        raise SettingError(
            f"{' and '.join(given)}: strategy {settings.strategy!r} trains no weights of the base and has no use for "
            f"that; leave it out, or take a strategy that trains: {trains}."
        )
    if strategy.recipe is not None and strategy.recipe.lora is None:
        given = [name for name in training_options(settings) if name in ("--adapter", "--lora-rank")]
        if given:
            raise SettingError(
                f"{' and '.join(given)}: strategy {settings.strategy!r} trains no adapters; leave it out, or take "
                "--strategy lora."
            )


def check_training(settings: FitSettings) -> None:
    """Refuse values of the training settings that are not allowed, before any work.

    Raises:
        SettingError: what came, and what is allowed.
    """
    told = settings.training
    check_used(settings)
    if _augment(told) not in AUGMENTS:
        raise SettingError(f"augment is {told.augment!r}; it is one of {', '.join(AUGMENTS)}.")
    if told.max_forgetting is not None and not 0 <= told.max_forgetting <= 1:
        raise SettingError(f"max-forgetting is {told.max_forgetting:g}; it is a share from 0 (keep all) to 1.")
    for name, value in (("epochs", told.epochs), ("lr", told.rate), ("backbone-lr-multiplier", told.body_rate)):
        if value is not None and not 0 < value < float("inf"):
            raise SettingError(f"{name} is {value:g}; it is a number above 0.")
    for name, value in (("l2sp", told.l2sp), ("replay", told.replay), ("mixup", told.mixup or 0.0)):
        if not 0 <= value < float("inf"):
            raise SettingError(f"{name} is {value:g}; it is 0 or more.")
    Lora(told.adapter, told.rank)  # refuses what is not allowed
    if told.batch is not None and told.batch < 2:
        raise SettingError(f"batch-size is {told.batch}; it is at least 2 rows a step.")
    if told.thaw is not None and told.thaw < 0:
        raise SettingError(f"unfreeze is {told.thaw}; it is a number of stages, 0 or more.")
    if settings.budget is not None and not 0 < settings.budget < float("inf"):
        raise SettingError(f"budget is {settings.budget:g} s; it is a time above 0, such as 90s, 10m or 1.5h.")


def check_task(settings: FitSettings, task: str) -> None:
    """Refuse what is of whole rows where ``task`` answers items of theirs, as soon as the task is known.

    Raises:
        SettingError: the strategy gives one vector a row, or rows were to be mixed.
    """
    item, strategy = get_task(task).item, settings.strategy
    if not item:
        return
    if strategy != AUTO and get(strategy).features == "stages":
        raise SettingError(
            f"strategy {strategy!r} gives one vector a row, and a {task} task needs one a {item}; take --strategy "
            "probe, auto, or one that trains."
        )
    if settings.windows is not None:
        raise SettingError(f"--windows limits how much is read, and a {task} task answers every {item}; leave it out.")
    if settings.training.mixup:
        raise SettingError(f"--mixup mixes whole rows, and a {task} task has an answer a {item}; leave it out.")


def check_base(strategy: str, base: Base) -> None:
    """Refuse a strategy that ``base`` cannot serve, before any work.

    Raises:
        SettingError: it trains the base's weights or needs its stages, and the base serves as it is only.
    """
    if base.trainable or strategy == AUTO:
        return
    asked = get(strategy)
    if asked.recipe is not None or asked.features != "pooled":
        what = "trains the base's weights" if asked.recipe is not None else "needs the outputs of the base's stages"
        raise SettingError(
            f"strategy {strategy!r} {what}, and base {base.identity.name!r} is a frozen graph; take --strategy probe "
            f"or auto, or a base with weights."
        )


def ground_of(prepared: Prepared, base: Base, metric: str, settings: FitSettings, progress: Progress) -> Ground:
    """What the candidates of a run by ``settings`` are made and compared on.

    Raises:
        SplitError: too few rows to compare anything on.
    """
    working, task = prepared.working(), prepared.task
    units = working.units()
    compares = settings.strategy != AUTO and get(settings.strategy) is not PROBE
    holding = hold(
        len(prepared.train),
        len(prepared.valid),
        working.y,
        task.name,
        units,
        folds=settings.folds or (FOLDS if _may_fold(settings.strategy) and not prepared.valid_given else None),
        always=settings.folds is not None,
        seed=settings.seed,
        fewest=FEWEST if compares else 1,  # a ladder of the probe alone compares nothing
    )
    rows = train_rows(working)
    ground = Ground(
        base, task, rows, holding, units, metric, settings.training, None, "none", None, settings.seed, progress
    )
    ground = replace(ground, weighed=settings.class_weight is not None)
    augmentation, words = _augmentation(settings, base, task.labels, ground.per_class)
    retained = _retained(settings, base, progress)
    return replace(ground, augmentation=augmentation, augmented=words, retained=retained)


def _may_fold(strategy: str) -> bool:
    """Whether all rows are held out in turn where they are few: not where one strategy was asked for that trains."""
    return strategy == AUTO or get(strategy).recipe is None


def _augmentation(
    settings: FitSettings, base: Base, labels: tuple[str, ...], per_class: int
) -> tuple[Augmentation | None, str]:
    """How training rows are changed at random, and that in words."""
    asked = _augment(settings.training)
    if asked == "none":
        return None, "none, as asked for"
    return get_modality(base.modality).augmentation(asked, labels, per_class, base.spec)


def _retained(settings: FitSettings, base: Base, progress: Progress) -> TrainRows | None:
    """The inputs on which the base's features are to stay, with these features."""
    path = settings.training.retain
    if path is None:
        return None
    return given_inputs(path, "--retain", "such as it was trained on", base, progress)
