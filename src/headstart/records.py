"""What a run leaves behind: the content of ``result.json``, versioned, one dataclass a part.

`docs/result.md` is made from these classes; a change of meaning raises `SCHEMA`.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

#: Version of the layout. 1: the first.
SCHEMA = 1


@dataclass(frozen=True)
class Chosen:
    """The candidate handed over."""

    base: str  # name of the base
    strategy: str  # name of the strategy
    head: str  # solver of the head: "ridge", "lda" or "logistic"
    settings: dict[str, Any]  # what the solver was set to


@dataclass(frozen=True)
class SliceRecord:
    """The test score on the rows of one value of one column."""

    column: str
    value: str
    n: int  # test rows
    score: float
    low: float  # 95 % interval; null under 5 rows
    high: float


@dataclass(frozen=True)
class TestRecord:
    """The score on the sealed test part."""

    score: float  # of the result's metric
    low: float  # 95 % interval
    high: float
    n: int  # test rows
    metrics: dict[str, float]  # every metric of the task; null where undefined on these rows
    opened: int  # how often the test part was opened
    slices: list[SliceRecord]  # worst first


@dataclass(frozen=True)
class ControlRecord:
    """A model that borrows nothing, on the same test rows."""

    name: str
    score: float
    low: float  # 95 % interval
    high: float
    seconds: float  # fitting and predicting


@dataclass(frozen=True)
class CandidateRecord:
    """One (base, strategy) as compared on validation."""

    base: str
    strategy: str
    valid_score: float  # of the result's metric
    seconds: float  # features, when they were computed now, and the head
    tried: list[dict[str, Any]]  # heads tried: head, settings, score (held out of the training rows), seconds


@dataclass(frozen=True)
class GainRecord:
    """How much better the chosen candidate is than the best control on the same test rows; above 0 is better."""

    value: float
    low: float  # paired 95 % interval
    high: float
    against: str  # name of the control


@dataclass(frozen=True)
class VerdictRecord:
    """What the evidence supports."""

    outcome: str  # "helped", "did not help", "hurt" or "cannot tell"
    sentence: str
    next_step: str


@dataclass(frozen=True)
class DataRecord:
    """What the data were understood to be."""

    source: str  # as given
    modality: str
    rows: int  # usable
    rejected: int  # set aside; rejected.csv lists them
    parts: dict[str, int]  # rows in train, valid and test
    labels: list[str]  # in the order of the outputs; empty for regression
    facts: list[dict[str, str]]  # what, value, reason


@dataclass(frozen=True)
class FeatureRecord:
    """How the features came about."""

    runtime: str  # the way the base was run, and why
    computed: int  # examples that went through the base in this run
    cached: int  # examples that did not need to


@dataclass(frozen=True)
class Result:
    """One run."""

    name: str  # of the run's folder
    task: str  # "classification", "multilabel" or "regression"
    metric: str  # what was chosen and judged by
    metric_reason: str  # why this metric
    verdict: VerdictRecord
    chosen: Chosen
    test: TestRecord
    transfer_gain: GainRecord
    controls: list[ControlRecord]
    candidates: list[CandidateRecord]
    data: DataRecord
    base: dict[str, str]  # name, source, revision, weights (sha256), licence, trained_on
    features: FeatureRecord
    seconds: float  # from opening the source to writing the report, libraries that are imported on the way included
    timing: dict[str, float]  # seconds of each step
    seed: int
    settings: dict[str, Any]  # as given
    versions: dict[str, str]  # headstart, Python, platform and the libraries that numbers depend on
    created: str  # UTC, ISO 8601
    schema: int = field(default=SCHEMA)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; numbers that are not finite become None, as JSON has no others."""
        cleaned: dict[str, Any] = _finite(asdict(self))
        return cleaned

    def to_json(self) -> str:
        """Indented JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
