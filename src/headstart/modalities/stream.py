"""Inputs on their way to a base: decoded on threads ahead of the compute, in batches that suit it."""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from headstart.modalities.types import Reject, Unreadable
from headstart.ragged import Ragged, offsets_of

if TYPE_CHECKING:
    from headstart.bases.device import Run

#: Decoded inputs waiting at most: 512 pictures of 224 x 224 take 77 MB, however many inputs there are.
WINDOW = 512
#: Inputs of one size that pass through a base together, on a CPU.
BATCH = 16
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
        read: [b, 2] float32, how long each input is, and how much of it is not read; None where all take the same.
        shares: [windows] float32, where some inputs are read in windows: what each counts in its input's features;
            None of inputs of several items, which are in one window each.
        firsts: [b] int, where each input's windows begin; None where all are read at once.
        work: of the inputs, in what their length is counted in; 0 where all take the same.
        together: windows that pass through the base at once.
        counts: [b] int, the items of each input, where each item has features; None: each input has.
    """

    rows: np.ndarray
    batch: tuple[np.ndarray, ...] | None
    classical: np.ndarray | None = None
    read: np.ndarray | None = None
    shares: np.ndarray | None = None
    firsts: np.ndarray | None = None
    work: int = 0
    together: int = BATCH
    counts: np.ndarray | None = None

    def run(self, runner: Run) -> Any:
        """The features [b, width] by ``runner``: of inputs in windows the mean, ``together`` of them at once.

        Of inputs of several items `Ragged`, the features of each item.
        """
        found = self._found(runner)
        if self.counts is not None:
            return Ragged(found, offsets_of(self.counts))
        if self.shares is None or self.firsts is None:
            return found
        return np.add.reduceat(found * self.shares[:, None], self.firsts, axis=0)

    def _found(self, runner: Run) -> np.ndarray:
        """What ``runner`` gives for the whole batch."""
        batch = self.batch or ()
        if self.firsts is None:
            return runner(batch)
        runs = np.array_split(np.arange(len(batch[0])), -(-len(batch[0]) // self.together))
        return np.concatenate([runner(tuple(a[part] for a in batch)) for part in runs if len(part)])

    def take(self, some: np.ndarray) -> Piece:
        """The rows where ``some`` [b] bool, for the base alone; of inputs in windows all, which are few."""
        if self.batch is None or self.firsts is not None:
            return self
        counts = None if self.counts is None else self.counts[some]
        batch = tuple(a[some] for a in self.batch)
        return replace(self, rows=self.rows[some], batch=batch, classical=None, counts=counts)


def in_windows(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """`Piece.shares` and `Piece.firsts` of inputs in so many windows each, every window counting the same."""
    shares = np.concatenate([np.full(count, 1 / count) for count in counts]).astype(np.float32)
    return shares, starts_of(counts)


def starts_of(counts: Sequence[int]) -> np.ndarray:
    """[b] int, where each input's windows begin, of so many windows each."""
    return np.append(0, np.cumsum(counts)[:-1])


def window(size: int) -> int:
    """Decoded inputs of ``size`` bytes each that may wait: `WINDOW`, or as many as take 128 MiB."""
    return max(2 * BATCH, min(WINDOW, _WAITING // max(1, size)))


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
        work: of all inputs, in what their length is counted in; 0 where all take the same, or where it is not known.
        small: whether inputs are so small that all pieces may be held at once.
    """

    work = 0
    small = False

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


def asked(for_base: np.ndarray, for_classical: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    """Rows by what is wanted of them, each with whether the base wants it: both, the base alone, the features alone.

    Args:
        for_base, for_classical: [n] bool.
    """
    return [
        (np.flatnonzero(for_base & for_classical), True),
        (np.flatnonzero(for_base & ~for_classical), True),
        (np.flatnonzero(~for_base & for_classical), False),
    ]


def decoded_pieces(
    groups: Sequence[tuple[np.ndarray, bool]],
    decode: Callable[[int], tuple[np.ndarray, np.ndarray | None] | Unreadable],
    waiting: int,
    reject: Reject,
) -> Pieces:
    """Inputs of one size in batches, decoded on threads from the call on; one input alone needs no thread.

    Args:
        groups: (rows, whether the base wants them), one after another.
        decode: a row to what the base takes and its classical features, or the reason why not.
        waiting: decoded inputs that may wait.
        reject: told the row and reason of an unreadable input.
    """
    rows = [int(row) for members, _ in groups for row in members]
    decoded = Ahead(decode, rows, waiting) if len(rows) > 1 else None
    stream: Iterator[tuple[int, Any]] = decoded if decoded else ((row, decode(row)) for row in rows)

    def pieces() -> Iterator[Piece]:
        size = BATCH * accelerated() if any(wanted for _, wanted in groups) else BATCH
        for members, wanted in groups:
            yield from _batched(stream, len(members), wanted, size, reject)

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


def within_budget(order: list[int], widths: list[int], windows: list[int], budget: int) -> Iterator[list[int]]:
    """Runs of ``order`` (shortest first) whose padded size is at most ``budget``, at least one input each."""
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


def accelerated() -> int:
    """How many times larger batches are on an accelerator; asked once the base is loaded, so torch is there if used."""
    if "torch" not in sys.modules:
        return 1
    from headstart.bases.device import device

    return 1 if device().type == "cpu" else _GPU_FACTOR
