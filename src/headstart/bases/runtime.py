"""Which way to run a frozen base on this machine: measured, and kept only where the features stay the same.

The same weights run up to ten times faster one way than another. Each way is timed on real inputs against plain
float32; one that turns a feature vector by more than cosine `PARITY` is not used. What was measured is remembered in
the cache folder for this base and machine, so that later processes choose without measuring, and without importing
torch where another runtime is the quicker way to the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
import warnings
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart import __version__
from headstart.bases.base import Base
from headstart.bases.device import Batch, Run, device, device_name
from headstart.bases.onnx_base import OnnxBase
from headstart.bases.portable import PLACES
from headstart.cachedir import cache_root
from headstart.errors import HeadstartWarning, OutputError
from headstart.files import write_atomically
from headstart.versions import installed

if TYPE_CHECKING:
    from headstart.bases.network import Network

#: Least cosine between a runtime's features and plain float32's, over the inputs tried.
PARITY = 0.999
REFERENCE = "torch-float32"
#: How many times faster bfloat16 must be than the fastest float32 to be used.
CLEARLY = 1.2
FLOAT32, BFLOAT16 = "float32", "bfloat16"
ONNX = "onnxruntime"
#: The one way to run a base that is a graph already.
GIVEN = "onnxruntime, the graph as it is"
CANDIDATES = ("torch-float32-folded", "torch-bfloat16-folded", ONNX)


@dataclass(frozen=True)
class Measured:
    """One runtime as tried.

    Attributes:
        name: of the runtime.
        rate: examples/s.
        load: seconds until it is ready in a fresh process.
        cosine: least cosine to plain float32.
        left_out: why it is not used; "" if it is.
    """

    name: str
    rate: float
    load: float
    cosine: float
    left_out: str = ""

    @property
    def dtype(self) -> str:
        """The precision its features come in: part of the cache key."""
        return BFLOAT16 if BFLOAT16 in self.name else FLOAT32

    def seconds(self, count: int) -> float:
        """Predicted for ``count`` examples in a fresh process."""
        return self.load + count / self.rate


@dataclass(frozen=True)
class Choice:
    """What was measured for a base on this machine.

    Attributes:
        tried: each way.
        graph: checksum of the exported graph; 0 where none was.
        on_cpu: whether that was on the CPU.
    """

    tried: tuple[Measured, ...]
    graph: int = 0
    on_cpu: bool = True

    @property
    def usable(self) -> list[Measured]:
        """Those that keep parity."""
        return [measured for measured in self.tried if not measured.left_out]

    @property
    def half_pays(self) -> bool:
        """Whether bfloat16 keeps parity and is clearly faster than the fastest float32.

        Clearly, for rates vary from one measurement to the next.
        """
        best = {m.dtype: m.rate for m in sorted(self.usable, key=lambda m: m.rate)}
        return best.get(BFLOAT16, 0.0) > CLEARLY * best[FLOAT32]

    @property
    def dtype(self) -> str:
        """The precision of features: on the CPU float32, whatever was measured; on accelerators bfloat16 if it pays.

        A model's features, and with them its answers, are to be the same on every CPU and whatever runs the base. Which
        precision is accepted on the CPU was a matter of the inputs tried: 0.9990 for one sample, 0.9938 for another.
        """
        return BFLOAT16 if self.half_pays and not self.on_cpu else FLOAT32

    def best(self, count: int, dtype: str | None = None) -> Measured:
        """The quickest way to ``count`` examples, loading included, in ``dtype``; None: in that of features."""
        allowed = [measured for measured in self.usable if measured.dtype == (dtype or self.dtype)]
        return min(allowed, key=lambda measured: measured.seconds(count))

    def sentence(self, chosen: Measured) -> str:
        """What was chosen and why, for the terminal and the result."""
        if chosen.name == GIVEN:
            return GIVEN
        plain = next(measured for measured in self.tried if measured.name == REFERENCE)
        times = f", {chosen.rate / plain.rate:.1f} x plain float32" if chosen.name != REFERENCE else ""
        return f"{chosen.name}{times} at cosine {chosen.cosine:.4f}, ready in {chosen.load:.1f} s"


def remembered(base: Base) -> Choice | None:
    """What was measured earlier for this base on this machine, if anything."""
    path = measured_path(base, ".json")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        with contextlib.suppress(OSError):  # a cache that is only read
            os.utime(path)  # last used
        tried = tuple(Measured(**measured) for measured in values["tried"])
        choice = Choice(tried, int(values.get("graph", 0)), bool(values.get("on_cpu", True)))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    complete = any(m.name in (REFERENCE, GIVEN) for m in choice.usable) and all(m.rate > 0 for m in choice.usable)
    graph_missing = any(m.name == ONNX for m in choice.usable) and not all(map(Path.exists, graph_files(base)))
    return choice if complete and not graph_missing else None


def runtimes_root() -> Path:
    """The folder of what was measured and of exported graphs."""
    return cache_root() / "runtimes"


def graph_path(base: Base) -> Path:
    """Where the base's exported graph is kept."""
    return measured_path(base, ".onnx")


def graph_files(base: Base) -> tuple[Path, Path]:
    """The same, and the list of where the weights lie that it lacks."""
    return graph_path(base), measured_path(base, PLACES)


def measured_path(base: Base, suffix: str) -> Path:
    """Named by all that the measurement depends on: base, preprocessing, machine, device, library versions."""
    return machine_path(suffix, base.key())


def machine_path(suffix: str, *told: str) -> Path:
    """The same of what depends on ``told`` besides machine, device and library versions."""
    versions = installed("torch", "onnxruntime")
    machine = [platform.machine(), platform.node(), str(os.cpu_count()), device_name(), __version__, versions]
    key = json.dumps([*told, machine])
    return runtimes_root() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}{suffix}"


def forget(base: Base) -> None:
    """Drop what was measured, so that the next run measures anew."""
    measured_path(base, ".json").unlink(missing_ok=True)


def choose(network: Network, base: Base, sample: Batch, load: float) -> Choice:
    """Time every way of running ``network`` on ``sample`` and remember the figures.

    Args:
        network: the base's, in eval mode, float32.
        base: under which to remember.
        sample: one real batch, as `Run` takes it.
        load: seconds that loading ``network`` took, libraries included.
    """
    load = max(load, _load_of_inner(base))
    reference = REFERENCE if base.trainable else GIVEN
    expected, seconds = _timed(build(reference, base, network), sample)
    count = len(sample[0])
    tried = [Measured(reference, count / seconds, load, 1.0)]
    for name in CANDIDATES if base.trainable else ():
        start = time.perf_counter()
        try:
            run = build(name, base, network)
            ready = time.perf_counter() - start if name == ONNX else load
            got, seconds = _timed(run, sample)
        except Exception as error:  # an operator without this dtype or export rules a runtime out, no more
            reason = str(error).splitlines()[0][:120] if str(error) else ""
            tried.append(Measured(name, 0.0, 0.0, 0.0, f"{type(error).__name__}: {reason}"))
            continue
        cosine = _least_cosine(got, expected)
        parity = "" if cosine >= PARITY else f"cosine {cosine:.4f} to float32 is below {PARITY}"
        tried.append(Measured(name, count / seconds, ready, cosine, parity))
    return _remember(base, Choice(tuple(tried), on_cpu=device().type == "cpu"))


def _remember(base: Base, choice: Choice) -> Choice:
    """``choice`` with its graph's checksum, for later processes."""
    usable = any(measured.name == ONNX for measured in choice.usable)
    choice = replace(choice, graph=_checksum(base) if usable else 0)
    with contextlib.suppress(OutputError):  # what cannot be kept is measured again
        write_atomically(measured_path(base, ".json"), json.dumps(asdict(choice), indent=1))
    return choice


def _checksum(base: Base) -> int:
    """Of what is kept of its graph; 0 where there is none."""
    try:
        return zlib.crc32(b"".join(path.read_bytes() for path in graph_files(base)))
    except OSError:
        return 0


def _load_of_inner(base: Base) -> float:
    """Seconds that the base within an adapted or staged one took, 0 where there is none or it was not measured.

    A wrapped base is loaded after its own, with libraries that are there by then; a fresh process must import them.
    """
    inner = getattr(base, "base", None)
    if inner is None:
        return 0.0
    choice = remembered(inner)
    known = [m.load for m in choice.tried if m.name == REFERENCE] if choice else []
    return max([*known, _load_of_inner(inner)])


def mend_graph(choice: Choice, base: Base) -> None:
    """Export the base's graph anew where it is no longer what ``choice`` was measured with, and warn of it."""
    if not choice.graph or _checksum(base) == choice.graph:
        return
    warnings.warn(
        f"the exported graph {graph_path(base).name} of base {base.identity.name!r} is damaged; it is exported anew",
        HeadstartWarning,
        stacklevel=2,
    )
    build(ONNX, base, base.network())
    _remember(base, choice)


def build(name: str, base: Base, network: Network | None) -> Run:
    """The runtime called ``name``; ``network`` may be None where the base's graph was exported before."""
    if name == GIVEN and isinstance(base, OnnxBase):
        return base.run()
    if name == ONNX:
        from headstart.bases.runtime_onnx import onnx_run

        return onnx_run(graph_path(base), base.weights_by_name, network)
    from headstart.bases.runtime_torch import torch_run

    return torch_run(network or base.network(), folded="folded" in name, half="bfloat16" in name)


def _timed(run: Run, sample: Batch) -> tuple[np.ndarray, float]:
    """Features, and the better of two timed runs in seconds: the first also warms up, for this very shape."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        got = run(sample)
        times.append(time.perf_counter() - start)
    return got, min(times)


def _least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Least cosine between rows of a and b, both [batch or its words, width]; 0 where a is not finite.

    Rows of zeros in both, as of a word without a token, are alike.
    """
    if not np.isfinite(a).all():
        return 0.0
    there = a.any(axis=1) | b.any(axis=1)
    a, b = a[there], b[there]
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(1) / np.maximum(norms, 1e-12)).min(initial=1.0))
