"""The options of a fit under their flat names, as the command line and `headstart.fit` take them."""

from __future__ import annotations

import difflib
import functools
import inspect
import json
import textwrap
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, ParamSpec, TypedDict, TypeVar, cast, get_type_hints

from headstart.errors import SettingError
from headstart.settings import OPTIONS, FitSettings, JudgingSettings, SourceSettings, SplitSettings, TrainingSettings

P = ParamSpec("P")
T = TypeVar("T")


class SourceOptions(TypedDict, total=False):
    """How to read a source; what is left out is inferred, and the reason is said."""

    input: Annotated[str | None, "Column with the texts or image paths."]
    target: Annotated[
        str | Sequence[str] | None,
        "Column with the labels or values; several columns of 0 and 1: multilabel; of others: one model a column.",
    ]
    group: Annotated[str | None, "Column whose equal rows are never parted by a split (patient, site …)."]
    slices: Annotated[Sequence[str], "Columns to report the score by."]
    split: Annotated[str | None, "Column that says train, valid or test."]
    task: Annotated[str | None, "classification, multilabel, regression or tag (a label a word)."]
    modality: Annotated[str | None, "image or text."]
    strict: Annotated[bool, "Refuse tags of entities that do not follow their scheme, such as I-PER after O in IOB2."]


class FitOptions(SourceOptions, total=False):
    """Everything a run can be told besides where the data are and where results go."""

    base: Annotated[
        str | None,
        "Embedded base, timm name, Hub id, folder, run, torchvision weights or ONNX file; by default the modality's.",
    ]
    licence: Annotated[
        str | None, "any, or commercial: leave out what forbids commercial use or is not known to allow it."
    ]
    image_size: Annotated[int | None, "Side in pixels that pictures are given to the base at; its own by default."]
    max_tokens: Annotated[
        int | None, "Tokens of a text that are given to the base at once; 256 by default, or what it takes."
    ]
    windows: Annotated[
        int | None,
        "Windows that a long text (by default 8) or recording (5 minutes) is read in at most; 1: cut off.",
    ]
    trust_remote_code: Annotated[bool, "Run the code that the base's repository brings along."]
    strategy: Annotated[
        str,
        "auto, or one of probe, head2toe, partial, progressive, norm, lora, full, scratch; or a baseline: "
        "baseline:majority, baseline:tfidf-linear, baseline:pixels-linear.",
    ]
    budget: Annotated[float | str | None, "Time that the whole run may take: seconds, or such as 90s, 10m, 1.5h."]
    unfreeze: Annotated[int | None, "Stages that are trained, from the top."]
    epochs: Annotated[float | None, "Passes over the training rows, of each phase."]
    lr: Annotated[float | None, "Greatest learning rate of the head."]
    backbone_lr_multiplier: Annotated[
        float | None, "Backbone learning-rate multiplier: the top stage's learning rate as a share of the head's."
    ]
    batch_size: Annotated[int | None, "Rows a training step."]
    augment: Annotated[str, "auto, none, or corruption: also blur, noise, JPEG, low light; typos, cut texts."]
    mixup: Annotated[float | None, "Strength of mixup, 0 for none; by default for plentiful pictures."]
    adapter: Annotated[str, "Kind that strategy lora trains: lora, dora or rslora."]
    lora_rank: Annotated[int, "Rank of the adapters."]
    l2sp: Annotated[float, "Strength of the pull back to the base's weights."]
    retain: Annotated[str | None, "Inputs, labelled or not, on which the base's features are to stay."]
    replay: Annotated[float, "Strength of that."]
    max_forgetting: Annotated[
        float | None, "Share of the base's answers that training may change; beyond it weights are drawn back."
    ]
    prefix_cache: Annotated[bool, "Keep what frozen stages give."]
    scratch_baseline: Annotated[bool, "Where weights were trained: also train the network from random ones."]
    metric: Annotated[str | None, "To choose and judge by, such as accuracy, f1_macro, r2; by default the task's own."]
    class_weight: Annotated[
        str | Mapping[str, float] | None,
        "How much a class counts in training: none, balanced (classes count the same), or a weight a class, as in "
        '{"rust": 5}; by default none, or balanced where the metric is balanced accuracy. Scores stay unweighted.',
    ]
    weight: Annotated[
        str | None, "Column of numbers from 0 on: how much a row counts in training. Scores stay unweighted."
    ]
    valid_size: Annotated[float, "Share of the rows for validation, where none is given."]
    test_size: Annotated[
        float, "Share of the rows for the test, where none is given; 0: no test set, every row is trained on."
    ]
    split_from: Annotated[
        str | None, "Run whose rows stay in their train, validation and test sets; new rows are drawn."
    ]
    evidence: Annotated[
        str | None,
        "With --test-size 0: run to repeat on all rows, by its base, strategy and settings; its scores are shown.",
    ]
    together: Annotated[bool, "Keep near duplicates on one side of every split; otherwise equal inputs alone."]
    folds: Annotated[int | None, "Cross-validate: hold every row that is not test out in turn, in so many folds."]
    ood: Annotated[str | None, "Inputs from outside the classes, to measure OOD detection with."]
    risk: Annotated[
        float | None, 'Share of wrong answers allowed among those given; the rest is answered "I don\'t know".'
    ]
    level: Annotated[float, "Target coverage of conformal sets: the probability that a set contains the true label."]
    corruptions: Annotated[
        bool, "Also measure corruption robustness: test rows again, corrupted, at five strengths a kind."
    ]
    threshold: Annotated[
        str | None,
        "From which probability a label is given: best-f1, precision=0.9 or recall=0.95 on held-out rows, or a "
        "number. By default 0.5; of several labels a row, what is best for F1.",
    ]
    positive: Annotated[str | None, "Of two classes, the one that precision, recall, curves and --threshold are for."]
    max_rejected: Annotated[float, "Share of unreadable rows above which the run fails."]
    seed: Annotated[int, "Repeats a run exactly."]


#: Other names of an option, on the command line and in Python: those of other libraries and of earlier releases; of
#: one letter: `-o` alone.
ALIASES: dict[str, tuple[str, ...]] = {
    "base": ("model",),
    "bases": ("models",),
    "licence": ("license",),
    "image_size": ("size",),
    "unfreeze": ("thaw",),
    "lr": ("learning_rate", "rate"),
    "backbone_lr_multiplier": ("body_rate",),
    "batch_size": ("batch",),
    "lora_rank": ("rank",),
    "scratch_baseline": ("scratch_control",),
    "corruptions": ("damage",),
    "out": ("output", "o"),
}
_SETTINGS = {option: setting for setting, option in OPTIONS.items()}
_OWN = {alias: name for name, aliases in ALIASES.items() for alias in aliases if len(alias) > 1}

_SOURCE = ("input", "group", "split", "task", "modality", "weight")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MODEL = ("base", "licence", "size", "max_tokens", "windows", "trust_remote_code", "strategy")
_FIT = (*_MODEL, "budget", "metric", "class_weight", "max_rejected", "seed", "folds", "evidence")
_DATA = frozenset({"source", "valid", "test", "reference"})  # which may be data in memory
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
        strict=bool(options.get("strict")),
        **{name: options.get(name) for name in _SOURCE},  # type: ignore[arg-type]
    )


def fit_settings(options: FitOptions) -> FitSettings:
    """``options`` as settings; those left out take the defaults of `headstart.settings`.

    Raises:
        SettingError: a name that is no option.
    """
    _check_names(options, FitOptions.__optional_keys__)
    told: dict[str, Any] = {_SETTINGS.get(name, name): value for name, value in options.items()}
    shares = {name: told[f"{name}_size"] for name in ("valid", "test") if f"{name}_size" in told}
    drawing: dict[str, Any] = {name: told[name] for name in ("seed", "together") if name in told}
    drawing |= {"like": str(told["split_from"])} if told.get("split_from") else {}
    given: dict[str, Any] = {name: told[name] for name in _FIT if name in told}
    if isinstance(given.get("budget"), str):
        given["budget"] = parse_budget(given["budget"])
    if given.get("class_weight") is not None:
        given["class_weight"] = parse_class_weight(given["class_weight"])
    training = TrainingSettings(**{name: told[name] for name in _TRAINING if name in told})
    judging = JudgingSettings(**{name: told[name] for name in _JUDGING if name in told})
    split = SplitSettings(**shares, **drawing)
    return FitSettings(source=_source(options), split=split, judging=judging, training=training, **given)


def _check_names(options: Iterable[str], known: Set[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        hint = suggested(unknown[0], {one: own for one in (*known, *_OWN) if (own := _OWN.get(one, one)) in known})
        raise SettingError(f"{unknown[0]!r} is no option; options are {', '.join(sorted(known))}.{hint}")


def flags(name: str) -> tuple[str, ...]:
    """How the command line spells the option ``name``: its own name first, then its aliases."""
    return tuple(f"{'-' if len(one) == 1 else '--'}{one.replace('_', '-')}" for one in (name, *ALIASES[name]))


def suggested(name: str, spellings: Mapping[str, str]) -> str:
    """The option that the unknown ``name`` is most like, worded for the end of a message; "" if none is near.

    ``spellings`` has every name that may be given, each with the option's own.
    """
    bare = {one.lstrip("-"): one for one in spellings}
    near = difflib.get_close_matches(name.lstrip("-").lower(), bare, n=1, cutoff=0.5)
    if not near:
        return ""
    found = bare[near[0]]
    own = spellings[found]
    return f" Did you mean {own!r}{f', also called {found!r}' if found != own else ''}?"


def check_once(own: str, names: Iterable[str]) -> None:
    """`SettingError` where ``names``, under which the option ``own`` was given, are more than one."""
    given = sorted(set(names), key=lambda name: (name != own, name))
    if len(given) > 1:
        raise SettingError(f"{' and '.join(given)} are names of one option; give {own} alone.")


def under_own_names(given: Mapping[str, Any], known: Container[str]) -> dict[str, Any]:
    """``given`` with the aliases of options in ``known`` replaced by the options' own names; the rest as it is.

    Raises:
        SettingError: an option under two names.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        own = _OWN.get(name, name)
        found.setdefault(name if name in known or own not in known else own, {})[name] = value
    for own, values in found.items():
        check_once(own, values)
    return {own: value for own, values in found.items() for value in values.values()}


def aliased(function: Callable[P, T]) -> Callable[P, T]:
    """For a function whose options, given as keywords, may come under their aliases."""

    @functools.wraps(function)
    def renamed(*args: P.args, **kwargs: P.kwargs) -> T:
        known = inspect.signature(renamed).parameters  # as `documented` has them, if it does
        return cast("Callable[..., T]", function)(*args, **under_own_names(kwargs, known))

    return renamed


def filled(*free: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """For a function whose texts, but for those called ``free``, must not be empty: what an unset variable leaves.

    Its options may come under their aliases, see `aliased`.

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

        return aliased(checked)

    return decorate


def _check_filled(name: str, value: object) -> None:
    for one in value if isinstance(value, list | tuple) and name not in _DATA else [value]:
        if isinstance(one, str) and not one.strip():
            raise SettingError(
                f"{name.replace('_', '-')} is empty; give it a value or leave it out (is a variable not set?)."
            )


def meaning(name: str) -> str:
    """What the option ``name`` is, in a sentence: the same for command line and Python."""
    return _meanings(FitOptions)[name][1]


def documented(options: type) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """For a function that takes ``options``, a TypedDict, as keywords: each shows in its signature and its docstring.

    In the docstring they stand where it has a line that begins with "options:".
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        defaults, keyword = _defaults(), inspect.Parameter.KEYWORD_ONLY
        known, told = inspect.signature(function), _meanings(options)
        own = [one for one in known.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(name, keyword, default=defaults[name], annotation=kind)
            for name, (kind, _) in told.items()
        ]
        lines = [_told(name, defaults[name], sentence) for name, (_, sentence) in told.items()]
        head, _, rest = (function.__doc__ or "").partition("        options:")
        function.__doc__ = head + "\n".join(lines) + rest[rest.find("\n") :]
        function.__signature__ = known.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        return function

    return decorate


def _told(name: str, default: Any, sentence: str) -> str:
    """One option as a docstring has it."""
    text = f"{name}: {sentence[0].lower() if sentence[1:2].islower() else sentence[0]}{sentence[1:]}"
    said = f"{text.removesuffix('.')} (default: {default!r})."
    aliases = [one for one, own in _OWN.items() if own == name]
    said += f" Also: {', '.join(aliases)}." if aliases else ""
    return textwrap.fill(said, 112, initial_indent=" " * 8, subsequent_indent=" " * 12)


@functools.cache
def _meanings(options: type) -> dict[str, tuple[Any, str]]:
    """Name -> type and sentence of each option."""
    hints = get_type_hints(options, include_extras=True)
    return {name: (hint.__origin__, hint.__metadata__[0]) for name, hint in hints.items()}


def _defaults() -> dict[str, Any]:
    """Name -> what is taken where an option is left out, by the settings."""
    whole = FitSettings()
    found: dict[str, Any] = {"valid_size": whole.split.valid, "test_size": whole.split.test, "split_from": None}
    for part in (whole, whole.source, whole.split, whole.judging, whole.training):
        values = {field.name: getattr(part, field.name) for field in fields(part)}
        named = {OPTIONS.get(name, name): value for name, value in values.items() if not is_dataclass(value)}
        found |= {name: value for name, value in named.items() if name not in found}
    return found


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


def parse_class_weight(given: str | Mapping[Any, float]) -> str | dict[str, float]:
    """ "none", "balanced", or a weight a class; the latter as a dict or as JSON.

    Raises:
        SettingError: anything else, a weight that is no finite number from 0 on, or none above 0.
    """
    how = 'it is none, balanced, or a weight a class such as {"rust": 5, "other": 1}'
    if isinstance(given, str):
        if given.strip().lower() in ("none", "balanced"):
            return given.strip().lower()
        try:
            given = json.loads(given)
        except ValueError:
            raise SettingError(f"class-weight {given!r} is unknown; {how}.") from None
    if not isinstance(given, Mapping) or not given:
        raise SettingError(f"class-weight is {given!r}; {how}.")
    for name, weight in given.items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 <= weight < float("inf"):
            raise SettingError(f"class-weight of {name!r} is {weight!r}; a weight is a number from 0 on, such as 2.5.")
    if not any(given.values()):
        raise SettingError("class-weight: every weight is 0, so that nothing would count; give one above 0.")
    return {str(name): float(weight) for name, weight in given.items()}
