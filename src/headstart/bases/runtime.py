"""Which way to run a frozen base on this machine: measured, and kept only where the features stay the same.

The same weights run up to ten times faster one way than another. Each way is timed on real inputs against plain
float32; one that turns a feature vector by more than cosine `PARITY` is not used. The choice is remembered in the
cache folder for this base and machine.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.identity import Identity
from headstart.cachedir import cache_root
from headstart.files import write_atomically

if TYPE_CHECKING:
    import torch

    from headstart.bases.network import Network

#: Least cosine between a runtime's features and plain float32's, over the inputs tried.
PARITY = 0.999
REFERENCE = "torch-float32"
Batch = tuple[np.ndarray, ...]
Run = Callable[[Batch], np.ndarray]


@dataclass(frozen=True)
class Measured:
    """One runtime as tried: rate in examples/s, least cosine to float32, and why it was left out ("" if it was not)."""

    name: str
    rate: float
    cosine: float
    left_out: str = ""


@dataclass(frozen=True)
class Choice:
    """The runtime chosen for a base on this machine, with the evidence."""

    name: str
    tried: tuple[Measured, ...] = field(default=())

    @property
    def dtype(self) -> str:
        """The precision features come in: it is part of the cache key."""
        return "bfloat16" if "bfloat16" in self.name else "float32"

    def sentence(self) -> str:
        """What was chosen and why, for the terminal and the result."""
        rates = {m.name: m for m in self.tried if not m.left_out}
        if self.name not in rates or REFERENCE not in rates or self.name == REFERENCE:
            return f"{self.name}"
        best, plain = rates[self.name], rates[REFERENCE]
        return f"{self.name}, {best.rate / plain.rate:.1f} x plain float32 here at cosine {best.cosine:.4f}"


def remembered(identity: Identity) -> Choice | None:
    """The choice made earlier for this base on this machine, if any."""
    try:
        values = json.loads(_path(identity).read_text(encoding="utf-8"))
        return Choice(values["name"], tuple(Measured(**m) for m in values["tried"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(identity: Identity) -> Path:
    import importlib.metadata

    versions = [importlib.metadata.version(name) for name in ("torch", "headstart")]
    machine = "-".join([platform.machine(), platform.node(), str(os.cpu_count()), device_name(), *versions])
    return cache_root() / "runtimes" / f"{identity.weights[:16]}-{_short(machine)}.json"


def _short(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:16]


def device_name() -> str:
    """The device named by HEADSTART_DEVICE, or "auto"."""
    return os.environ.get("HEADSTART_DEVICE", "auto")


def device() -> torch.device:
    """The device to compute on: HEADSTART_DEVICE, else CUDA, MPS, CPU in that order."""
    import torch

    if device_name() != "auto":
        return torch.device(device_name())
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def choose(network: Network, identity: Identity, sample: Batch) -> tuple[Choice, Run]:
    """Time every way of running ``network`` on ``sample`` and remember the fastest that keeps parity.

    Args:
        network: in eval mode, float32.
        identity: under which to remember.
        sample: one real batch, as `Run` takes it.
    """
    reference = _build(REFERENCE, network)
    expected, seconds = _timed(reference, sample)
    count = len(sample[0])
    tried, best = [Measured(REFERENCE, count / seconds, 1.0)], reference
    for name in _CANDIDATES:
        try:
            run = _build(name, network)
            got, seconds = _timed(run, sample)
        except Exception as error:  # a missing package or an operator without this dtype rules a runtime out, no more
            tried.append(
                Measured(
                    name,
                    0.0,
                    0.0,
                    f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}",
                )
            )
            continue
        cosine = _least_cosine(got, expected)
        parity = "" if cosine >= PARITY else f"cosine {cosine:.4f} to float32 is below {PARITY}"
        rate = count / seconds
        if not parity and rate > max(m.rate for m in tried if not m.left_out):
            best = run
        tried.append(Measured(name, rate, cosine, parity))
    name = max((m for m in tried if not m.left_out), key=lambda m: m.rate).name
    choice = Choice(name, tuple(tried))
    write_atomically(_path(identity), json.dumps(asdict(choice), indent=1))
    return choice, best


def build(choice: Choice, network: Network) -> Run:
    """The chosen runtime over ``network``."""
    return _build(choice.name, network)


def _timed(run: Run, sample: Batch) -> tuple[np.ndarray, float]:
    """Features and the better of two timed runs, in seconds; the first run of all warms up on a few rows."""
    run(tuple(a[:2] for a in sample))
    times = []
    for _ in range(2):
        start = time.perf_counter()
        got = run(sample)
        times.append(time.perf_counter() - start)
    return got, min(times)


def _least_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Least cosine between rows of a and b, both [batch, width]; 0 where a is not finite."""
    if not np.isfinite(a).all():
        return 0.0
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(1) / np.maximum(norms, 1e-12)).min())


def _build(name: str, network: Network) -> Run:
    return _onnx(network) if name == "onnxruntime" else _torch(name, network)


_CANDIDATES = ("torch-float32-folded", "torch-bfloat16-folded", "onnxruntime")


def _torch(name: str, network: Network) -> Run:
    import torch

    from headstart.bases.fold import fold_batchnorm

    where = device()
    ready = fold_batchnorm(network) if name.endswith("folded") else network
    dtype = torch.bfloat16 if "bfloat16" in name else torch.float32
    ready = ready.to(where, dtype)
    ready.to(memory_format=torch.channels_last)

    def run(batch: Batch) -> np.ndarray:
        with torch.inference_mode():
            out: torch.Tensor = ready(*(torch.from_numpy(a).to(where) for a in batch))
        return out.cpu().numpy()

    return run


def _onnx(network: Network) -> Run:
    """ONNX Runtime in float32 on the CPU."""
    import copy
    import io
    import warnings

    import onnxruntime
    import torch

    if device().type != "cpu":
        raise RuntimeError("used on the CPU only")
    example = network.example()
    names = [f"input{i}" for i in range(len(example))]
    axes = {name: {i: f"{name}_{i}" for i in range(2 if len(example) > 1 else 1)} for name in names}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about shapes it has been told are dynamic
        # a copy: the exporter fuses BatchNorm into the weights of the very module it is given
        export: Any = torch.onnx.export  # its stubs know files only, not buffers
        export(copy.deepcopy(network), example, buffer, input_names=names, dynamic_axes=axes, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Waiting threads sleep: spinning ones take the processor from the threads that decode (81 -> 114 images/s).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(buffer.getvalue(), options, providers=["CPUExecutionProvider"])

    def run(batch: Batch) -> np.ndarray:
        (out,) = session.run(None, dict(zip(names, batch, strict=True)))
        return np.asarray(out, dtype=np.float32)

    return run
