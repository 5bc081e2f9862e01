"""What probabilities are worth on labelled rows: metrics, classes, slices and calibration, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.data.table import Table
from headstart.delivery.caution import Caution
from headstart.evaluation.abstain import Abstain, answered, answered_error
from headstart.evaluation.bootstrap import Interval
from headstart.evaluation.calibration import calibration_interval, logits, reliability
from headstart.evaluation.conformal import Conformal, coverage, mean_size
from headstart.evaluation.found_slices import properties
from headstart.evaluation.metric_set import evaluate_with_intervals, undefined
from headstart.evaluation.per_class import per_class
from headstart.evaluation.slices import by_slice
from headstart.heads.linear import probabilities
from headstart.records import (
    AbstainRecord,
    BinRecord,
    CalibrationRecord,
    ClassRecord,
    ConformalRecord,
    MetricRecord,
    SliceRecord,
)
from headstart.tasks.task import Task


@dataclass(frozen=True)
class Measured:
    """What was found on the rows."""

    metrics: dict[str, MetricRecord]
    undefined: dict[str, str]
    classes: list[ClassRecord]
    calibration: CalibrationRecord | None


def measure(
    task: Task,
    y: np.ndarray,
    p: np.ndarray,
    caution: Caution,
    temperature: float,
    seed: int,
    units: np.ndarray | None = None,
) -> Measured:
    """Metrics, classes and calibration of ``p`` [n, outputs] for truth ``y``.

    Args:
        temperature: that the model's scores were divided by, to say what it changed.
        units: [n] codes of rows that are not independent.

    Raises:
        SettingError: answers that cannot be judged.
    """
    found = evaluate_with_intervals(task.name, y, p, units=units, seed=seed)
    graded = task.name != "regression"
    return Measured(
        {name: MetricRecord(one.value, one.low, one.high) for name, one in found.items()},
        undefined(task.name, y, p),
        _classes(task, y, p, units) if graded else [],
        _calibration(task, y, p, caution, temperature, seed, units) if graded else None,
    )


def _classes(task: Task, y: np.ndarray, p: np.ndarray, units: np.ndarray | None) -> list[ClassRecord]:
    return [
        ClassRecord(task.labels[one.output], one.n, *_three(one.precision), *_three(one.recall))
        for one in per_class(y, p, units=units)
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
    before = probabilities(logits(p, multilabel=y.ndim == 2) * temperature, task.name)
    bins = [BinRecord(one.confidence, one.right, one.low, one.high, one.n) for one in reliability(y, p, units=units)]
    return CalibrationRecord(
        error.value,
        error.low,
        error.high,
        temperature,
        calibration_interval(y, before, units=units, seed=seed).value,
        bins,
        _sets(y, p, caution.conformal, units),
        _answered(y, p, caution.abstain, units),
    )


def _sets(y: np.ndarray, p: np.ndarray, found: Conformal | None, units: np.ndarray | None) -> ConformalRecord | None:
    if found is None or not found.promises:
        return None
    covered = coverage(found, p, y, units=units)
    return ConformalRecord(found.level, *_three(covered), mean_size(found, p, multilabel=y.ndim == 2), found.n)


def _answered(y: np.ndarray, p: np.ndarray, found: Abstain | None, units: np.ndarray | None) -> AbstainRecord | None:
    if found is None:
        return None
    share = float(answered(found, p, multilabel=y.ndim == 2).mean())
    return AbstainRecord(found.risk, found.threshold, share, *_three(answered_error(found, p, y, units=units)))


def slices_of(
    metric: str,
    task: Task,
    rows: Table,
    vectors: np.ndarray | None,
    y: np.ndarray,
    p: np.ndarray,
    seed: int,
    units: np.ndarray | None = None,
) -> list[SliceRecord]:
    """The score by named columns and by properties of the inputs, worst first, corrected for all looks.

    Args:
        vectors: [n, d] features, to look at clusters of them too.
    """
    names = [task.labels[one] for one in y] if task.name == "classification" else None
    found = properties(list(rows.inputs), rows.modality, vectors, names, seed=seed)
    scores = by_slice(metric, y, p, {**found, **rows.slices}, units=units, seed=seed)
    return [SliceRecord(s.column, s.value, s.n, *_three(s.interval), s.column not in rows.slices) for s in scores]


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high
