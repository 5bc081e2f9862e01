"""A fitted model: the exact preprocessing and labels of training, from inputs to answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.catalogue import open_base
from headstart.data.inputs import as_inputs
from headstart.delivery.bundle import Bundle
from headstart.errors import BundleError, SourceError
from headstart.progress import Progress
from headstart.training.extracted import Extracted
from headstart.training.features import extract

#: Up to this many inputs the runtime is taken that is ready soonest, at the parity all runtimes keep.
QUICK = 256


@dataclass(frozen=True)
class Predictions:
    """Answers for n inputs.

    Attributes:
        answers: [n] object: label, tuple of labels or value; None for unreadable inputs.
        probabilities: [n, outputs]; nan for unreadable inputs.
        rejected: row -> reason.
    """

    answers: np.ndarray
    probabilities: np.ndarray
    rejected: dict[int, str]


class Model:
    """What `headstart.fit` gives and `headstart.load` reads; use `predict`, `predict_proba`, `embed`."""

    def __init__(self, bundle: Bundle, base: Base | None = None) -> None:
        self.bundle = bundle
        self._base = base

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """The model in a run's or bundle's folder.

        Raises:
            BundleError: see `Bundle.load`.
        """
        return cls(Bundle.load(path))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs, in the order of `predict_proba`'s columns; () for regression."""
        return self.bundle.task.labels

    @property
    def base(self) -> Base:
        """The base, opened at first use and checked to be the one of training.

        Raises:
            BaseError: it cannot be found.
            BundleError: its weights or preprocessing are not those of training.
        """
        if self._base is None:
            self._base = _same_base(self.bundle)
        return self._base

    def predict(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Labels [n] (str), tuples of labels, or values (float) for ``inputs``: paths, PIL images, arrays or strings.

        Raises:
            SourceError: an input is unreadable (`predictions` goes on instead), or one came instead of a list.
        """
        return self.bundle.task.decode(self.predict_proba(inputs))

    def predict_proba(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Probabilities [n, outputs] in the order of `labels`; values [n, 1] for regression.

        Raises:
            SourceError: an input is unreadable.
        """
        return self.bundle.head.probabilities(self.embed(inputs))

    def embed(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The base's features [n, width] float32.

        Raises:
            SourceError: an input is unreadable.
        """
        rows = as_inputs(inputs)
        features = self._extract(rows)
        if features.rejected:
            row, reason = next(iter(sorted(features.rejected.items())))
            raise SourceError(f"input {row} ({_shown(rows[row])}) cannot be read: {reason}.")
        return features.vectors

    def predictions(self, inputs: Sequence[Any] | np.ndarray, progress: Progress | None = None) -> Predictions:
        """Answers for all readable ``inputs``; the others are listed, never guessed."""
        rows = as_inputs(inputs)
        features = self._extract(rows, progress)
        probabilities = np.full((len(rows), self.bundle.task.outputs), np.nan, dtype=np.float32)
        answers = np.full(len(rows), None, dtype=object)
        kept = features.kept
        if kept.any():
            probabilities[kept] = self.bundle.head.probabilities(features.vectors[kept])
            answers[kept] = self.bundle.task.decode(probabilities[kept])
        return Predictions(answers, probabilities, features.rejected)

    def _extract(self, rows: np.ndarray, progress: Progress | None = None) -> Extracted:
        return extract(self.base, rows, quickest=len(rows) <= QUICK, progress=progress)


def _same_base(bundle: Bundle) -> Base:
    name = bundle.base.name
    source, _, place = bundle.base.source.partition(" ")
    again = {"folder": place, "hub": f"{place}@{bundle.base.revision}"}.get(source, name)
    base = open_base(again, bundle.modality)
    if base.identity.weights != bundle.base.weights:
        raise BundleError(
            f"base {name!r} here ({base.identity.source}) has other weights than in training "
            f"({bundle.base.source}); install that version or fit again."
        )
    if bundle.head.weight.shape[0] != base.width:
        raise BundleError(
            f"head.safetensors takes {bundle.head.weight.shape[0]} features, base {name!r} gives {base.width}; restore "
            f"it or fit again."
        )
    if base.preprocessing() != bundle.preprocessing:
        raise BundleError(
            f"base {name!r} here prepares inputs otherwise than in training; use the headstart version of the "
            f"bundle or fit again."
        )
    return base


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, (str, Path)) else type(value).__name__
    return text if len(text) <= 80 else f"{text[:77]}..."
