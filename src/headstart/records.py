"""What a run leaves behind: the content of ``result.json``, versioned, one dataclass a part.

`docs/result.md` is made from these classes; a change of meaning raises `SCHEMA`.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

#: Version of the layout. 1: the first. 2: the ladder, training curves, forgetting and diagnosis; what was handed over.
SCHEMA = 2


@dataclass(frozen=True)
class Chosen:
    """What is handed over: the best candidate, or the control that beat it on held-out rows."""

    base: str  # name of the base; "" for a control
    strategy: str  # name of the strategy, or of the control
    head: str  # how it came about: "ridge", "lda", "logistic" (solved) or "trained"; "" for a control
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
class PointRecord:
    """One look at a training run."""

    step: int  # optimiser steps done
    epoch: float  # passes over the training rows done
    train_loss: float  # mean since the look before
    valid_loss: float  # on the rows held out of this training
    valid_score: float  # of the result's metric on them
    rate: float  # the head's learning rate at this step


@dataclass(frozen=True)
class TrainingRecord:
    """How one trained candidate came about."""

    strategy: str
    thawed: int  # weights that were trained
    weights: int  # weights of the base and the head
    prefix: str  # the last stage computed once and cached; "" where every stage was trained
    augmentation: str  # in words
    steps: int  # optimiser steps of the longest fold
    epochs: float  # passes over the training rows kept, after early stopping
    examples_per_second: float
    rollbacks: int  # times that training diverged and went on from before with a lower rate
    halvings: int  # times that the batch was halved for want of memory
    stopped: str  # why it ended: "finished", "stopped early" or "budget"
    curve: list[PointRecord]  # of the first fold


@dataclass(frozen=True)
class RungRecord:
    """One rung of the ladder: what was planned, what it took, and what was decided."""

    strategy: str
    predicted_seconds: float  # before the work
    seconds: float  # that it took; 0 where it was not tried
    valid_score: float  # null where it was not tried
    gain: float  # over the best rung below, on the same held-out rows; null where there is none to compare
    low: float  # paired lower 90 % bound of the gain: the rung is taken where it is above 0
    high: float  # paired upper 90 % bound
    against: str  # the rung it is compared with
    decision: str  # "start", "taken", "not taken" or "not tried"
    reason: str  # in words


@dataclass(frozen=True)
class LadderRecord:
    """How the strategy was found."""

    plan: str  # in words: what was to be tried, in what order, and why
    budget_seconds: float  # null where none was given
    predicted_seconds: float  # of the whole plan
    per_class: int  # training rows of the median class; all training rows for regression
    distance: float  # from what the base was trained on, 0 (like it) to 1; null where it cannot be told
    distance_how: str  # how that was measured
    held_out: str  # how rungs were compared: "validation part" or "k folds"
    rungs: list[RungRecord]


@dataclass(frozen=True)
class ForgettingRecord:
    """How far the adapted base has moved from what the base knew."""

    error: float  # share of answers or neighbours that changed: 0 nothing forgotten
    how: str  # what was compared, on what
    n: int  # inputs compared
    limit: float  # of --max-forgetting; null where none was given
    kept: float  # share of the way from the base to the trained weights that was handed over, 1: all of it


@dataclass(frozen=True)
class DiagnosisRecord:
    """What the training curves say."""

    name: str  # "healthy", "over-fitting", "under-fitting", "plateau", "forgetting" or "instability"
    sentence: str
    suggestion: str


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
    ladder: LadderRecord
    training: list[TrainingRecord]  # one a trained candidate; empty where only heads were solved
    forgetting: ForgettingRecord | None  # of the model handed over; null where the base's weights did not move
    diagnosis: list[DiagnosisRecord]  # worst first; empty where nothing was trained
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
