"""What a run leaves behind: the content of ``result.json``, versioned, one dataclass an object.

`docs/result.md` is made from these classes; a change of meaning raises `SCHEMA`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

from headstart.plain import called, finite, restored, written

#: Version of the layout. 2: the search, curves, diagnosis. 3: intervals, audit, calibration, unknown inputs, shift.
#: 4: other names, which `called` gives; the attributes keep theirs, and so do files of layout 3, which are read.
SCHEMA = 4
#: What JSON says for the decisions and outcomes that the code has.
DECISIONS = {"taken": "accepted", "not taken": "not accepted"}
OUTCOMES = {"helped": "improved", "did not help": "no improvement", "hurt": "reduced", "cannot tell": "inconclusive"}


@dataclass(frozen=True)
class Chosen:
    """The selected model: the best candidate, or the baseline that beat it on held-out rows."""

    base: str  # name of the base; "" for a baseline
    strategy: str  # name of the strategy, or of the baseline
    head: str  # how it came about: "ridge", "lda", "logistic" (in closed form) or "trained"; "" for a baseline
    settings: dict[str, Any]  # what the solver was set to


@dataclass(frozen=True)
class SliceRecord:
    """The test score on the rows of one value of one column, or of one range of a property."""

    column: str
    value: str
    n: int  # test rows
    score: float  # of its metric
    low: float  # 95 % interval, corrected for the number of slices; null under 5 rows
    high: float
    found: bool  # a property of the inputs that was looked at unasked; false: a column that was named
    metric: str = ""  # that the score is of: one that means the same in every slice


@dataclass(frozen=True)
class MetricRecord:
    """One metric on the test set."""

    value: float  # null where undefined
    low: float  # 95 % interval
    high: float


@dataclass(frozen=True)
class ClassRecord:
    """One class or label on the test set."""

    label: str
    n: int  # test rows that have it
    precision: float  # of the rows given this label, the share that have it; null where none was
    precision_low: float  # 95 % interval
    precision_high: float
    recall: float  # of the rows that have it, the share that were given it; null where none has
    recall_low: float
    recall_high: float
    f1: float = float("nan")  # of the two; null where it is not told
    f1_low: float = float("nan")
    f1_high: float = float("nan")


@dataclass(frozen=True)
class TestRecord:
    """The score on the test set."""

    score: float  # of the result's metric
    low: float  # 95 % interval
    high: float
    n: int  # test rows
    metrics: dict[str, MetricRecord]  # every metric of the task
    undefined: dict[str, str]  # metrics that these rows cannot give, each with the reason
    opened: int = field(metadata=called("evaluated"))  # how often this run evaluated the test set
    opened_before: int = field(metadata=called("evaluated_before"))  # how often other trials on this machine did
    units: int = 0  # independent ones among these rows: near duplicates, or rows of one group, count once; 0: unknown


@dataclass(frozen=True)
class ControlRecord:
    """A baseline, without transfer learning, on the same test rows."""

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
    rate: float = field(metadata=called("learning_rate"))  # the head's learning rate at this step


@dataclass(frozen=True)
class TrainingRecord:
    """How one trained candidate came about."""

    strategy: str
    thawed: int = field(metadata=called("unfrozen"))  # weights that were trained
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
    """One step of the strategy search: what was planned, what it took, and what was decided."""

    strategy: str
    predicted_seconds: float  # before the work
    seconds: float  # that it took; 0 where it was not tried
    valid_score: float  # null where it was not tried
    gain: float  # over the best step before, on the same held-out rows; null where there is none to compare
    low: float  # paired lower bound of the gain: the step is accepted where it is above 0; 90 % for all steps together
    high: float  # paired upper bound: a step that was expected to be better is accepted where it is above 0
    against: str  # the step it is compared with
    decision: str = field(metadata=called(words=DECISIONS))  # "start", "accepted", "not accepted" or "not tried"
    reason: str  # in words


@dataclass(frozen=True)
class LadderRecord:
    """How the strategy was found."""

    plan: str  # in words: what was to be tried, in what order, and why
    budget_seconds: float  # null where none was given
    predicted_seconds: float  # of the whole plan
    per_class: int  # training rows of the median class; all training rows for regression
    distance: float  # from what the base was trained on, 0 (like it) to 1; null where it cannot be measured
    distance_how: str  # how that was measured
    held_out: str  # how steps were compared: "the validation set" or "k folds"
    rungs: list[RungRecord] = field(metadata=called("steps"))
    cut: list[str] = field(default_factory=list)  # what was left out or cut short to keep the budget, in words
    unused: str = ""  # that a part of the budget was not used, and why, in words; "" where nearly all of it was


@dataclass(frozen=True)
class ForgettingRecord:
    """How far the adapted base has moved from the base."""

    error: float  # share of answers or neighbours that changed: 0 nothing forgotten
    how: str  # what was compared, on what
    n: int  # inputs compared
    limit: float  # of --max-forgetting; null where none was given
    kept: float  # share of the way from the base to the trained weights that the selected model has, 1: all of it


@dataclass(frozen=True)
class DiagnosisRecord:
    """One thing that the evidence says about the run, and what to do."""

    name: str  # such as "healthy", "over-fitting", "leak" or "too few data"
    sentence: str
    suggestion: str


@dataclass(frozen=True)
class FindingRecord:
    """One thing that the audit found in the data."""

    id: str
    kind: str
    severity: str  # "error": makes a score wrong; "warning"; "note"
    sentence: str
    suggestion: str
    rows: list[str]  # ids, worst first
    evidence: dict[str, Any]


@dataclass(frozen=True)
class NaiveRecord:
    """The score that a split which separates near duplicates and groups would have shown."""

    naive: float  # score of the probe on held-out rows of a random split
    honest: float = field(metadata=called("grouped"))  # of the same where the split keeps them together
    gain: float  # `naive` less `grouped`
    low: float  # 95 % interval
    high: float
    why: str  # what is kept together


@dataclass(frozen=True)
class AuditRecord:
    """What was found in the data on the way; `headstart audit` looks for more."""

    findings: list[FindingRecord]  # worst first
    found: int  # findings in all, of which the worst are listed
    naive: NaiveRecord | None  # null where nothing had to be kept together, or where it makes no difference
    clusters: int  # sets of near duplicates of more than one row
    clustered_rows: int  # rows in them


@dataclass(frozen=True)
class BinRecord:
    """One point of the reliability diagram."""

    confidence: float  # mean of the rows in it
    right: float  # share of them answered right
    low: float  # 95 % interval of that share
    high: float
    n: int


@dataclass(frozen=True)
class ConformalRecord:
    """Conformal sets: sets of labels with a target coverage."""

    level: float  # target coverage
    coverage: float  # share of test rows whose set holds the true label
    low: float  # 95 % interval
    high: float
    mean_size: float  # labels a set
    n: int  # held-out rows that the sets were calibrated on


@dataclass(frozen=True)
class AbstainRecord:
    """Answering only where the error stays under a requested risk."""

    risk: float  # error asked for, among what is answered
    threshold: float  # confidence under which the answer is "I don't know"; above 1: always
    answered: float  # share of test rows answered
    error: float  # share of the answered that are wrong
    low: float  # 95 % interval
    high: float


@dataclass(frozen=True)
class CalibrationRecord:
    """Calibration of the probabilities on the test set."""

    ece: float  # mean gap between confidence and share right, bins of equally many rows
    low: float  # 95 % interval
    high: float
    temperature: float  # that held-out logits asked for, and that the model divides by
    before: float  # the gap without it
    bins: list[BinRecord]
    conformal: ConformalRecord | None  # null where held-out rows are too few for sets
    abstain: AbstainRecord | None  # null where no --risk was asked for


@dataclass(frozen=True)
class OodRecord:
    """OOD detection: how well unknown inputs are separated from known ones."""

    auroc: float  # null where there was nothing to judge it on
    low: float  # 95 % interval
    high: float
    method: str
    judged_on: str
    softmax_auroc: float  # of the plain way, 1 − greatest probability
    gain_low: float  # lower 95 % bound of the gain over it, paired
    threshold: float  # score above which an input is called unknown
    false_alarms: float  # share of test rows above it
    n: int  # unknown inputs judged on
    beside: str = ""  # in words, where plain confidence was ahead on these inputs: whether it is used instead


@dataclass(frozen=True)
class ThresholdRecord:
    """From which probability on labels are given, where that is not 0.5 (of classes: the most probable one)."""

    rule: str  # in words
    n: int  # held-out rows that chose; 0: none did
    values: dict[str, float]  # by label
    before: float  # F1 on held-out rows at 0.5; null where none chose
    after: float  # the same, each row judged by thresholds that other rows chose


@dataclass(frozen=True)
class TwoClassRecord:
    """Of two classes, how well the positive one is separated from the other on the test rows."""

    positive: str  # the class that is looked for
    reason: str  # why this one
    threshold: float  # from which probability on it is given
    rule: str  # how the threshold came about, in words
    n: int  # test rows of it
    precision: MetricRecord
    recall: MetricRecord
    specificity: MetricRecord  # share of the other class's rows that are not given it
    f1: MetricRecord
    auroc: MetricRecord
    average_precision: MetricRecord
    roc: list[list[float]]  # false positive rate, recall, threshold; at most 100 points
    precision_recall: list[list[float]]  # recall, precision, threshold; at most 100 points


@dataclass(frozen=True)
class IntervalRecord:
    """Prediction intervals around the values of a regression (conformal), on the test rows."""

    level: float  # target
    half_width: float  # of every interval, in the target's unit
    coverage: float  # share of test rows whose true value lies within
    low: float  # 95 % interval
    high: float
    n: int  # held-out rows that the width comes from


@dataclass(frozen=True)
class DamageRecord:
    """The score on corrupted test rows."""

    kind: str
    strength: int  # 1 to 5
    score: float
    low: float  # 95 % interval
    high: float
    ece: float  # calibration error
    estimated: float  # score as estimated without labels
    n: int


@dataclass(frozen=True)
class ShiftRecord:
    """Corruption robustness: the score on inputs corrupted as they may be after deployment."""

    damage: list[DamageRecord] = field(metadata=called("corruptions"))
    clean: float  # score on the same rows as they are
    valid: float  # score on held-out rows: the plain guess


@dataclass(frozen=True)
class GainRecord:
    """How much better the chosen candidate is than the best baseline on the same test rows; above 0 is better."""

    value: float
    low: float  # paired 95 % interval
    high: float
    against: str  # name of the baseline


@dataclass(frozen=True)
class VerdictRecord:
    """What the evidence supports."""

    outcome: str = field(metadata=called(words=OUTCOMES))  # "improved", "no improvement", "reduced" or "inconclusive"
    sentence: str
    next_step: str


@dataclass(frozen=True)
class DataRecord:
    """What the data were understood to be."""

    source: str  # as given
    modality: str
    rows: int  # usable
    rejected: int  # set aside; rejected.csv lists them
    parts: dict[str, int] = field(metadata=called("splits"))  # rows in train, valid and test
    labels: list[str]  # in the order of the outputs; empty for regression
    facts: list[dict[str, str]]  # what, value, reason
    inputs: str = ""  # what its inputs are called, as in "texts"
    example: str = ""  # of an input, as usage lines show it


@dataclass(frozen=True)
class ReadingRecord:
    """How much of the inputs the base reads; baselines read all of every one."""

    texts: int  # usable inputs
    max_tokens: int  # that the base is given at once: of a text tokens, special ones included; of a recording seconds
    windows: int  # that a longer input is read in at most; 1: what does not fit is cut off
    long: int  # inputs of more than max_tokens
    longest: int  # tokens or seconds of the longest; 0 where all are clearly short
    cut: int  # inputs of which something is not read
    unread: float  # share of the tokens or seconds of those inputs that is not read
    sentence: str  # the same in words


@dataclass(frozen=True)
class FeatureRecord:
    """How the features came about."""

    runtime: str  # the way the base was run, and why
    computed: int  # examples that went through the base in this run
    cached: int  # examples that did not need to


@dataclass(frozen=True)
class RefitRecord:
    """That every row was trained on, so that the model has no test score of its own."""

    run: str  # the run whose scores are shown; "" where there is none: then `test` holds no score
    sentence: str  # the same in words
    rows: int  # that this model was trained on, validation rows included
    run_rows: int  # that the run's model was trained on; 0 without a run
    learned: int = field(metadata=called("test_rows_trained_on"))  # test rows of the run that this model was trained on
    valid_score: float  # of the result's metric on held-out rows, which the model was selected by


@dataclass(frozen=True)
class Result:
    """One run."""

    name: str  # of the run's folder
    task: str  # "classification", "multilabel" or "regression"
    metric: str  # what was chosen and judged by
    metric_reason: str  # why this metric
    verdict: VerdictRecord
    chosen: Chosen = field(metadata=called("selected"))
    test: TestRecord
    transfer_gain: GainRecord
    controls: list[ControlRecord] = field(metadata=called("baselines"))
    candidates: list[CandidateRecord]
    ladder: LadderRecord = field(metadata=called("search"))
    training: list[TrainingRecord]  # one a trained candidate; empty where only heads were solved
    forgetting: ForgettingRecord | None  # of the selected model; null where the base's weights did not move
    diagnosis: list[DiagnosisRecord]  # worst first
    audit: AuditRecord
    classes: list[ClassRecord]  # of the selected model, in the order of the outputs; empty for regression
    slices: list[SliceRecord]  # of the selected model, worst first
    calibration: CalibrationRecord | None  # of the selected model; null for regression
    ood: OodRecord | None  # null where the model cannot tell unknown inputs
    shift: ShiftRecord | None = field(metadata=called("robustness"))  # null where --corruptions was not asked for
    data: DataRecord
    base: dict[str, Any]  # its `Identity`, weights as sha256; and `chain`: the steps to it in words
    features: FeatureRecord
    seconds: float  # from the start of the command (in Python: the call) to writing the report, imports included
    timing: dict[str, float]  # seconds of each step
    seed: int
    settings: dict[str, Any]  # as given
    versions: dict[str, str]  # headstart, Python, platform and the libraries that numbers depend on
    created: str  # UTC, ISO 8601
    reading: ReadingRecord | None = None  # of texts; null for pictures
    refit: RefitRecord | None = None  # null where a test set was evaluated in this run
    thresholds: ThresholdRecord | None = None  # of the selected model; null: 0.5, of classes the most probable
    two_classes: TwoClassRecord | None = None  # of the selected model; null where there are not two classes
    intervals: IntervalRecord | None = (
        None  # of a regression, by the selected model; null where held-out rows are too few for intervals
    )
    schema: int = field(default=SCHEMA)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`, for files of layout 3 too; numbers that were not finite come back as nan.

        Raises:
            KeyError, TypeError, ValueError: ``values`` is no result, or one that lacks a field.
        """
        return restored(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; numbers that are not finite become None, as JSON has no others."""
        return dict(finite(written(self))) | {"schema": SCHEMA}  # as it is written now, whatever it was read from

    def to_json(self) -> str:
        """Indented JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
