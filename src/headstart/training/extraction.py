"""One extraction: what the cache lacks is decoded, run through the base, and kept as it comes."""

from __future__ import annotations

import itertools
import json
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from headstart import __version__
from headstart.bases.allocator import keep_freed_memory
from headstart.bases.base import POOLED, Base
from headstart.bases.device import Run
from headstart.bases.runtime import ONNX, Choice, Measured, build, choose, forget, mend_graph, remembered
from headstart.errors import HeadstartWarning, OutputError, SettingError
from headstart.modalities import get
from headstart.modalities.stream import Piece, Pieces
from headstart.progress import Progress
from headstart.ragged import Ragged, joined
from headstart.training.cache import FeatureCache, Space
from headstart.training.cache_use import prune, prune_others, size_limit
from headstart.training.extracted import Extracted
from headstart.versions import installed

_ROWS_PER_COMMIT = 256  # a killed run loses at most these
_TELLING = 256  # inputs after which a rate can be trusted
_FEW_TOLD = 64  # inputs after which a rate can be told roughly
_IN_USE = 3600.0  # seconds: a space opened since may be another run's
_LENGTHS = "tokens"  # the stage whose vectors are lengths
ITEMS = "items"  # the stage of which an input has several vectors


@dataclass
class Served:
    """How a model that was saved reads inputs: as its features came, and whether or not there is a cache to write.

    Attributes:
        dtype: the precision of its features.
        runtime: what runs its base.
        ready: gives the way to run it; None: what was measured on this machine, in that precision.
    """

    dtype: str
    runtime: str = ""
    ready: Callable[[], Run] | None = None
    _told: bool = field(default=False, init=False)

    def go_on_without(self, error: OutputError) -> None:
        """Say once that the cache is not used."""
        if not self._told:
            self._told = True
            what = str(error).partition(". Free space")[0].rstrip(".")
            warnings.warn(f"{what}; answers are computed without it", HeadstartWarning, stacklevel=2)


class Extraction:
    """The work of `headstart.training.features.extract`, which says what goes in and comes out.

    Args:
        base, inputs, served: see there.
        out: filled in.
        wanted: [n] bool, the readable rows, equal inputs once.
        until: `time.perf_counter()` by which all must be done, or None.
    """

    def __init__(
        self,
        base: Base,
        inputs: Sequence[Any] | np.ndarray,
        out: Extracted,
        wanted: np.ndarray,
        *,
        served: Served | None = None,
        until: float | None = None,
    ) -> None:
        self._until = until
        self._base, self._inputs, self._out, self._served = base, inputs, out, served
        self._for_base = wanted.copy()
        self._for_classical = wanted & (out.classical is not None)
        self._modality = get(base.modality)
        self._unmeasured = wanted & self._modality.maybe_long(inputs, base.spec)
        self._caches: dict[str, FeatureCache] = {}
        self._pending: dict[str, tuple[list[str], list[Any]]] = {}
        self._chosen: Measured | None = None
        self._busy = 0.0  # seconds within the runtime

    def run(self, progress: Progress) -> None:
        """Fill ``out``."""
        limit = size_limit()  # a wrong HEADSTART_CACHE_SIZE is said before the work
        with ExitStack() as stack:
            if self._out.classical is not None:
                space = classical_space(self._base)
                self._use(stack, "classical", space, self._for_classical, self._out.classical)
            if self._out.read is not None:
                self._use(stack, "lengths", lengths_space(self._base), self._unmeasured, self._out.read)
            choice = None if self._run_given else remembered(self._base)
            if self._served or choice:
                self._use_base(stack, choice)
            self._measure(self._unmeasured & ~(self._for_base | self._for_classical))  # the stream tells of the others
            if not (self._for_base | self._for_classical).any():
                return
            stream = self._stream()  # decoding starts here, beside the loading of the base
            try:
                runner = self._ready(stack, stream, choice) if self._for_base.any() else None
                self._consume(stream, runner, progress)
            finally:
                stream.close()
            if self._caches:
                bound(list(self._caches.values()), limit)

    @property
    def _run_given(self) -> bool:
        return self._served is not None and self._served.ready is not None

    def _use_base(self, stack: ExitStack, choice: Choice | None) -> None:
        """Open the space of the precision to compute in, and take what it has."""
        base = self._base
        if self._served:
            self._out.dtype = self._served.dtype
        elif choice:
            self._out.dtype = choice.dtype
        preprocessing, dtype = base.preprocessing(), self._out.dtype
        name, weights = base.identity.name, base.identity.weights
        ragged = isinstance(self._out.vectors, Ragged)
        stage, width = (ITEMS, 0) if ragged else (POOLED, base.width)
        space = Space(name, weights, stage, preprocessing, dtype, width, base.computed_by())
        self._use(stack, "base", space, self._for_base, self._out.vectors)

    def _use(self, stack: ExitStack, name: str, space: Space, missing: np.ndarray, into: Any) -> None:
        """Open ``space``, copy what it has into ``into`` [n, width] or ragged and clear those rows of ``missing``."""
        try:
            cache = stack.enter_context(FeatureCache(space))
        except OutputError as error:
            if self._served is None:
                raise
            self._served.go_on_without(error)
            return
        self._caches[name] = cache
        rows = np.flatnonzero(missing)
        keys = [str(key) for key in self._out.keys[rows]]
        if isinstance(into, Ragged):
            found, ragged = cache.get_ragged(keys, into.counts[rows], self._base.width)
            into[rows[found]] = ragged
        else:
            found, vectors = cache.get(keys)
            into[rows[found]] = vectors[found]
        missing[rows[found]] = False

    def _stream(self) -> Pieces:
        for_base, for_classical = self._for_base.copy(), self._for_classical.copy()
        return self._modality.stream(self._inputs, self._base, for_base, for_classical, self._out.reject)

    def _measure(self, some: np.ndarray) -> None:
        """How long the inputs ``some`` [n] bool are, whose features are known and whose lengths are not."""
        if some.any():
            rows = np.flatnonzero(some)
            self._note(rows, self._modality.lengths([self._inputs[int(row)] for row in rows], self._base))
            self._commit_all()

    def _note(self, rows: np.ndarray, read: np.ndarray) -> None:
        """Keep how long the inputs of ``rows`` are, and how much of them is not read."""
        if self._out.read is None:
            return
        self._out.read[rows] = read
        new = rows[self._unmeasured[rows]]
        self._unmeasured[rows] = False
        if len(new):
            self._keep("lengths", new, self._out.read[new])

    def _ready(self, stack: ExitStack, stream: Pieces, choice: Choice | None) -> Run:
        """The runtime, loaded; the first time on this machine it is chosen on the stream's own inputs."""
        out, start = self._out, time.perf_counter()
        keep_freed_memory()
        if self._served is not None and self._served.ready is not None:
            runner = self._served.ready()
            out.runtime, out.loading = self._served.runtime, time.perf_counter() - start
            return runner
        if choice:
            chosen = self._chosen = choice.best(int(self._for_base.sum()), out.dtype)
            if chosen.name == ONNX:
                mend_graph(choice, self._base)
            runner = build(chosen.name, self._base, None)
            out.runtime, out.loading = choice.sentence(chosen), time.perf_counter() - start
            return runner
        network = self._base.network()
        out.loading = time.perf_counter() - start
        first = _middle_first(stream) if stream.small else list(itertools.islice(stream, 1))
        stream.settle()
        start = time.perf_counter()
        sample = next((piece.batch for piece in first if piece.batch is not None), None) or tuple(
            tensor.numpy() for tensor in network.example()
        )
        choice = choose(network, self._base, tuple(a[: self._modality.sample] for a in sample), out.loading)
        if self._served is None:
            self._use_base(stack, choice)
        chosen = max((m for m in choice.usable if m.dtype == out.dtype), key=lambda m: m.rate)  # torch is loaded by now
        runner = build(chosen.name, self._base, None if chosen.name == ONNX else network)
        out.runtime, out.choosing = choice.sentence(chosen), time.perf_counter() - start
        stream.put_back(first)
        return runner

    def _consume(self, stream: Pieces, runner: Run | None, progress: Progress) -> None:
        wanted, done, start = int((self._for_base | self._for_classical).sum()), 0, time.perf_counter()
        whole, work = stream.work or wanted, 0
        with progress.track("features", wanted) as track:
            try:
                for piece in stream:
                    self._take(piece, runner)
                    track.advance(len(piece.rows))
                    done, work = done + len(piece.rows), work + (piece.work or len(piece.rows))
                    self._check_time(done, wanted, work / whole, time.perf_counter() - start)
            finally:  # on Ctrl-C too: what was computed is kept
                self._commit_all()
        if self._chosen and self._out.computed >= _TELLING and self._out.computed / self._busy > 2 * self._chosen.rate:
            forget(self._base)  # measured while the machine was busy with something else

    def _check_time(self, done: int, wanted: int, share: float, spent: float) -> None:
        """`SettingError` as soon as the rate, ``share`` of the work in ``spent`` s, shows that the time will not do."""
        now = time.perf_counter()
        if self._until is None or done == wanted or (done < _FEW_TOLD and now < self._until):
            return
        needed = max(1e-9, spent * (1 - share) / share)  # 0 where all that is left are rows that cannot be read
        if now + needed > self._until:
            less = ", fewer --windows" if self._out.read is not None and self._out.read.any() else ""
            fitting = done + int(max(0.0, self._until - now) / needed * (wanted - done))
            raise SettingError(
                f"the budget is too small to pass all {wanted:,} {self._modality.plural} once through "
                f"{self._base.identity.name}: about {fitting:,} would fit, and {needed:.0f} s more are needed for the "
                f"rest; give a larger --budget (what was computed is kept), fewer rows{less} or a smaller --base."
            )

    def _take(self, piece: Piece, runner: Run | None) -> None:
        out = self._out
        if piece.read is not None:
            self._note(piece.rows, piece.read)
        if piece.classical is not None and out.classical is not None:
            out.classical[piece.rows] = piece.classical
            self._keep("classical", piece.rows, piece.classical)
        needed = self._for_base[piece.rows]
        if runner and piece.batch is not None and needed.any():
            piece = piece.take(needed)
            start = time.perf_counter()
            vectors = piece.run(runner)
            self._busy += time.perf_counter() - start
            out.vectors[piece.rows] = vectors
            out.computed += len(vectors)
            self._keep("base", piece.rows, vectors)

    def _keep(self, name: str, rows: np.ndarray, vectors: Any) -> None:
        if name not in self._caches:
            return
        keys, kept = self._pending.setdefault(name, ([], []))
        keys.extend(self._out.keys[rows])
        kept.append(vectors)
        if len(keys) >= _ROWS_PER_COMMIT:
            self._commit(name)

    def _commit_all(self) -> None:
        for name in list(self._pending):
            self._commit(name)

    def _commit(self, name: str) -> None:
        keys, kept = self._pending.pop(name)
        self._put(name, [str(key) for key in keys], joined(kept))

    def _put(self, name: str, keys: list[str], vectors: Any) -> None:
        cache = self._caches[name]
        try:
            if isinstance(vectors, Ragged):
                cache.put_ragged(keys, vectors)
            else:
                cache.put(keys, vectors)
        except OutputError as error:  # readable, but not writable; or full
            if self._served is None:
                raise
            self._served.go_on_without(error)
            del self._caches[name]


def lengths_space(base: Base) -> Space:
    """How long an input is, and how much of it is not read."""
    return Space(base.identity.name, "", _LENGTHS, base.preprocessing(), "float32", 2, base.computed_by())


def bound(in_use: Sequence[FeatureCache], limit: int, keep: Collection[str] = ()) -> None:
    """Keep the cache within ``limit`` bytes: other spaces go first, then the oldest vectors of those ``in_use``.

    Args:
        keep: keys whose vectors are still needed, and stay.
    """
    prune(limit, unused_for=_IN_USE, keep=[cache.path for cache in in_use])
    prune_others(limit)
    for cache in in_use:
        cache.trim(limit, keep)


def _middle_first(stream: Pieces) -> list[Piece]:
    """All pieces, one of middling length first."""
    pieces = list(stream)
    middle = len(pieces) // 2
    return pieces[middle:] + pieces[:middle]


def classical_space(base: Base) -> Space:
    """Classical features depend on an input as decoded for ``base``, not on its weights."""
    modality = get(base.modality)
    found = modality.classical
    if found is None:
        raise SettingError(f"there are no classical features of {modality.plural}.")
    shape = {key: value for key, value in base.spec.to_dict().items() if key not in ("mean", "std")}
    preprocessing = json.dumps(shape, sort_keys=True)
    version, code = f"v{found.version}", json.dumps({"headstart": __version__, **installed(*modality.readers)})
    return Space("classical", version, "classical", preprocessing, "float32", found.width, code)
