"""Inputs on their way to a base: decoded on threads ahead of the compute, in batches that suit it."""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from headstart.bases.base import Base
from headstart.bases.device import Run
from headstart.modalities import get as get_modality
from headstart.modalities.image import ImageSpec, classical
from headstart.modalities.modality import Unreadable
from headstart.training.tokens import TokenIds, Tokens

#: Decoded pictures waiting at most: 512 of 224 x 224 take 77 MB, however many inputs there are.
WINDOW = 512
IMAGE_BATCH = 16
TOKENS_PER_BATCH = 1024  # texts x longest; measured flat from 512 to 2,048 on a CPU (docs/log.md)
_GPU_FACTOR = 16
_WAITING = 128 * 2**20  # bytes

T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """One batch of the stream.

    Attributes:
        rows: [b] int, which inputs these are.
        batch: what a runtime takes, first axis b, or the windows of long texts; None where only classical features were
            wanted.
        classical: [b, d] float32 or None.
        shares: [windows] float32, where some of the texts are read in windows: what each counts in its text's features.
        firsts: [b] int, where each text's windows begin; None without ``shares``.
        work: tokens of the texts, or 0, where all inputs take the same.
    """

    rows: np.ndarray
    batch: tuple[np.ndarray, ...] | None
    classical: np.ndarray | None = None
    shares: np.ndarray | None = None
    firsts: np.ndarray | None = None
    work: int = 0

    def run(self, runner: Run) -> np.ndarray:
        """The features [b, width] by ``runner``: of texts in windows the mean, in runs of `at_once` tokens."""
        batch = self.batch or ()
        if self.shares is None or self.firsts is None:
            return runner(batch)
        windows, width = batch[0].shape
        runs = np.array_split(np.arange(windows), -(-windows * width // at_once()))
        found = np.concatenate([runner(tuple(a[part] for a in batch)) for part in runs if len(part)])
        return np.add.reduceat(found * self.shares[:, None], self.firsts, axis=0)

    def take(self, some: np.ndarray) -> Piece:
        """The rows where ``some`` [b] bool, for the base alone; of texts in windows all, which are few."""
        if self.batch is None or self.shares is not None:
            return self
        return replace(self, rows=self.rows[some], batch=tuple(a[some] for a in self.batch), classical=None)


Reject = Callable[[int, str], None]


def window(spec: ImageSpec) -> int:
    """Decoded pictures that may wait: `WINDOW`, or as many as take 128 MiB where they are large or of many channels."""
    return max(2 * IMAGE_BATCH, min(WINDOW, _WAITING // (spec.size**2 * spec.channels)))


def threads() -> int:
    """Threads that decode: the processors this process may use, at most 8."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Ahead(Iterator[tuple[int, T]]):
    """``work`` of each row on threads, in order, at most ``window`` results waiting; starts at once."""

    def __init__(self, work: Callable[[int], T], rows: Iterable[int], window: int | None = None) -> None:
        self._window = WINDOW if window is None else window
        self._pool = ThreadPoolExecutor(threads(), thread_name_prefix="decode")
        self._work, self._remaining = work, iter(rows)
        self._waiting: deque[tuple[int, Future[T]]] = deque()
        self._fill()

    def _fill(self) -> None:
        while len(self._waiting) < self._window and (row := next(self._remaining, None)) is not None:
            self._waiting.append((row, self._pool.submit(self._work, row)))

    def __next__(self) -> tuple[int, T]:
        if not self._waiting:
            self.close()
            raise StopIteration
        row, future = self._waiting.popleft()
        result = future.result()
        self._fill()
        return row, result

    def settle(self) -> None:
        """Wait until everything under way is done, so that something else can be timed undisturbed."""
        wait([future for _, future in self._waiting])

    def close(self) -> None:
        """Drop what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Pieces(Iterator[Piece]):
    """A stream of batches, and the threads that may be working ahead of it.

    Attributes:
        work: tokens of all texts, or 0, where all inputs take the same.
    """

    work = 0

    def __init__(self, pieces: Iterator[Piece], behind: Ahead[Any] | None = None) -> None:
        self._pieces, self._behind = pieces, behind

    def __next__(self) -> Piece:
        return next(self._pieces)

    def put_back(self, pieces: list[Piece]) -> None:
        """Have ``pieces`` come first again."""
        self._pieces = itertools.chain(pieces, self._pieces)

    def settle(self) -> None:
        """See `Ahead.settle`."""
        if self._behind:
            self._behind.settle()

    def close(self) -> None:
        """See `Ahead.close`."""
        if self._behind:
            self._behind.close()


def image_pieces(
    inputs: Sequence[Any] | np.ndarray,
    spec: ImageSpec,
    for_base: np.ndarray,
    for_classical: np.ndarray,
    reject: Reject,
) -> Pieces:
    """Pictures decoded once each, for the base, the control's classical features, or both.

    Args:
        inputs: paths, bytes, PIL images or arrays.
        spec: the base's preprocessing.
        for_base, for_classical: [n] bool, which rows are wanted for what.
        reject: told the row and reason of an unreadable input.

    Decoding starts at the call, before the first piece is asked for.
    """
    modality = get_modality("image")

    def decode(row: int) -> tuple[np.ndarray, np.ndarray | None] | Unreadable:
        try:
            pixels = modality.decode(inputs[row], spec)
        except Unreadable as error:
            return error
        return pixels, classical(pixels) if for_classical[row] else None

    both = np.flatnonzero(for_base & for_classical)
    groups = [
        (both, True),
        (np.flatnonzero(for_base & ~for_classical), True),
        (np.flatnonzero(~for_base & for_classical), False),
    ]
    decoded = Ahead(decode, [int(row) for rows, _ in groups for row in rows], window(spec))

    def pieces() -> Iterator[Piece]:
        size = IMAGE_BATCH * _factor() if for_base.any() else IMAGE_BATCH
        for rows, wanted in groups:
            yield from _batched(decoded, len(rows), wanted, size, reject)

    return Pieces(pieces(), decoded)


def _batched(
    decoded: Iterator[tuple[int, Any]], count: int, wanted: bool, size: int, reject: Reject
) -> Iterator[Piece]:
    rows: list[int] = []
    results: list[tuple[np.ndarray, np.ndarray | None]] = []
    for i in range(count):
        row, result = next(decoded)
        if isinstance(result, Unreadable):
            reject(row, str(result))
        else:
            rows.append(row)
            results.append(result)
        if rows and (len(rows) == size or i == count - 1):
            features = np.stack([c for _, c in results if c is not None]) if results[0][1] is not None else None
            yield Piece(np.array(rows), (np.stack([p for p, _ in results]),) if wanted else None, features)
            rows, results = [], []


def text_pieces(
    inputs: Sequence[Any] | np.ndarray, base: Base, rows: np.ndarray, reject: Reject, tokens: Tokens | None = None
) -> TextPieces:
    """Texts tokenised and grouped by length, so that next to nothing is spent on padding.

    Args:
        tokens: the base's, where they are open already.
    """
    modality, texts, readable = get_modality("text"), [], []
    for row in rows:
        try:
            texts.append(modality.decode(inputs[row], base.spec))
            readable.append(int(row))
        except Unreadable as error:
            reject(int(row), str(error))
    tokens = tokens or Tokens(base)
    return TextPieces(tokens, tokens.ids(texts), np.array(readable, int))


class TextPieces(Pieces):
    """Batches of texts; of those that are read in windows, a window a row of the batch.

    Attributes:
        ids: of the readable texts.
        rows: [n] int, which inputs these are.
    """

    def __init__(self, tokens: Tokens, ids: TokenIds, rows: np.ndarray) -> None:
        self.ids, self.rows, self._tokens, self.work = ids, rows, tokens, int(ids.sizes.sum())
        super().__init__(self._batches())

    def _batches(self) -> Iterator[Piece]:
        ids = self.ids
        widths = ids.sizes // np.maximum(ids.windows, 1)
        order = np.lexsort((ids.windows, widths))
        for members in _within_budget(order.tolist(), widths.tolist(), ids.windows.tolist(), at_once()):
            rows, windows, work = self.rows[members], [ids[i] for i in members], int(ids.sizes[members].sum())
            if max(len(one) for one in windows) == 1:
                yield Piece(rows, self._tokens.padded(windows), work=work)
                continue
            # of a text that repeats itself, equal windows pass through once
            different, counts = zip(*map(_different, windows), strict=True)
            shares = np.concatenate([count / count.sum() for count in counts]).astype(np.float32)
            firsts = np.append(0, np.cumsum([len(one) for one in different])[:-1])
            batch = self._tokens.padded([window[None] for one in different for window in one])
            yield Piece(rows, batch, None, shares, firsts, work)


def _different(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The windows [m, tokens] that are unlike one another, and how often each is there."""
    if len(windows) == 1:
        return windows, np.ones(1, int)
    return np.unique(windows, axis=0, return_counts=True)


def _within_budget(order: list[int], widths: list[int], windows: list[int], budget: int) -> Iterator[list[int]]:
    """Runs of ``order`` (shortest first) whose padded size is at most ``budget`` tokens, at least one text each."""
    members: list[int] = []
    count = 0
    for i in order:
        if members and (count + windows[i]) * widths[i] > budget:
            yield members
            members, count = [], 0
        members.append(i)
        count += windows[i]
    if members:
        yield members


def at_once() -> int:
    """Tokens, padding included, that pass through a base together."""
    return TOKENS_PER_BATCH * _factor()


def _factor() -> int:
    """How many times larger batches are on an accelerator; asked once the base is loaded, so torch is there if used."""
    if "torch" not in sys.modules:
        return 1
    from headstart.bases.device import device

    return 1 if device().type == "cpu" else _GPU_FACTOR
