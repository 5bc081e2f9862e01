"""A base run by ONNX Runtime on the CPU in float32: its graph is exported once, and later runs need no torch."""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.device import Batch, Run, device
from headstart.files import write_atomically

if TYPE_CHECKING:
    import onnxruntime

    from headstart.bases.network import Network


def onnx_run(graph: Path, network: Network | None) -> Run:
    """The graph at ``graph``, exported from ``network`` where one is given."""
    if network is not None:
        _export(graph, network)
    session = open_session(graph)
    names = [given.name for given in session.get_inputs()]

    def run(batch: Batch) -> np.ndarray:
        (out,) = session.run(None, dict(zip(names, batch, strict=True)))
        return np.asarray(out, dtype=np.float32)

    return run


def open_session(graph: Path) -> onnxruntime.InferenceSession:
    """The graph in a file, ready to run on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Waiting threads sleep: spinning ones take the processor from the threads that decode (81 -> 114 images/s).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _export(graph: Path, network: Network) -> None:
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
    write_atomically(graph, buffer.getvalue())
