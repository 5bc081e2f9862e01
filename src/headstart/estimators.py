"""scikit-learn estimators over headstart's frozen bases: clone, cross-validate, sit in a Pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from headstart.bases.catalogue import open_base
from headstart.bases.refitted import as_recorded
from headstart.bases.reopening import refuse_other
from headstart.data.inputs import as_inputs
from headstart.data.sheet import is_empty
from headstart.data.table import Table, objects
from headstart.errors import LabelError, SettingError, SourceError
from headstart.evaluation.metrics import METRICS
from headstart.heads.solve import solve
from headstart.strategies.solving import head_metric
from headstart.training.features import extract
from headstart.training.reading import read_as


class _Transfer(BaseEstimator):
    """What classifier and regressor share: inputs to features of a frozen base, cached."""

    base: str | None
    modality: str | None
    seed: int

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def _vectors(self, inputs: Any, *, fitting: bool) -> np.ndarray:
        """Features [n, width] of paths, PIL images, arrays or strings."""
        rows = as_inputs(inputs)
        if fitting:
            self.modality_ = self.modality or infer_modality(rows)
            base = read_as(open_base(self.base, self.modality_), _table(rows, self.modality_))
            self.base_ = base.identity.name if self.base is None else self.base
            self.reading_, self.identity_ = base.preprocessing(), base.identity
        else:
            base = as_recorded(open_base(self.base_, self.modality_), self.reading_)
            if identity := getattr(self, "identity_", None):  # what older versions pickled has none
                refuse_other(base, identity, self.reading_)
        features = extract(base, rows)
        if features.rejected:
            row, reason = next(iter(sorted(features.rejected.items())))
            raise SourceError(
                f"{len(features.rejected)} of {len(rows)} inputs cannot be read, the first is input {row}: {reason}."
            )
        return features.vectors

    def embed(self, X: Any) -> np.ndarray:
        """The frozen base's features of ``X``, [n, width] float32."""
        check_is_fitted(self)
        return self._vectors(X, fitting=False)


class TransferClassifier(ClassifierMixin, _Transfer):
    """A linear head on a frozen pre-trained base.

    Args:
        base: an embedded base, a timm name, a Hub id or a local folder; None takes the modality's default.
        modality: "image" or "text"; None infers it from the inputs.
        metric: to choose the head by: "accuracy", "balanced_accuracy", "log_loss" or another one for classes.
        seed: of the held-out parts that the head is chosen on.

    Attributes:
        classes_: [k] labels, sorted.
        head_: the solved `LinearHead`.
    """

    def __init__(
        self, base: str | None = None, modality: str | None = None, metric: str = "accuracy", seed: int = 0
    ) -> None:
        self.base = base
        self.modality = modality
        self.metric = metric
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Solve the head on ``X`` (paths, PIL images, arrays or strings) and labels ``y`` [n].

        Raises:
            LabelError: lengths differ, a label is missing, texts and numbers are mixed, or fewer than two classes.
            SettingError: a metric that is not for classes.
            SourceError: an input cannot be read.
        """
        check_metric(self.metric)
        rows, targets = as_inputs(X), _labels(y)
        _same_length(rows, targets)
        self.classes_, codes = np.unique(targets, return_inverse=True)
        if len(self.classes_) < 2:
            found = f"one class ({self.classes_[0]!r})" if len(self.classes_) else "no labels"
            raise LabelError(f"y has {found}; a classifier needs at least two classes.")
        vectors = self._vectors(rows, fitting=True)
        balanced = self.metric == "balanced_accuracy"
        metric = head_metric(self.metric, "classification")
        self.head_ = solve(
            vectors,
            codes.astype(np.int64),
            "classification",
            seed=self.seed,
            metric=metric,
            balanced=balanced,
        ).head
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
    """A linear head with one value on a frozen pre-trained base; arguments as in `TransferClassifier`.

    Attributes:
        head_: the solved `LinearHead`.
    """

    def __init__(self, base: str | None = None, modality: str | None = None, seed: int = 0) -> None:
        self.base = base
        self.modality = modality
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Solve the head on ``X`` and values ``y`` [n].

        Raises:
            LabelError: lengths differ, or a value is not a finite number.
            SourceError: an input cannot be read.
        """
        rows, targets = as_inputs(X), _numbers(y)
        _same_length(rows, targets)
        self.head_ = solve(self._vectors(rows, fitting=True), targets[:, None], "regression", seed=self.seed).head
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Values [n]."""
        vectors = self.embed(X)
        return self.head_.scores(vectors)[:, 0].astype(np.float64)


def _table(rows: np.ndarray, modality: str) -> Table:
    return Table(np.arange(len(rows)).astype(str), rows, None, np.full(len(rows), ""), modality)


def check_metric(metric: str) -> None:
    """`SettingError` unless ``metric`` is one for classes."""
    known = [name for name, found in METRICS.items() if "classification" in found.tasks]
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
    """ "image" for paths of image files, PIL images, arrays and bytes; "text" for other strings.

    Raises:
        SettingError: no inputs, or a mixture.
    """
    from headstart.data.naming import IMAGE_TYPES, extension

    def kind(value: Any) -> str:
        if not isinstance(value, str):
            return "image"
        return "image" if extension(Path(value).name) in IMAGE_TYPES and len(value) < 4096 else "text"

    kinds = {kind(value) for value in inputs}
    if len(kinds) != 1:
        raise SettingError(
            "X is empty."
            if not kinds
            else "X mixes image paths or pictures with texts; pass modality='text' or 'image'."
        )
    return kinds.pop()
