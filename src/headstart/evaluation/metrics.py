"""The metrics by name, and `evaluate`, which takes all that a task has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.errors import SettingError, nearest
from headstart.evaluation import influence, kernels
from headstart.evaluation.influence import Bias, Influence
from headstart.evaluation.kernels import Kernel, Rows

_CLASSES, _LABELS, _NUMBERS = ("classification",), ("multilabel",), ("regression",)


@dataclass(frozen=True)
class Metric:
    """One number that says how good probabilities are.

    Attributes:
        name: the name in settings, tables and reports.
        tasks: the tasks it is for.
        kernel: (y, p, weights [n, draws]) -> [draws]; see `headstart.evaluation.kernels`.
        higher_is_better: False for errors and losses.
        description: one line for the report.
        unit_scale: True if the values span at most a few units, so that a gain of 0.05 means the same
            on every data set; False where the scale is the data's.
        rows: (y, p) -> [n] whose mean the metric is, else None.
        proportion: whether these are 0/1, so that the metric is a share of the rows.
        ranks: whether it is an area under a curve of ranked answers, from 0 to 1 as a share is.
        decides: whether it counts answers given, so that thresholds move it; not the order or size of probabilities.
        by_class: whether classes count alike however many rows they have.
        worst: the value when every answer is wrong, for metrics that count or rank answers (their best is 1);
            None for metrics of the size of errors, which have no worst case.
        influence: the kernel's derivative by the rows' weights, for metrics whose interval rests on it; see
            `headstart.evaluation.influence`.
        bias: (y, p, weights [n]) -> how far few rows pull the metric off, which the interval's centre is freed of.
    """

    name: str
    tasks: tuple[str, ...]
    kernel: Kernel
    higher_is_better: bool
    description: str
    unit_scale: bool = True
    rows: Rows | None = None
    worst: float | None = 0.0
    influence: Influence | None = None
    bias: Bias | None = None
    proportion: bool = False
    ranks: bool = False
    decides: bool = False
    by_class: bool = False

    def function(self, y: np.ndarray, p: np.ndarray) -> float:
        """The metric of probabilities ``p`` [n, outputs] for truth ``y``; nan where it is undefined.

        It is undefined on no rows, and where ``p`` holds values that are not finite.
        """
        y, p = np.asarray(y), np.asarray(p)
        if len(y) != len(p):
            raise ValueError(f"{self.name}: y has {len(y)} rows and p {len(p)}; they must have the same rows.")
        if len(y) == 0 or not np.isfinite(p).all():
            return float("nan")
        return float(self.kernel(y, p, np.ones((len(y), 1)))[0])


def _proportion(name: str, tasks: tuple[str, ...], rows: Rows, description: str) -> Metric:
    return Metric(name, tasks, kernels.mean_of(rows), True, description, rows=rows, proportion=True, decides=True)


def _counted(
    name: str,
    tasks: tuple[str, ...],
    kernel: Kernel,
    moves: Influence,
    description: str,
    worst: float = 0.0,
    bias: Bias | None = None,
    ranks: bool = False,
    by_class: bool = True,
) -> Metric:
    return Metric(
        name,
        tasks,
        kernel,
        True,
        description,
        worst=worst,
        influence=moves,
        bias=bias,
        ranks=ranks,
        decides=not ranks,
        by_class=by_class,
    )


def _loss(name: str, tasks: tuple[str, ...], rows: Rows, description: str, unit_scale: bool) -> Metric:
    kernel = kernels.mean_of(rows)
    return Metric(name, tasks, kernel, False, description, unit_scale=unit_scale, rows=rows, worst=None)


_ALL = (
    _proportion("accuracy", _CLASSES, kernels.hit_rows, "share of rows whose most probable class is right"),
    Metric("balanced_accuracy", _CLASSES, kernels.balanced_accuracy, True, "mean recall of the classes", decides=True),
    _counted(
        "f1_macro",
        _CLASSES + _LABELS,
        kernels.f1_macro,
        influence.f1_macro,
        "mean F1 of the classes or labels",
        bias=influence.f1_macro_bias,
    ),
    _loss("log_loss", _CLASSES, kernels.log_loss_rows, "mean −log p(true class), nats", False),
    _loss("brier", _CLASSES, kernels.brier_rows, "mean squared error of probabilities", True),
    _counted("mcc", _CLASSES, kernels.mcc, influence.mcc, "Matthews correlation; 0 is chance", worst=-1.0),
    _counted(
        "auroc",
        _CLASSES + _LABELS,
        kernels.auroc,
        influence.auroc,
        "area under the ROC curve, each class or label against the rest",
        ranks=True,
    ),
    _counted(
        "average_precision",
        _CLASSES + _LABELS,
        kernels.average_precision,
        influence.average_precision,
        "mean average precision of the classes or labels",
        bias=influence.average_precision_bias,
        ranks=True,
    ),
    _proportion("top3", _CLASSES, kernels.top_rows(3), "share of rows with the true class among the first three"),
    _proportion("top5", _CLASSES, kernels.top_rows(5), "share of rows with the true class among the first five"),
    _counted(
        "f1_micro",
        _LABELS,
        kernels.f1_micro,
        influence.f1_micro,
        "F1 over all pairs of row and label",
        by_class=False,
    ),
    _proportion("subset_accuracy", _LABELS, kernels.exact_rows, "share of rows with exactly the right labels"),
    Metric("r2", _NUMBERS, kernels.r2, True, "share of variance explained", worst=None),
    _loss("mae", _NUMBERS, kernels.absolute_rows, "mean absolute error, target's unit", False),
    Metric("rmse", _NUMBERS, kernels.rmse, False, "root mean squared error, target's unit", False, worst=None),
    Metric("spearman", _NUMBERS, kernels.spearman, True, "rank correlation", worst=None),
)

#: Outputs up to which a metric says nothing.
_OUTPUTS = {"top3": 3, "top5": 5}

#: Every metric by its name.
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def get(name: str) -> Metric:
    """The metric called ``name``; `SettingError` if there is none."""
    if name not in METRICS:
        raise SettingError(f"metric {name!r} is unknown; it may be {', '.join(METRICS)}.{nearest(name, METRICS)}")
    return METRICS[name]


def for_task(task: str, outputs: int) -> tuple[Metric, ...]:
    """The metrics of ``task`` with so many ``outputs``; `SettingError` if the task has none.

    ``top3`` is left out up to three classes and ``top5`` up to five, where they are always 1.
    """
    found = tuple(m for m in _ALL if task in m.tasks and outputs > _OUTPUTS.get(m.name, 0))
    if not found:
        raise SettingError(f"task {task!r} is unknown; it may be classification, multilabel or regression.")
    return found


def evaluate(task: str, y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Every metric of ``task`` by name for truth ``y`` and ``p`` [n, outputs]; nan where undefined."""
    return {metric.name: metric.function(y, p) for metric in for_task(task, np.shape(p)[1])}
