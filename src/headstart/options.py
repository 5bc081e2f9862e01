"""The options of a fit under their flat names, as the command line and `headstart.fit` take them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields
from typing import Any, ParamSpec, TypedDict, TypeVar

from headstart.errors import SettingError, nearest
from headstart.settings import FitSettings, JudgingSettings, SourceSettings, SplitSettings, TrainingSettings

P = ParamSpec("P")
T = TypeVar("T")


class SourceOptions(TypedDict, total=False):
    """How to read a source; what is left out is inferred, and the reason is said."""

    input: str | None  # column with the texts or image paths
    target: str | Sequence[str] | None  # column with the labels or values; several 0/1 columns: multilabel
    group: str | None  # column whose equal rows are never parted by a split
    slices: Sequence[str]  # columns to report the score by
    split: str | None  # column that says train, valid or test
    task: str | None  # "classification", "multilabel" or "regression"
    modality: str | None  # "image" or "text"


class FitOptions(SourceOptions, total=False):
    """Everything a run can be told besides where the data are and where results go."""

    base: str | None  # embedded, a timm name, Hub id, folder, run, torchvision weights, ONNX file; None: the default
    licence: str | None  # "commercial": refuse a base that is not known to allow it
    size: int | None  # side in pixels that pictures are given to the base at
    max_tokens: int | None  # of a text that are given to the base at once
    windows: int | None  # that a longer text is read in at most; 1: it is cut off
    trust_remote_code: bool  # run code that the base's repository brings along
    strategy: str  # "auto", or one of probe, head2toe, partial, progressive, norm, lora, full, scratch; or a baseline:
    # "baseline:majority", "baseline:tfidf-linear" (texts) or "baseline:pixels-linear" (images)
    budget: float | str | None  # seconds that the whole run may take, or a time such as "10m"
    thaw: int | None  # stages that move, from the top
    epochs: float | None  # passes over the training rows
    rate: float | None  # greatest learning rate of the head
    body_rate: float | None  # the top stage's rate as a share of the head's
    batch: int | None  # rows a training step
    augment: str  # "auto", "none" or "damage"
    mixup: float | None  # strength; None: for plentiful pictures
    adapter: str  # kind that strategy lora trains: "lora", "dora" or "rslora"
    rank: int  # of the adapters
    l2sp: float  # strength of the pull back to the base's weights
    retain: str | None  # source of inputs on which the base's features are to stay
    replay: float  # strength of that
    max_forgetting: float | None  # share of the base's answers that may change
    prefix_cache: bool  # keep what frozen stages give on disk
    scratch_control: bool  # also train the same network from random weights
    metric: str | None  # to choose and judge by; None: the task's default
    valid_size: float  # share of the rows for validation, where none is given
    test_size: float  # share of the rows for the test, where none is given; 0: no test set, every row is trained on
    split_from: str | None  # folder of a run whose rows keep their part; new ones are drawn
    evidence: str | None  # run to repeat on all rows, and whose scores are shown; with test_size 0
    together: bool  # keep near duplicates on one side of every split
    folds: int | None  # hold every working row out in turn, in so many folds
    ood: str | None  # source of inputs that the model should not know
    risk: float | None  # error allowed among what is answered
    level: float  # probability with which a set of labels holds the true one
    damage: bool  # also score damaged test rows
    max_rejected: float  # share of unreadable rows above which the run fails
    seed: int  # of splits, folds and intervals


_SOURCE = ("input", "group", "split", "task", "modality")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MODEL = ("base", "licence", "size", "max_tokens", "windows", "trust_remote_code", "strategy")
_FIT = (*_MODEL, "budget", "metric", "max_rejected", "seed", "folds", "evidence")
_TRAINING = tuple(field.name for field in fields(TrainingSettings))
_JUDGING = tuple(field.name for field in fields(JudgingSettings))


def source_settings(options: SourceOptions) -> SourceSettings:
    """The part of ``options`` that says how to read a source; `SettingError` for names that are no option."""
    _check_names(options, SourceOptions.__optional_keys__)
    return _source(options)


def _source(options: SourceOptions) -> SourceSettings:
    target = options.get("target")
    return SourceSettings(
        target=(target,) if isinstance(target, str) else tuple(target) if target else None,
        slices=tuple(options.get("slices") or ()),
        **{name: options.get(name) for name in _SOURCE},  # type: ignore[arg-type]
    )


def fit_settings(options: FitOptions) -> FitSettings:
    """``options`` as settings; those left out take the defaults of `headstart.settings`.

    Raises:
        SettingError: a name that is no option.
    """
    _check_names(options, FitOptions.__optional_keys__)
    shares = {name: options[f"{name}_size"] for name in ("valid", "test") if f"{name}_size" in options}  # type: ignore[literal-required]
    drawing: dict[str, Any] = {name: options[name] for name in ("seed", "together") if name in options}
    drawing |= {"like": str(options["split_from"])} if options.get("split_from") else {}
    given: dict[str, Any] = {name: options[name] for name in _FIT if name in options}  # type: ignore[literal-required]
    if isinstance(given.get("budget"), str):
        given["budget"] = parse_budget(given["budget"])
    training = TrainingSettings(**{name: options[name] for name in _TRAINING if name in options})  # type: ignore[literal-required]
    judging = JudgingSettings(**{name: options[name] for name in _JUDGING if name in options})  # type: ignore[literal-required]
    split = SplitSettings(**shares, **drawing)
    return FitSettings(source=_source(options), split=split, judging=judging, training=training, **given)


def _check_names(options: Iterable[str], known: Set[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        raise SettingError(
            f"{unknown[0]!r} is no option; options are {', '.join(sorted(known))}.{nearest(unknown[0], known)}"
        )


def filled(*free: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """For a function whose texts, but for those called ``free``, must not be empty: what an unset variable leaves.

    An empty text as a path would be the current folder, and as another option "not given".

    Raises:
        SettingError: when called with an empty text, in a list too.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        known = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            for name, value in known.bind(*args, **kwargs).arguments.items():
                given = value.items() if isinstance(value, Mapping) else [(name, value)]
                for own, one in given:
                    if own not in free:
                        _check_filled(own, one)
            return function(*args, **kwargs)

        return checked

    return decorate


def _check_filled(name: str, value: object) -> None:
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, str) and not one.strip():
            raise SettingError(
                f"{name.replace('_', '-')} is empty; give it a value or leave it out (is a variable not set?)."
            )


def parse_budget(text: str) -> float:
    """``"90"``, ``"90s"``, ``"10m"`` or ``"1.5h"`` in seconds.

    Raises:
        SettingError: anything else, or nothing at all.
    """
    cleaned = text.strip().lower()
    number, unit = (cleaned[:-1], cleaned[-1]) if cleaned[-1:] in _UNITS else (cleaned, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise SettingError(f"budget {text!r} is not a time; write it like 90s, 10m or 1.5h.")
    return seconds
