"""A base opened once to answer many times: session, tokenizer and preprocessing, whoever asks and from which thread."""

from __future__ import annotations

import json
import os
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import Base
from headstart.bases.device import Batch, Run, device, device_name
from headstart.bases.onnx_base import OnnxBase
from headstart.bases.runtime import BFLOAT16, FLOAT32, ONNX, graph_path, remembered
from headstart.bases.runtime_onnx import kept_graph, run_of
from headstart.delivery.serving import Serving
from headstart.modalities import get
from headstart.modalities.stream import threads
from headstart.modalities.types import ReadAs, Unreadable
from headstart.progress import Progress
from headstart.training.extraction import Served
from headstart.training.features import blank, extract, without

#: Up to this many inputs are answered without the cache, which costs more than it saves on so few.
FEW = 32
GIVEN = "onnxruntime, the graph of the base itself"
SAVED = "onnxruntime, the graph that was saved"
_NVIDIA = "/dev/nvidiactl"  # there where its driver is


@dataclass(frozen=True)
class Seen:
    """What a model sees of n inputs.

    Attributes:
        x: what head or baseline takes, first axis n; zeros in rows that are rejected. Ragged where the base gives a
            vector for each item of an input; rows that are rejected then have none.
        rejected: row -> reason.
        read: [n, 2] of texts: tokens, and those that are not read; None of others.
    """

    x: Any
    rejected: dict[int, str]
    read: np.ndarray | None = None


@dataclass(frozen=True)
class _Open:
    """What is open in this process; ``spread`` uses all processors for one batch."""

    name: str
    run: Run
    spread: Run
    reader: Any


class Predictor:
    """Features of a base, opened at the first call and kept.

    Any number of threads may ask at once: only opening takes a lock. One answer works on one thread, so that as many
    are given at a time as there are processors. After a fork the child opens its own.

    Args:
        base: with its changes.
        dtype: the precision of the features that the head was fitted on.
        serving: as saved.
        threads: that one answer works on, where ONNX Runtime gives it.
    """

    def __init__(self, base: Base, dtype: str, serving: Serving, *, threads: int = 1) -> None:
        self._base, self._dtype, self._serving, self._threads = base, dtype, serving, threads
        self._open: _Open | None = None
        self._lock = threading.Lock()
        begins_anew_after_fork(self)

    def features(self, rows: np.ndarray, width: int, progress: Progress | None = None) -> Seen:
        """The features of ``rows`` [n] of inputs: [n, width], or `headstart.ragged.Ragged` of their items.

        Few are computed outright. More go through the cache, where one can be written: what a run or an earlier answer
        computed is not computed again.
        """
        if len(rows) <= FEW:
            return self._outright(rows, width)
        ready = None if _accelerated() and self._base.trainable else lambda: self._opened().spread
        name = "" if ready is None else self._opened().name
        served = Served(self._dtype, name, ready)
        found = extract(self._base, rows, served=served, progress=progress)
        return Seen(found.vectors, found.rejected, found.read)

    def _outright(self, rows: np.ndarray, width: int) -> Seen:
        ready, rejected = self._opened(), dict[int, str]()
        reject = rejected.__setitem__
        everyone, run = np.ones(len(rows), bool), ready.run if len(rows) == 1 else ready.spread
        modality = get(self._base.modality)
        x = blank(self._base, rows, width)
        read = np.zeros((len(rows), 2), np.float32) if modality.long else None
        with closing(modality.stream(rows, self._base, everyone, ~everyone, reject, ready.reader)) as stream:
            for piece in stream:
                x[piece.rows] = piece.run(run)
                if read is not None and piece.read is not None:
                    read[piece.rows] = piece.read
        kept = np.ones(len(rows), bool)
        kept[list(rejected)] = False
        return Seen(without(x, kept), rejected, read)

    def _opened(self) -> _Open:
        found = self._open
        if found is not None:
            return found
        with self._lock:
            if self._open is None:
                keep_freed_memory()
                reader = get(self._base.modality).reader(self._base)
                self._open = _Open(*self._runtime(), reader)
            return self._open

    def _runtime(self) -> tuple[str, Run, Run]:
        """Its name, and the base run on few and on all processors."""
        base, serving = self._base, self._serving
        if isinstance(base, OnnxBase):
            run = base.narrow(self._threads).run()
            return GIVEN, run, _spread(run)
        files = {**base.weights_by_name, **serving.files}
        elsewhere = device_name() not in ("auto", "cpu")
        if elsewhere:
            device()  # refuses what this machine lacks
        if serving.graph is not None and not elsewhere:
            run = run_of(serving.graph.session(files, self._threads))
            return SAVED, run, _spread(run)
        choice = remembered(base) if self._dtype == FLOAT32 and not elsewhere else None
        if choice and any(measured.name == ONNX for measured in choice.usable):
            run = run_of(kept_graph(graph_path(base)).session(files, self._threads))
            return ONNX, run, _spread(run)
        from headstart.bases.runtime_torch import torch_run

        run = torch_run(base.network(), folded=False, half=self._dtype == BFLOAT16)
        return f"torch-{self._dtype}", run, run

    def after_fork(self) -> None:
        """In the child: what the parent opened may wait for threads that are not here."""
        if self._open is not None:
            _LEFT.append(self._open)  # never closed, for that would wait for them too
            if self._open.name.startswith("torch"):
                sys.modules["torch"].set_num_threads(1)
        self._open, self._lock = None, threading.Lock()


def for_baseline(rows: np.ndarray, modality: str, preprocessing: str) -> Seen:
    """What a baseline takes of ``rows``: classical features, read as ``preprocessing`` says, or the inputs themselves.

    They are not cached: serving writes nothing.
    """
    own, rejected = get(modality), dict[int, str]()
    if own.classical is None:
        for row, value in enumerate(rows):
            try:
                own.decode(value, None)
            except Unreadable as error:
                rejected[row] = str(error)
        return Seen(rows, rejected)
    x, nobody = np.zeros((len(rows), own.classical.width), np.float32), np.zeros(len(rows), bool)
    read_as = ReadAs(own.spec(json.loads(preprocessing)))
    with closing(own.stream(rows, read_as, nobody, ~nobody, rejected.__setitem__)) as stream:
        for piece in stream:
            x[piece.rows] = piece.classical
    return Seen(x, rejected)


def _spread(run: Run) -> Run:
    """``run`` with a batch parted among the processors."""

    def parted(batch: Batch) -> np.ndarray:
        count = len(batch[0])
        parts = np.array_split(np.arange(count), min(threads(), max(1, count)))
        if len(parts) == 1:
            return run(batch)
        with ThreadPoolExecutor(len(parts)) as pool:
            return np.concatenate(list(pool.map(lambda part: run(tuple(a[part] for a in batch)), parts)))

    return parted


def _accelerated() -> bool:
    """Whether there may be something faster than the CPU, told without loading torch."""
    name = device_name()
    if name != "auto":
        return name != "cpu"
    return Path(_NVIDIA).exists() or sys.platform == "darwin"


class Forked(Protocol):
    """What is told in a child process that it was forked."""

    def after_fork(self) -> None:
        """Begin anew: locks may be held by threads that are not here."""


_LEFT: list[_Open] = []
_TOLD: weakref.WeakSet[Forked] = weakref.WeakSet()


def begins_anew_after_fork(one: Forked) -> None:
    """Have ``one.after_fork`` called in every process that is forked from this one, as long as it lives."""
    _TOLD.add(one)


def _forked() -> None:
    for one in list(_TOLD):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
