"""A fitted model: the exact preprocessing and labels of training, from inputs to answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.data.inputs import as_inputs
from headstart.delivery.borrowing import same_base
from headstart.delivery.bundle import Bundle
from headstart.errors import SourceError
from headstart.modalities.image import ImageSpec
from headstart.progress import Progress
from headstart.records import ReadingRecord
from headstart.training.extracted import Extracted
from headstart.training.features import classical_features, content_keys, extract
from headstart.training.text_reading import reading_of

#: Up to this many inputs the runtime is taken that is ready soonest, at the parity all runtimes keep.
QUICK = 256


@dataclass(frozen=True)
class Predictions:
    """Answers for n inputs.

    Attributes:
        answers: [n] object: label, tuple of labels or value; None for unreadable inputs.
        probabilities: [n, outputs]; nan for unreadable inputs.
        unknown: [n] how strange each input is, 0 to 1: stranger than that share of known inputs; nan where that cannot
            be told.
        answered: [n] bool: False where the answer is "I don't know", because a risk was asked for when fitting.
        rejected: row -> reason.
        reading: how much of the texts the base read; None of pictures, and where a control answers, which reads all.
    """

    answers: np.ndarray
    probabilities: np.ndarray
    unknown: np.ndarray
    answered: np.ndarray
    rejected: dict[int, str]
    reading: ReadingRecord | None = None

    def take(self, rows: np.ndarray) -> Predictions:
        """Those of ``rows`` (indices or a boolean mask), all of them readable."""
        columns = ("answers", "probabilities", "unknown", "answered")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns}, rejected={})


@dataclass(frozen=True)
class Reference:
    """Rows that a model was made from, as it sees them.

    Attributes:
        vectors: [m, d] float32 features.
        y: [m] classes, or [m, outputs].
    """

    vectors: np.ndarray
    y: np.ndarray


class Model:
    """What `headstart.fit` gives and `headstart.load` reads; use `predict`, `predict_proba`, `embed`.

    Args:
        bundle: a head on a base, or a control.
        base: the bundle's, changes laid in, where it is open already.
        trust_remote_code: whether code of the base's own may run, where it needs any.
    """

    def __init__(self, bundle: Bundle, base: Base | None = None, *, trust_remote_code: bool = False) -> None:
        self.bundle = bundle
        self._base, self._remote_code = base, trust_remote_code

    @classmethod
    def load(cls, path: str | Path, *, trust_remote_code: bool = False) -> Model:
        """The model in a run's or bundle's folder.

        Args:
            trust_remote_code: whether code of the base's own may run, where it needs any.

        Raises:
            BundleError: see `Bundle.load`.
        """
        return cls(Bundle.load(path), trust_remote_code=trust_remote_code)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs, in the order of `predict_proba`'s columns; () for regression."""
        return self.bundle.task.labels

    @property
    def base(self) -> Base:
        """The base with its changes, opened at first use and checked to be the one of training.

        Raises:
            BaseError: it cannot be found, or code of its own would be needed and is not allowed.
            BundleError: its weights or preprocessing are not those of training; or the model is a control.
        """
        if self._base is None or self.bundle.control is not None:
            self._base = same_base(self.bundle, remote_code=self._remote_code)
        return self._base

    def predict(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Labels [n] (str), tuples of labels, or values (float) for ``inputs``: paths, PIL images, arrays or strings.

        Raises:
            SourceError: an input is unreadable (`predictions` goes on instead), or one came instead of a list.
        """
        return self.bundle.task.decode(self.bundle.caution.decided(self.predict_proba(inputs)))

    def predict_proba(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Probabilities [n, outputs] float32 in the order of `labels`; values [n, 1] float64 for regression.

        Raises:
            SourceError: an input is unreadable.
        """
        rows = as_inputs(inputs)
        said = self._answer(rows)
        _refuse(rows, said.rejected)
        return said.probabilities

    def embed(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The (changed) base's features [n, width] float32.

        Raises:
            SourceError: an input is unreadable.
            BundleError: the model is a control, which borrows nothing.
        """
        rows = as_inputs(inputs)
        features = self._extract(rows)
        _refuse(rows, features.rejected)
        return features.vectors

    def predictions(self, inputs: Sequence[Any] | np.ndarray, progress: Progress | None = None) -> Predictions:
        """Answers for all readable ``inputs``; the others are listed, never guessed."""
        rows = as_inputs(inputs)
        return self._answer(rows, progress)

    def sets(self, inputs: Sequence[Any] | np.ndarray) -> list[tuple[str, ...]] | None:
        """For each input the labels that it may have: the true one is among them with the probability promised.

        None where nothing was promised: held-out rows were too few, or the task is regression.

        Raises:
            SourceError: an input is unreadable.
        """
        task = self.bundle.task
        chosen = self.bundle.caution.sets(self.predict_proba(inputs), multilabel=task.name == "multilabel")
        return None if chosen is None else [tuple(np.array(task.labels, dtype=object)[row]) for row in chosen]

    @property
    def reference(self) -> Reference | None:
        """A sample of the rows it was made from, as it sees them; None where it has no features."""
        known = self.bundle.caution.known
        return Reference(known.vectors, known.y) if known is not None and len(known.rows) else None

    def _answer(self, rows: np.ndarray, progress: Progress | None = None) -> Predictions:
        """Answers, nan and None in unreadable rows."""
        bundle, task = self.bundle, self.bundle.task
        x, rejected, reading = self._model_inputs(rows, progress)
        kept = _kept(len(rows), rejected)
        probabilities = np.full((len(rows), task.outputs), np.nan, dtype=task.precision)
        said = Predictions(
            np.full(len(rows), None, dtype=object),
            probabilities,
            np.full(len(rows), np.nan),
            kept.copy(),
            rejected,
            reading,
        )
        if kept.any():
            found = bundle.model.probabilities(x[kept])
            vectors = None if bundle.control is not None else x[kept]
            probabilities[kept] = found
            said.answers[kept] = task.decode(bundle.caution.decided(found))
            said.unknown[kept] = bundle.caution.unknown(found, vectors)
            said.answered[kept] = bundle.caution.answered(found, multilabel=task.name == "multilabel")
        return said

    def _model_inputs(
        self, rows: np.ndarray, progress: Progress | None
    ) -> tuple[np.ndarray, dict[int, str], ReadingRecord | None]:
        """What the head or control takes, first axis n, the unreadable rows, and how much of texts was read."""
        bundle = self.bundle
        if bundle.control is None:
            features = self._extract(rows, progress)
            read = None if features.read is None else features.read[features.kept]
            return features.vectors, features.rejected, reading_of(self.base, read)
        if bundle.modality == "text":
            return rows, content_keys(rows, "text")[1], None
        spec = ImageSpec.from_dict(json.loads(bundle.preprocessing))
        found = classical_features(rows, spec, progress=progress)
        return np.asarray(found.classical), found.rejected, None

    def _extract(self, rows: np.ndarray, progress: Progress | None = None) -> Extracted:
        return extract(self.base, rows, quickest=len(rows) <= QUICK, progress=progress)


def _kept(count: int, rejected: dict[int, str]) -> np.ndarray:
    """[n] bool: the rows not ``rejected``."""
    kept = np.ones(count, dtype=bool)
    kept[list(rejected)] = False
    return kept


def _refuse(rows: np.ndarray, rejected: dict[int, str]) -> None:
    if rejected:
        row, reason = next(iter(sorted(rejected.items())))
        raise SourceError(f"input {row} ({_shown(rows[row])}) cannot be read: {reason}.")


def _shown(value: Any) -> str:
    """The value, or both its ends: of a long path the last part tells most."""
    text = str(value) if isinstance(value, (str, Path)) else type(value).__name__
    return text if len(text) <= 80 else f"{text[:30]}...{text[-47:]}"
