"""A base run by ONNX Runtime on the CPU in float32: its graph is exported once, and later runs need no torch."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.device import Batch, Run, device
from headstart.bases.portable import PLACES, Content, Graph
from headstart.files import write_atomically

if TYPE_CHECKING:
    import onnxruntime

    from headstart.bases.network import Network


def onnx_run(path: Path, files: Mapping[str, Content], network: Network | None) -> Run:
    """The graph kept at ``path``, exported from ``network`` where one is given; ``files`` hold the base's weights."""
    if network is not None:
        if device().type != "cpu":
            raise RuntimeError("used on the CPU only")
        keep_graph(path, export(network).leaning_on(files))
    return run_of(kept_graph(path).session(files))


def run_of(session: onnxruntime.InferenceSession) -> Run:
    """Batches through ``session``; from several threads at once too."""
    names = [given.name for given in session.get_inputs()]

    def run(batch: Batch) -> np.ndarray:
        (out,) = session.run(None, dict(zip(names, batch, strict=True)))
        return np.asarray(out, dtype=np.float32)

    return run


def keep_graph(path: Path, graph: Graph) -> None:
    """Keep ``graph`` at ``path``, its places beside it, which come first: a graph that is there is whole."""
    write_atomically(path.with_suffix(PLACES), graph.places_json())
    write_atomically(path, graph.content)


def kept_graph(path: Path) -> Graph:
    """The graph kept at ``path``.

    Raises:
        OSError, ValueError, KeyError, TypeError: it is missing or damaged.
    """
    return Graph.of(path.read_bytes(), path.with_suffix(PLACES).read_bytes())


def export(network: Network) -> Graph:
    """``network``, on the CPU and in eval mode, as a graph that holds all its weights.

    Weights stay as they are, so that they are found in the base's files: ONNX Runtime folds constants and BatchNorm
    when it opens the graph, to the same numbers.
    """
    import torch

    example = network.example()
    names = [f"input{i}" for i in range(len(example))]
    axes = {name: {i: f"{name}_{i}" for i in range(2 if len(example) > 1 else 1)} for name in names}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about shapes it has been told are dynamic
        export: Any = torch.onnx.export  # its stubs know files only, not buffers
        export(
            copy.deepcopy(network),  # the exporter may change the very module it is given
            example,
            buffer,
            input_names=names,
            dynamic_axes=axes,
            dynamo=False,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    return Graph(buffer.getvalue())
