"""The metrics by name, and `evaluate`, which takes all that a task has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headstart.errors import SettingError, nearest
from headstart.evaluation import class_metrics as by_class
from headstart.evaluation.answers import Dense
from headstart.evaluation.metric import Metric, Summed, mean_of, ratio
from headstart.evaluation.rank_metrics import Auroc, AveragePrecision, Spearman
from headstart.ragged import flat

_CLASSES, _LABELS, _NUMBERS = ("classification",), ("multilabel",), ("regression",)

#: The least probability that the log loss takes at its word: float32's epsilon, which both float types can tell from 0.
LEAST = float(np.finfo(np.float32).eps)


# --- values a row, whose mean is the metric ---


def hit_rows(truth: Dense, said: Dense) -> np.ndarray:
    """1.0 where the most probable class is the true one."""
    return np.asarray(np.argmax(said.values, axis=1) == truth.values, dtype=float)


def top_rows(count: int) -> Callable[[Dense, Dense], np.ndarray]:
    """1.0 where the true class is among the ``count`` most probable ones, of equals the first class first."""

    def rows(truth: Dense, said: Dense) -> np.ndarray:
        y, p = truth.values, said.values
        true = p[np.arange(len(y)), y][:, None]
        earlier = np.arange(p.shape[1])[None, :] < y[:, None]
        return np.asarray(((p > true) | ((p == true) & earlier)).sum(axis=1) < count, dtype=float)

    return rows


def exact_rows(truth: Dense, said: Dense) -> np.ndarray:
    """1.0 where the set of labels is exactly right."""
    return ((said.values >= 0.5) == (truth.values > 0.5)).all(axis=1).astype(float)


def log_loss_rows(truth: Dense, said: Dense) -> np.ndarray:
    """Minus the log of the true class's probability, which counts as `LEAST` at least, whatever the float type."""
    return -np.log(np.maximum(said.values[np.arange(len(truth)), truth.values].astype(float), LEAST))


def brier_rows(truth: Dense, said: Dense) -> np.ndarray:
    """Squared distance to the one-hot truth (Brier 1950), halved for two classes as scikit-learn does."""
    k = said.values.shape[1]
    distance = np.square(said.values.astype(float) - np.eye(k)[truth.values]).sum(axis=1)
    return np.asarray(distance / 2 if k == 2 else distance)


def absolute_rows(truth: Dense, said: Dense) -> np.ndarray:
    """Absolute errors."""
    return np.abs(_flat(truth) - _flat(said))


def squared_rows(truth: Dense, said: Dense) -> np.ndarray:
    """[n, 4] the squared error, the target's square and the target, both from the mean of all, and 1."""
    y, p = _flat(truth), _flat(said)
    centred = y - y.mean() if np.ptp(y) > 0 else np.zeros(len(y))  # a difference of squares far from 0 is not exact
    return np.column_stack([np.square(y - p), np.square(centred), centred, np.ones(len(y))])


def r2(s: np.ndarray) -> np.ndarray:
    """1 − squared error / squared distance to the mean; nan if the targets do not vary."""
    error, square, shift, _ = s / s[3]
    return 1 - ratio(error, square - np.square(shift))


def rmse(s: np.ndarray) -> np.ndarray:
    """Root of the mean squared error."""
    return np.sqrt(s[0] / s[3])


def _flat(values: Dense) -> np.ndarray:
    return np.asarray(values.values, dtype=float).reshape(-1)


# --- why there is no value ---

_NO_LABEL = "no row has a label and none is predicted"


def _one_class(y: np.ndarray, p: np.ndarray) -> str:
    if len(np.unique(y)) == 1:
        return "all rows are of one class; it needs rows of at least two"
    return "all rows are given the same class"


def _one_side(y: np.ndarray, p: np.ndarray) -> str:
    if y.ndim == 1:
        return _one_class(y, p)
    return "every label holds for all rows or for none" if (y > 0.5).any() else "no row has a label"


def _no_spread(y: np.ndarray, p: np.ndarray) -> str:
    if len(y) < 2:
        return "there is one row; it needs at least two"
    return "all targets are the same" if np.all(y == y[0]) else "all predictions are the same"


# --- the table ---

#: Every metric by its name.
METRICS: dict[str, Metric] = {}


def register(*metrics: Metric) -> None:
    """Add ``metrics`` to those that are found by name; `SettingError` where a name is taken."""
    for metric in metrics:
        if metric.name in METRICS:
            raise SettingError(f"there is a metric {metric.name!r} already; give another name.")
        METRICS[metric.name] = metric


_BOTH = _CLASSES + _LABELS
_SHARE: dict[str, Any] = {"decides": True, "share": lambda ready: (ready[:, 0], None)}
_COUNT: dict[str, Any] = {"decides": True, "statistics": by_class.class_cells}
_BY_CLASS: dict[str, Any] = {**_COUNT, "classes": by_class.rows_of_classes}
_F1: dict[str, Any] = {"of": by_class.f1_macro, "slope": by_class.f1_slope, "pull": by_class.f1_bias}
_SIZE: dict[str, Any] = {"statistics": squared_rows, "worst": None}
_LOSS: dict[str, Any] = {"higher_is_better": False, "worst": None}
_OF_DATA: dict[str, Any] = {**_LOSS, "unit_scale": False}

register(
    mean_of("accuracy", _CLASSES, "share of rows whose most probable class is right", hit_rows, **_SHARE),
    Summed(
        "balanced_accuracy",
        _CLASSES,
        "mean recall of the classes",
        of=by_class.balanced_accuracy,
        share=by_class.recalled,
        **_COUNT,
    ),
    Summed("f1_macro", _BOTH, "mean F1 of the classes or labels", reason=_NO_LABEL, **_F1, **_BY_CLASS),
    mean_of("log_loss", _CLASSES, "mean −log p(true class), nats", log_loss_rows, **_OF_DATA),
    mean_of("brier", _CLASSES, "mean squared error of probabilities", brier_rows, **_LOSS),
    Summed(
        "mcc",
        _CLASSES,
        "Matthews correlation; 0 is chance",
        of=by_class.mcc,
        worst=-1.0,
        reason=_one_class,
        **_BY_CLASS,
    ),
    Auroc("auroc", _BOTH, "area under the ROC curve, each class or label against the rest", reason=_one_side),
    AveragePrecision("average_precision", _BOTH, "mean average precision of the classes or labels", reason=_one_side),
    *(
        mean_of(
            name,
            _CLASSES,
            f"share of rows with the true class among the first {word}",
            top_rows(n),
            outputs=n,
            **_SHARE,
        )
        for name, word, n in (("top3", "three", 3), ("top5", "five", 5))
    ),
    Summed(
        "f1_micro",
        _LABELS,
        "F1 over all pairs of row and label",
        of=by_class.f1_micro,
        reason=_NO_LABEL,
        **_COUNT,
    ),
    mean_of("subset_accuracy", _LABELS, "share of rows with exactly the right labels", exact_rows, **_SHARE),
    Summed("r2", _NUMBERS, "share of variance explained", of=r2, reason=_no_spread, **_SIZE),
    mean_of("mae", _NUMBERS, "mean absolute error, target's unit", absolute_rows, **_OF_DATA),
    Summed("rmse", _NUMBERS, "root mean squared error, target's unit", of=rmse, **_OF_DATA | _SIZE),
    Spearman("spearman", _NUMBERS, "rank correlation", worst=None, reason=_no_spread),
)


def get(name: str | Metric) -> Metric:
    """The metric called ``name``, or the one given; `SettingError` if there is none."""
    if isinstance(name, Metric):
        return name
    if name not in METRICS:
        raise SettingError(f"metric {name!r} is unknown; it may be {', '.join(METRICS)}.{nearest(name, METRICS)}")
    return METRICS[name]


def for_task(task: str, outputs: int) -> tuple[Metric, ...]:
    """The metrics of ``task`` with so many ``outputs``; `SettingError` if the task has none.

    ``top3`` is left out up to three classes and ``top5`` up to five, where they are always 1.
    """
    found = tuple(m for m in METRICS.values() if task in m.tasks and outputs > m.outputs)
    if not found:
        known = dict.fromkeys(name for metric in METRICS.values() for name in metric.tasks)
        raise SettingError(f"task {task!r} is unknown; it may be {', '.join(known)}.")
    return found


def evaluate(task: str, y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Every metric of ``task`` by name for truth ``y`` and ``p`` [n, outputs]; nan where undefined."""
    return {metric.name: metric.function(y, p) for metric in for_task(task, np.shape(p)[1])}


def undefined(task: str, y: Any, p: Any, names: Sequence[str] | None = None) -> dict[str, str]:
    """The metrics of ``task``, or of ``names``, that have no value on these rows, each with the reason in words."""
    known = for_task(task, flat(p).shape[1]) if names is None else [get(name) for name in names]
    return {metric.name: metric.undefined(y, p) for metric in known if np.isnan(metric.function(y, p))}
