"""Which way a model's base is run where answers are wanted: settled when the model is saved, whatever saves it.

A base of float32 features is saved as a graph for ONNX Runtime without the weights that its own files hold, so that it
needs neither torch nor a cache: 0.2 MB for the embedded bases. What training changed is read from the bundle's
changes; adapters are folded in, and the layers they touch are in the graph.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headstart.bases.adapted import AdaptedBase
from headstart.bases.base import Base
from headstart.bases.bundle_record import CHANGES
from headstart.bases.changes import Changes
from headstart.bases.checks import first_line
from headstart.bases.onnx_base import OnnxBase
from headstart.bases.portable import Content, Graph
from headstart.bases.runtime import FLOAT32, ONNX, graph_path, remembered
from headstart.bases.runtime_onnx import export, keep_graph, kept_graph, run_of
from headstart.errors import HeadstartError, OutputError
from headstart.modalities.audio.front_end import AudioSpec
from headstart.modalities.audio.front_end import sample as audio_sample
from headstart.modalities.image import ImageSpec

#: The files of a bundle: the graph, and where the weights lie that it lacks.
GRAPH, PLACES = "graph.onnx", "graph.json"
_CLOSE = 1e-3  # of the greatest feature: how far the graph's may be from torch's


@dataclass(frozen=True)
class Serving:
    """How a base is run where answers are wanted.

    Attributes:
        graph: of the base with its changes; None: the base is run by its own library.
        files: that hold weights of the graph, besides the base's own.
        reason: why there is no graph; "" where there is one, or where none is needed.
    """

    graph: Graph | None = None
    files: Mapping[str, Content] = field(default_factory=dict)
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes that it takes in the bundle."""
        return 0 if self.graph is None else len(self.graph.content) + len(self.graph.places_json())


def serving_of(base: Base, dtype: str, changes: Changes | None) -> Serving:
    """How to serve ``base``, whose features came in ``dtype``; ``changes`` are what the bundle keeps of it."""
    if isinstance(base, OnnxBase):
        return Serving()
    if dtype != FLOAT32:
        return Serving(reason=f"its features are {dtype}, which torch computes")
    files: dict[str, Content] = {CHANGES: changes.to_bytes()} if changes else {}
    try:
        graph = _known(base) or _relaid(base, changes) or _exported(base)
        return Serving(graph.leaning_on(files) if files else graph, files)
    except Exception as error:  # an operator that cannot be exported, or any library's own trouble with the graph
        return Serving(reason=f"it cannot be saved as a graph ({first_line(error)})")


def _known(base: Base) -> Graph | None:
    """The graph that was measured on this machine and kept, which takes no time."""
    choice = remembered(base)
    if choice is None or not any(measured.name == ONNX for measured in choice.usable):
        return None
    try:
        return kept_graph(graph_path(base))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _relaid(base: Base, changes: Changes | None) -> Graph | None:
    """The graph of the base below with the changed tensors laid in, where they are all initializers of it."""
    if not isinstance(base, AdaptedBase) or changes is None or changes.lora or base.base.identity.lineage:
        return None
    below = _known(base.base)
    return None if below is None else below.with_tensors(changes.tensors)


def _exported(base: Base) -> Graph:
    """The graph made anew, and compared with the network.

    Raises:
        ValueError: it gives other features.
    """
    import torch

    network = base.network().cpu().eval()
    graph = export(network).leaning_on(base.weights_by_name)
    batch = _batch(base)
    with torch.inference_mode():
        expected = network(*(torch.from_numpy(one) for one in batch)).numpy()
    got = run_of(graph.session(base.weights_by_name, 1))(batch)
    if got.shape != expected.shape or not np.abs(got - expected).max() <= _CLOSE * np.abs(expected).max():
        raise ValueError("the graph's features differ from torch's")
    if not isinstance(base, AdaptedBase):
        with contextlib.suppress(OutputError, HeadstartError):
            keep_graph(graph_path(base), graph)
    return graph


def _batch(base: Base) -> tuple[np.ndarray, ...]:
    """Three inputs unlike those that the graph was traced with."""
    if isinstance(base.spec, ImageSpec):
        shape = (3, base.spec.size, base.spec.size, base.spec.channels)
        return (np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8),)
    if isinstance(base.spec, AudioSpec):
        return audio_sample(base.spec)
    tokens = min(11, base.spec.max_tokens)
    ids = np.arange(3 * tokens, dtype=np.int64).reshape(3, tokens) % 4 + 1
    mask = np.ones_like(ids)
    mask[2, tokens // 2 :] = 0
    return ids, mask
