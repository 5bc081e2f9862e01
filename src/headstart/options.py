"""The options of a fit under their flat names, as the command line and `headstart.fit` take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import TypedDict

from headstart.errors import SettingError, nearest
from headstart.settings import FitSettings, SourceSettings, SplitSettings


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

    base: str | None  # an embedded base, a timm name, a Hub id or a local folder; None: the modality's default
    strategy: str  # "auto" or "probe"
    metric: str | None  # to choose and judge by; None: the task's default
    valid_size: float  # share of the rows for validation, where none is given
    test_size: float  # share of the rows for the test, where none is given
    max_rejected: float  # share of unreadable rows above which the run fails
    seed: int  # of splits, folds and intervals


_SOURCE = ("input", "group", "split", "task", "modality")
_FIT = ("base", "strategy", "metric", "max_rejected", "seed")


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
    seed = {"seed": options["seed"]} if "seed" in options else {}
    given = {name: options[name] for name in _FIT if name in options}  # type: ignore[literal-required]
    return FitSettings(source=_source(options), split=SplitSettings(**shares, **seed), **given)


def _check_names(options: Iterable[str], known: Set[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        raise SettingError(
            f"{unknown[0]!r} is no option; options are {', '.join(sorted(known))}.{nearest(unknown[0], known)}"
        )
