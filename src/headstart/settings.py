"""The settings of a run: small frozen dataclasses, each field one line with its unit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceSettings:
    """How to read a source; every None means "infer it and say why"."""

    input: str | None = None  # name of the input column
    target: tuple[str, ...] | None = None  # name(s) of the target column(s); several 0/1 columns make a multilabel task
    group: str | None = None  # column whose rows are kept on one side of every split
    slices: tuple[str, ...] = ()  # columns to report the score by
    split: str | None = None  # column that holds a given split
    task: str | None = None  # "classification", "multilabel" or "regression"
    modality: str | None = None  # "image" or "text"


@dataclass(frozen=True)
class SplitSettings:
    """How rows without a given split are assigned."""

    valid: float = 0.2  # share of the non-test rows, 0 < valid < 1
    test: float = 0.2  # share of all rows, 0 < test < 1
    seed: int = 0  # draws the split


@dataclass(frozen=True)
class FitSettings:
    """Everything a run is told, apart from where the data are and where results go."""

    source: SourceSettings = field(default_factory=SourceSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    base: str | None = None  # name of the base; None: the modality's default
    strategy: str = "auto"  # "auto" or "probe"
    metric: str | None = None  # to choose and judge by; None: the task's default
    max_rejected: float = 0.05  # share of unreadable rows above which the run fails
    seed: int = 0  # of splits, folds and intervals

    def to_dict(self) -> dict[str, Any]:
        """Plain values for result.json."""
        return asdict(self)
