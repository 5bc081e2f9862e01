"""What probabilities are worth on labelled rows: metrics, classes, slices and calibration, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.data.table import Table
from headstart.delivery.caution import Caution
from headstart.evaluation.abstain import answered, answered_error
from headstart.evaluation.bootstrap import Interval, evaluate_with_intervals
from headstart.evaluation.calibration import calibration_interval, logits, reliability
from headstart.evaluation.conformal import Conformal, coverage, mean_size
from headstart.evaluation.metrics import undefined
from headstart.evaluation.per_class import per_class, two_classes
from headstart.evaluation.slices import by_slice, properties, slice_metric
from headstart.evaluation.thresholds import Thresholds, decided
from headstart.flow.thresholds import Positive
from headstart.modalities import get
from headstart.ragged import row_vectors
from headstart.records import (
    AbstainRecord,
    BinRecord,
    CalibrationRecord,
    ClassRecord,
    ConformalRecord,
    IntervalRecord,
    MetricRecord,
    SliceRecord,
    ThresholdRecord,
    TwoClassRecord,
)
from headstart.tasks.task import Task

_DIGITS = 4  # of a point of a curve


@dataclass(frozen=True)
class Measured:
    """What was found on the rows."""

    metrics: dict[str, MetricRecord]
    undefined: dict[str, str]
    classes: list[ClassRecord]
    calibration: CalibrationRecord | None
    two_classes: TwoClassRecord | None = None
    intervals: IntervalRecord | None = None


def measure(
    task: Task,
    y: np.ndarray,
    p: np.ndarray,
    caution: Caution,
    temperature: float,
    seed: int,
    units: np.ndarray | None = None,
    positive: Positive | None = None,
) -> Measured:
    """Metrics, classes and calibration of ``p`` [n, outputs] for truth ``y``.

    Args:
        temperature: that the model's scores were divided by, to say what it changed.
        units: [n] codes of rows that are not independent.
        positive: of two classes, the one that is looked for.

    Raises:
        SettingError: answers that cannot be judged.
    """
    limits = caution.thresholds
    names = [metric.name for metric in task.metrics()]
    found = evaluate_with_intervals(task.judged_as(), y, p, names=names, units=units, thresholds=limits, seed=seed)
    return Measured(
        {name: MetricRecord(one.value, one.low, one.high) for name, one in found.items()},
        undefined(task.judged_as(), y, decided(p, limits), names),
        _classes(task, y, decided(p, limits), units),
        _calibration(task, y, p, caution, temperature, seed, units) if task.graded else None,
        _two_classes(positive, y, p, caution, seed, units) if positive else None,
        _intervals(y, p, caution.conformal, units) if task.values else None,
    )


def thresholds_record(task: Task, found: Thresholds | None) -> ThresholdRecord | None:
    """``found`` by label."""
    if found is None:
        return None
    values = dict(zip(task.labels, found.values, strict=True))
    return ThresholdRecord(found.rule, found.n, values, found.before, found.after)


def _two_classes(
    positive: Positive, y: np.ndarray, p: np.ndarray, caution: Caution, seed: int, units: np.ndarray | None
) -> TwoClassRecord:
    own, limits = positive.output, caution.thresholds
    given = decided(p, limits).argmax(axis=1) == own
    found = two_classes(y == own, p[:, own], given, units=units, seed=seed)
    value, rule = (0.5, "the more probable class") if limits is None else (limits.values[own], limits.rule)
    return TwoClassRecord(
        positive.label,
        positive.reason,
        value,
        rule,
        found.n,
        MetricRecord(*_three(found.precision)),
        MetricRecord(*_three(found.recall)),
        MetricRecord(*_three(found.specificity)),
        MetricRecord(*_three(found.f1)),
        MetricRecord(*_three(found.auroc)),
        MetricRecord(*_three(found.average_precision)),
        found.roc.round(_DIGITS).tolist(),
        found.precision_recall.round(_DIGITS).tolist(),
    )


def _intervals(
    y: np.ndarray, p: np.ndarray, found: Conformal | None, units: np.ndarray | None
) -> IntervalRecord | None:
    if found is None or not found.promises:
        return None
    return IntervalRecord(found.level, found.threshold, *_three(coverage(found, p, y, units=units)), found.n)


def _classes(task: Task, y: np.ndarray, p: np.ndarray, units: np.ndarray | None) -> list[ClassRecord]:
    if task.graded:
        named = [(task.labels[one.output], one) for one in per_class(y, p, units=units)]
    else:
        named = task.scores_by_label(y, p, units)
    return [
        ClassRecord(name, one.n, *_three(one.precision), *_three(one.recall), *(_three(one.f1) if one.f1 else ()))
        for name, one in named
    ]


def _calibration(
    task: Task,
    y: np.ndarray,
    p: np.ndarray,
    caution: Caution,
    temperature: float,
    seed: int,
    units: np.ndarray | None,
) -> CalibrationRecord:
    error = calibration_interval(y, p, units=units, seed=seed)
    before = task.probabilities(logits(p, multilabel=task.several) * temperature)
    bins = [BinRecord(one.confidence, one.right, one.low, one.high, one.n) for one in reliability(y, p, units=units)]
    return CalibrationRecord(
        error.value,
        error.low,
        error.high,
        temperature,
        calibration_interval(y, before, units=units, seed=seed).value,
        bins,
        _sets(y, p, caution.conformal, units),
        _answered(y, p, caution, units),
    )


def _sets(y: np.ndarray, p: np.ndarray, found: Conformal | None, units: np.ndarray | None) -> ConformalRecord | None:
    if found is None or not found.promises:
        return None
    covered = coverage(found, p, y, units=units)
    return ConformalRecord(found.level, *_three(covered), mean_size(found, p, multilabel=y.ndim == 2), found.n)


def _answered(y: np.ndarray, p: np.ndarray, caution: Caution, units: np.ndarray | None) -> AbstainRecord | None:
    found = caution.abstain
    if found is None:
        return None
    share = float(answered(found, p, multilabel=y.ndim == 2).mean())
    error = answered_error(found, p, y, units=units, given=caution.decided(p))
    return AbstainRecord(found.risk, found.threshold, share, *_three(error))


def slices_of(
    metric: str,
    task: Task,
    rows: Table,
    vectors: np.ndarray | None,
    y: np.ndarray,
    p: np.ndarray,
    seed: int,
    units: np.ndarray | None = None,
    thresholds: Thresholds | None = None,
) -> tuple[list[SliceRecord], dict[str, np.ndarray]]:
    """The score by named columns and by properties of the inputs, worst first, corrected for all looks; the columns.

    The score is that of `slice_metric`.

    Args:
        vectors: [n, d] features, to look at clusters of them too.
    """
    names = [task.labels[one] for one in y] if task.exclusive else None
    modality = get(rows.modality)
    vectors = None if vectors is None else row_vectors(vectors)
    found = properties(modality.properties(list(rows.inputs)), modality.units, vectors, names, seed=seed)
    columns, named = {**found, **rows.slices}, slice_metric(metric, task.judged_as())
    scores = by_slice(named, y, decided(p, thresholds, named), columns, units=units, seed=seed)
    return [
        SliceRecord(s.column, s.value, s.n, *_three(s.interval), s.column not in rows.slices, named) for s in scores
    ], columns


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high
