"""A fitted model: the exact preprocessing and labels of training, from inputs to answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.device import check_device, pinned
from headstart.data.inputs import as_inputs
from headstart.delivery.borrowing import same_base
from headstart.delivery.bundle import Bundle
from headstart.delivery.predictor import (
    Predictor,
    Seen,
    begins_anew_after_fork,
    for_baseline,
)
from headstart.errors import SettingError, SourceError
from headstart.modalities import get
from headstart.options import filled
from headstart.progress import Progress
from headstart.ragged import Ragged, flat, row_vectors, scattered, shaped
from headstart.records import ReadingRecord


@dataclass(frozen=True)
class Predictions:
    """Answers for n inputs.

    Attributes:
        answers: [n] object: label, tuple of labels or value, or what a task says of a row; None for unreadable inputs.
        probabilities: [n, outputs]; nan for unreadable inputs; ragged where rows have several items, which unreadable
            ones have none of.
        unknown: [n] how strange each input is, 0 to 1: stranger than that share of known inputs; nan where that cannot
            be told.
        answered: [n] bool: False where the answer is "I don't know", because a risk was asked for when fitting.
        rejected: row -> reason.
        reading: how much of the texts the base read; None of pictures, and where a control answers, which reads all.
        vectors: [n, d] float32, the inputs as the model sees them; zeros for unreadable ones; None where a baseline
            answers.
    """

    answers: np.ndarray
    probabilities: Any
    unknown: np.ndarray
    answered: np.ndarray
    rejected: dict[int, str]
    reading: ReadingRecord | None = None
    vectors: Any = None

    def take(self, rows: np.ndarray) -> Predictions:
        """Those of ``rows`` (indices or a boolean mask), all of them readable."""
        columns = ("answers", "probabilities", "unknown", "answered")
        vectors = None if self.vectors is None else self.vectors[rows]
        return replace(self, **{name: getattr(self, name)[rows] for name in columns}, rejected={}, vectors=vectors)


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

    The base is opened at the first answer and stays open, for any number of threads; a process that is forked off, or
    that gets the model from another one, opens its own. Answers need no cache and write none.

    Args:
        bundle: a head on a base, or a control.
        base: the bundle's, changes laid in, where it is open already.
        trust_remote_code: whether code of the base's own may run, where it needs any.
        threads: that one answer works on: 1 lets as many be given at a time as there are processors, more give a single
            one sooner.
        device: where the base runs: "auto", "cpu", "cuda", "cuda:1" or "mps"; None: what HEADSTART_DEVICE says then.

    Raises:
        SettingError: fewer than one thread, or a device that this machine lacks.
    """

    def __init__(
        self,
        bundle: Bundle,
        base: Base | None = None,
        *,
        trust_remote_code: bool = False,
        threads: int = 1,
        device: str | None = None,
    ) -> None:
        check_device(device)
        if threads < 1:
            raise SettingError(f"threads is {threads}; one answer works on at least 1.")
        self.bundle = bundle
        self._base, self._remote_code, self._threads, self._device = base, trust_remote_code, threads, device
        self._predictor: Predictor | None = None
        self._lock = threading.RLock()
        begins_anew_after_fork(self)

    @classmethod
    def load(
        cls, path: str | Path, *, trust_remote_code: bool = False, threads: int = 1, device: str | None = None
    ) -> Model:
        """The model in a run's or bundle's folder.

        Args:
            trust_remote_code: whether code of the base's own may run, where it needs any.
            threads, device: see `Model`.

        Raises:
            BundleError: see `Bundle.load`.
            SettingError: see `Model`.
        """
        return cls(Bundle.load(path), trust_remote_code=trust_remote_code, threads=threads, device=device)

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
        with self._lock:
            if self._base is None or self.bundle.control is not None:
                self._base = same_base(self.bundle, remote_code=self._remote_code)
            return self._base

    def predict(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Labels [n] (str), tuples of labels, or values (float) for ``inputs``: paths, PIL images, arrays or strings.

        Of a tag task, the entities or the tags of each text, which may also be a list of its words.

        Raises:
            SourceError: an input is unreadable (`predictions` goes on instead), or one came instead of a list.
        """
        rows = self._inputs(inputs)
        return self.bundle.task.reported(self.bundle.caution.decided(self.predict_proba(rows)), rows)

    def predict_proba(self, inputs: Sequence[Any] | np.ndarray) -> Any:
        """Probabilities [n, outputs] float32 in the order of `labels`; values [n, 1] float64 for regression.

        Of a tag task, those of each word: `headstart.ragged.Ragged`, which gives [words, outputs] of a row.

        Raises:
            SourceError: an input is unreadable.
        """
        rows = self._inputs(inputs)
        seen = self._see(rows)
        _refuse(rows, seen.rejected)
        task = self.bundle.task
        if not len(rows):
            none = np.zeros((0, task.outputs), task.precision)
            return Ragged(none, np.zeros(1, np.int64)) if task.each else none
        found = self.bundle.model.probabilities(seen.x)
        return shaped(flat(found).astype(task.precision, copy=False), found)

    def embed(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The (changed) base's features [n, width] float32; of a tag task the mean over the words.

        Raises:
            SourceError: an input is unreadable.
            BundleError: the model is a baseline, which uses no base.
        """
        rows = self._inputs(inputs)
        seen = self._features(rows)
        _refuse(rows, seen.rejected)
        return row_vectors(seen.x)

    def predictions(self, inputs: Sequence[Any] | np.ndarray, progress: Progress | None = None) -> Predictions:
        """Answers for all readable ``inputs``; the others are listed, never guessed."""
        return self._answer(self._inputs(inputs), progress)

    def sets(self, inputs: Sequence[Any] | np.ndarray) -> list[tuple[str, ...]] | None:
        """For each input the labels that it may have: the true one is among them with the probability promised.

        None where nothing was promised: held-out rows were too few, or the task is regression.

        Raises:
            SourceError: an input is unreadable.
        """
        task = self.bundle.task
        chosen = self.bundle.caution.sets(self.predict_proba(inputs), multilabel=task.several)
        return None if chosen is None else [tuple(np.array(task.labels, dtype=object)[row]) for row in chosen]

    @property
    def reference(self) -> Reference | None:
        """A sample of the rows it was made from, as it sees them; None where it has no features."""
        known = self.bundle.caution.known
        return Reference(known.vectors, known.y) if known is not None and len(known.rows) else None

    def _answer(self, rows: np.ndarray, progress: Progress | None = None) -> Predictions:
        """Answers, nan and None in unreadable rows."""
        bundle, task = self.bundle, self.bundle.task
        seen = self._see(rows, progress)
        kept = _kept(len(rows), seen.rejected)
        probabilities: Any = np.full((len(rows), task.outputs), np.nan, dtype=task.precision)
        vectors = None if bundle.control is not None else seen.x
        answers, unknown, answered = np.full(len(rows), None, dtype=object), np.full(len(rows), np.nan), kept.copy()
        if kept.any():
            found: Any = bundle.model.probabilities(seen.x[kept])
            if task.each:
                probabilities = scattered(found, kept)
            else:
                probabilities[kept] = found
            answers[kept] = task.reported(bundle.caution.decided(found), rows[kept])
            unknown[kept] = bundle.caution.unknown(found, None if vectors is None else vectors[kept])
            answered[kept] = bundle.caution.answered(found, multilabel=task.several)
        elif task.each:
            probabilities = Ragged(probabilities[:0], np.zeros(len(rows) + 1, np.int64))
        reading = None if seen.read is None else get(self.base.modality).reading(self.base.spec, seen.read[kept])
        return Predictions(answers, probabilities, unknown, answered, seen.rejected, reading, vectors)

    def _inputs(self, inputs: Sequence[Any] | np.ndarray) -> np.ndarray:
        """One row each, as the task takes them."""
        rows = as_inputs(inputs)
        return self.bundle.task.taken(rows) if self.bundle.task.each else rows

    def _see(self, rows: np.ndarray, progress: Progress | None = None) -> Seen:
        """What the head or control takes of ``rows``."""
        bundle = self.bundle
        if bundle.control is None:
            return self._features(rows, progress)
        return for_baseline(rows, bundle.modality, bundle.preprocessing)

    def _features(self, rows: np.ndarray, progress: Progress | None = None) -> Seen:
        head = self.bundle.head
        base = self.base  # which refuses where there is none
        with self._lock:
            if self._predictor is None:
                self._predictor = Predictor(base, self.bundle.dtype, self.bundle.serving, threads=self._threads)
        width = base.width if head is None else len(head.weight)
        with pinned(self._device):
            return self._predictor.features(rows, width, progress)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: it opens base and session itself."""
        kept = ("_remote_code", "_threads", "_device")
        return {"bundle": self.bundle, **{name: getattr(self, name) for name in kept}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _base=None, _predictor=None, _lock=threading.RLock())
        begins_anew_after_fork(self)

    def after_fork(self) -> None:
        """In a child process: another thread may have held the lock when it was forked."""
        self._lock = threading.RLock()


@filled()
def load(path: str | Path, *, trust_remote_code: bool = False, threads: int = 1, device: str | None = None) -> Model:
    """The model that a run left in its folder, to be loaded once and to answer many times, from any thread.

    Args:
        trust_remote_code: whether code of the base's own may run, where it needs any.
        threads: that one answer works on: 1 lets as many be given at a time as there are processors, more give a single
            one sooner.
        device: where the base runs: "auto", "cpu", "cuda", "cuda:1" or "mps"; None: what HEADSTART_DEVICE says when
            the first answer is given, or auto.

    Raises:
        BundleError: ``path`` holds no run or bundle, or a damaged one.
        SettingError: ``device`` is none, or one that this machine lacks.
    """
    return Model.load(path, trust_remote_code=trust_remote_code, threads=threads, device=device)


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
