"""scikit-learn estimators over headstart's bases, frozen or fine-tuned: clone, cross-validate, sit in a Pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.bases.changes import Changes
from headstart.bases.device import using
from headstart.bases.refitted import as_recorded
from headstart.bases.reopening import refuse_other
from headstart.bases.staged import StagedBase
from headstart.data.inputs import as_inputs
from headstart.data.sheet import is_empty
from headstart.data.table import Table, objects
from headstart.errors import LabelError, SettingError, SourceError
from headstart.evaluation.metrics import METRICS
from headstart.heads.linear import LinearHead
from headstart.heads.solve import solve
from headstart.modalities import told_by
from headstart.options import aliased, parse_budget, parse_class_weight
from headstart.strategies.names import AUTO
from headstart.strategies.names import get as get_strategy
from headstart.strategies.solving import head_metric
from headstart.strategies.tuning import tuned
from headstart.tasks import Classification, Regression
from headstart.tasks import get as get_task
from headstart.training.extracted import Extracted
from headstart.training.features import extract
from headstart.training.reading import read_as
from headstart.training.rows import TrainRows
from headstart.training.weights import check_class_weight, row_weights


class _Transfer(BaseEstimator):
    """What classifier and regressor share: inputs to features of a base, cached, and fine-tuning of the base."""

    base: str | None
    modality: str | None
    seed: int
    strategy: str
    budget: float | str | None
    device: str | None
    head_: LinearHead

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def _check(self) -> float | None:
        """The budget in seconds; `SettingError` for a strategy that there is none of."""
        if self.strategy != AUTO:
            get_strategy(self.strategy)
        return parse_budget(str(self.budget)) if self.budget is not None else None

    def _open(self, rows: np.ndarray) -> Base:
        """The frozen base as it takes ``rows``, which are fitted on."""
        self.modality_ = self.modality or infer_modality(rows)
        base = read_as(open_base(self.base, self.modality_), _table(rows, self.modality_))
        self.base_ = base.identity.name if self.base is None else self.base
        self.reading_, self.identity_ = base.preprocessing(), base.identity
        self.stages_ = False
        self.changes_: Changes | None = None
        return base

    def _reopened(self) -> Base:
        """The base that was fitted, its changes laid in."""
        base: Base = as_recorded(open_base(self.base_, self.modality_), self.reading_)
        if identity := getattr(self, "identity_", None):  # what older versions pickled has none
            refuse_other(base, identity, self.reading_)
        if getattr(self, "stages_", False):
            return StagedBase(base)
        changes: Changes | None = getattr(self, "changes_", None)
        return base if changes is None else AdaptedBase(base, changes)

    def _fit(
        self, rows: np.ndarray, y: np.ndarray, task: str, labels: Sequence[str], metric: str, given: _Weights
    ) -> None:
        """Solve the head, and train the base where the strategy says so.

        Args:
            y: as heads take targets.
            labels: of the classes; () for a regression.
        """
        seconds = self._check()
        with using(self.device):
            base = self._open(rows)
            features = _all_read(extract(base, rows), rows)
            weights = row_weights(y, labels, given.of_classes, given.of_rows)
            if self.strategy == "probe":
                balanced = metric == "balanced_accuracy" and given.of_classes is None
                self.head_ = solve(
                    features.vectors,
                    y,
                    task,
                    seed=self.seed,
                    metric=head_metric(metric, task),
                    balanced=balanced,
                    weights=weights,
                ).head
                return
            coded: list[Any] = [f"{code:09}" for code in y] if labels else y[:, 0].tolist()
            known = TrainRows(rows, features.keys, y, features.vectors, weights=weights)
            final = tuned(
                base,
                known,
                get_task(task).from_targets(coded),
                metric,
                self.strategy,
                weighed=given.of_classes is not None,
                seconds=seconds,
                seed=self.seed,
            )
        self.head_, self.stages_ = final.head, isinstance(final.base, StagedBase)
        self.changes_ = final.base.changes if isinstance(final.base, AdaptedBase) else None

    def embed(self, X: Any) -> np.ndarray:
        """The features of ``X`` by the base, as fitted: [n, width] float32."""
        check_is_fitted(self)
        rows = as_inputs(X)
        with using(self.device):
            return _all_read(extract(self._reopened(), rows), rows).vectors


@dataclass(frozen=True)
class _Weights:
    """How much classes count, as `parse_class_weight` gives it, and rows, [n]; None: all the same."""

    of_classes: str | dict[str, float] | None
    of_rows: np.ndarray | None


class TransferClassifier(ClassifierMixin, _Transfer):
    """A linear classifier on a pre-trained base, which is frozen or fine-tuned.

    Args:
        base: an embedded base, a timm name, a Hub id or a local folder; None takes the modality's default.
        modality: "image" or "text"; None infers it from the inputs.
        metric: to choose by: "accuracy", "balanced_accuracy", "log_loss" or another one for classes.
        seed: of the held-out parts that are chosen on, and of all that training draws.
        strategy: "probe" solves a classifier on frozen features; "partial", "full", "lora" and the other strategies of
            `headstart.fit` train weights of the base too; "auto" tries them in turn while they pay.
        class_weight: None, "balanced", or a dict of weights by label (1 for a label that it lacks).
        budget: that fitting may take where the base is trained: seconds, or a time such as "10m"; None: no limit.
        device: where networks run: "auto", "cpu", "cuda", "cuda:1" or "mps"; None: what HEADSTART_DEVICE says.

    Attributes:
        classes_: [k] labels, sorted.
        head_: the `LinearHead`.
        changes_: what training changed in the base; None where it is as it was.
    """

    @aliased
    def __init__(
        self,
        base: str | None = None,
        modality: str | None = None,
        metric: str = "accuracy",
        seed: int = 0,
        *,
        strategy: str = "probe",
        class_weight: str | dict[Any, float] | None = None,
        budget: float | str | None = None,
        device: str | None = None,
    ) -> None:
        self.base = base
        self.modality = modality
        self.metric = metric
        self.seed = seed
        self.strategy = strategy
        self.class_weight = class_weight
        self.budget = budget
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from ``X`` (paths, PIL images, arrays or strings) and labels ``y`` [n].

        Args:
            sample_weight: [n] how much each row counts, 0 or more; None: all the same.

        Raises:
            LabelError: lengths differ, a label is missing, texts and numbers are mixed, or fewer than two classes.
            SettingError: a metric that is not for classes, an unknown strategy, or weights that are none.
            SourceError: an input cannot be read.
            SplitError: too few rows to compare strategies on.
        """
        check_metric(self.metric)
        rows, targets = as_inputs(X), _labels(y)
        _same_length(rows, targets)
        self.classes_, codes = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            found = f"one class ({self.classes_[0]!r})" if len(self.classes_) else "no labels"
            raise LabelError(f"y has {found}; a classifier needs at least two classes.")
        labels = tuple(map(str, self.classes_.tolist()))
        of_classes = None if self.class_weight is None else parse_class_weight(self.class_weight)
        check_class_weight(of_classes, Classification.name, labels)
        given = _Weights(of_classes, _row_weights(sample_weight, len(rows)))
        self._fit(rows, codes.astype(np.int64), Classification.name, labels, self.metric, given)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities [n, k] in the order of ``classes_``."""
        vectors = self.embed(X)
        return self.head_.probabilities(vectors).astype(np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """Labels [n]."""
        best = self.predict_proba(X).argmax(1)
        return self.classes_[best]

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores before the softmax: [n, k], or [n] for two classes, positive for the second."""
        vectors = self.embed(X)
        scores = self.head_.scores(vectors)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores


class TransferRegressor(RegressorMixin, _Transfer):
    """A linear head with one value on a pre-trained base; arguments as in `TransferClassifier`.

    Attributes:
        head_: the `LinearHead`.
        changes_: what training changed in the base; None where it is as it was.
    """

    @aliased
    def __init__(
        self,
        base: str | None = None,
        modality: str | None = None,
        seed: int = 0,
        *,
        strategy: str = "probe",
        budget: float | str | None = None,
        device: str | None = None,
    ) -> None:
        self.base = base
        self.modality = modality
        self.seed = seed
        self.strategy = strategy
        self.budget = budget
        self.device = device

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from ``X`` and values ``y`` [n].

        Args:
            sample_weight: [n] how much each row counts, 0 or more; None: all the same.

        Raises:
            LabelError: lengths differ, or a value is not a finite number.
            SettingError: an unknown strategy, or weights that are none.
            SourceError: an input cannot be read.
            SplitError: too few rows to compare strategies on.
        """
        rows, targets = as_inputs(X), _numbers(y)
        _same_length(rows, targets)
        given = _Weights(None, _row_weights(sample_weight, len(rows)))
        self._fit(rows, targets[:, None], Regression.name, (), "r2", given)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Values [n]."""
        vectors = self.embed(X)
        return self.head_.scores(vectors)[:, 0].astype(np.float64)


def _table(rows: np.ndarray, modality: str) -> Table:
    return Table(np.arange(len(rows)).astype(str), rows, None, np.full(len(rows), ""), modality)


def _all_read(features: Extracted, rows: np.ndarray) -> Extracted:
    if features.rejected:
        row, reason = next(iter(sorted(features.rejected.items())))
        raise SourceError(
            f"{len(features.rejected)} of {len(rows)} inputs cannot be read, the first is input {row}: {reason}."
        )
    return features


def _row_weights(given: Any, rows: int) -> np.ndarray | None:
    """[n] float64; a single number, as scikit-learn takes it, is one for every row."""
    if given is None:
        return None
    try:
        weights = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SettingError(f"sample_weight must be numbers: {error}.") from error
    weights = np.full(rows, float(weights)) if weights.ndim == 0 else weights
    if weights.shape != (rows,) or not np.isfinite(weights).all() or weights.min(initial=0) < 0 or not weights.any():
        raise SettingError(
            f"sample_weight of shape {list(weights.shape)} for {rows} rows; give each row a finite number from 0 on, "
            "and some above 0."
        )
    return weights


def check_metric(metric: str) -> None:
    """`SettingError` unless ``metric`` is one for classes."""
    known = [name for name, found in METRICS.items() if Classification.name in found.tasks]
    if metric not in known:
        raise SettingError(f"metric {metric!r} is not for classes; it is one of {', '.join(known)}.")


def _one_column(targets: np.ndarray) -> np.ndarray:
    """[n] from [n] or [n, 1]."""
    if targets.ndim == 2 and targets.shape[1] == 1:
        return targets[:, 0]
    if targets.ndim != 1:
        raise LabelError(f"y has shape {targets.shape}; give one target an input, [n].")
    return targets


def _labels(y: Any) -> np.ndarray:
    """[n] labels of one kind, none of them missing: in an array of texts a NaN would become the class "nan"."""
    given = _one_column(y.to_numpy() if hasattr(y, "to_numpy") else y if isinstance(y, np.ndarray) else objects(y))
    values = given.tolist() if given.dtype.kind in "OUT" else list(given)
    missing = [row for row, value in enumerate(values) if is_empty(value)]
    if missing:
        raise LabelError(
            f"{len(missing)} of {len(values)} labels in y are missing (None, NaN or empty), the first in row "
            f"{missing[0]} (counted from 0); fill them in, or remove those rows from X and y."
        )
    texts = sum(isinstance(value, str) for value in values)
    if 0 < texts < len(values):
        raise LabelError(f"y mixes {texts} texts with {len(values) - texts} other values; give labels of one kind.")
    odd = next((value for value in values if not isinstance(value, str) and np.ndim(value)), None)
    if odd is not None:
        raise LabelError(f"a label in y is {odd!r}; give one label an input, [n].")
    return _one_column(np.asarray(y))


def _numbers(y: Any) -> np.ndarray:
    try:
        targets = _one_column(np.asarray(y, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise LabelError(f"y must be numbers: {error}.") from error
    if not np.isfinite(targets).all():
        raise LabelError(f"{int((~np.isfinite(targets)).sum())} values of y are not finite; remove those rows.")
    return targets


def _same_length(inputs: Any, targets: np.ndarray) -> None:
    if len(inputs) != len(targets):
        raise LabelError(f"X has {len(inputs)} inputs and y {len(targets)} targets; give one target an input.")


def infer_modality(inputs: Sequence[Any] | np.ndarray) -> str:
    """The modality of ``inputs``: told by the endings of paths and the kinds of objects; "text" for other strings.

    Raises:
        SettingError: no inputs, or a mixture.
    """
    kinds = {told_by([value]) for value in inputs}
    if len(kinds) != 1:
        raise SettingError(
            "X is empty."
            if not kinds
            else f"X mixes inputs of kinds {' and '.join(sorted(kinds))}; pass the one that they are as modality=."
        )
    return kinds.pop()
