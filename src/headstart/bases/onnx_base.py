"""Any ONNX file as a frozen base: models of other frameworks serve too."""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.card import read_card
from headstart.bases.checks import read_json, telling_preprocessing
from headstart.bases.device import Batch, Run
from headstart.bases.identity import Identity, hash_files
from headstart.bases.onnx_file import onnx_files, session_of, sides
from headstart.bases.onnx_graph import Output, choose_output, pooled, run_rows
from headstart.bases.text_limit import token_limit, usual_spec
from headstart.bases.timm_base import timm_spec
from headstart.bases.transformers_image import processor_spec
from headstart.data.table import Fact
from headstart.errors import BaseError
from headstart.modalities.image import ImageSpec
from headstart.modalities.text import TextSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
_WHOLE = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_TEXT_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_SIZE = 224  # where nothing tells


def open_onnx(name: str) -> OnnxBase:
    """The base in the ONNX file at ``name``.

    Raises:
        BaseError: it is missing, damaged, or takes something else than one picture or one text a row.
    """
    path = Path(name).expanduser()
    files = onnx_files(path)
    session = session_of(path)
    inputs = session.get_inputs()
    card = read_card(_home(path))
    identity = Identity(name, f"onnx {path.absolute()}", "", hash_files(files), card.licence, card.trained_on)
    if len(inputs) == 1 and len(inputs[0].shape) == 4 and inputs[0].type in _FLOATS:
        return OnnxImageBase(path, identity, session)
    ids = {one.name: one for one in inputs}
    whole = all(len(one.shape) == 2 and one.type in _WHOLE for one in inputs)
    if "input_ids" in ids and whole and set(ids) <= set(_TEXT_INPUTS):
        return OnnxTextBase(path, identity, session)
    takes = ", ".join(f"{one.name} {one.type} {list(one.shape)}" for one in inputs)
    raise BaseError(
        f"{path} takes {takes}; headstart runs graphs that take one float picture [batch, 3, height, width] or "
        f"[batch, height, width, 3], or texts as {', '.join(_TEXT_INPUTS)}."
    )


def _home(path: Path) -> Path:
    """The folder of its configuration: its own, or the one above a folder called onnx, as on the Hub."""
    folder = path.absolute().parent
    return folder.parent if folder.name == "onnx" else folder


class OnnxBase(Base):
    """A graph run as it is by ONNX Runtime; nothing of it can be trained."""

    trainable = False
    libraries = ("onnxruntime",)

    def __init__(self, path: Path, identity: Identity, session: Any) -> None:
        self.path, self.identity, self._session = path, identity, session
        self._inputs = {one.name: one for one in session.get_inputs()}
        first = next(iter(self._inputs.values()))
        self._rows = sides(first)[0]
        self._prepare()
        self._output: Output = choose_output(session, self._feeds(self.example()), self._rows, identity.name)
        self.width = self._output.width
        self.facts = (*self.facts, _told(self._output))

    @abstractmethod
    def _prepare(self) -> None:
        """Settle ``spec`` by the inputs and the files beside the graph."""

    @abstractmethod
    def _feeds(self, batch: Batch) -> dict[str, np.ndarray]:
        """The graph's inputs of a batch."""

    @abstractmethod
    def example(self) -> Batch:
        """Two different inputs, as small as can be."""

    def preprocessing(self) -> str:
        """The preprocessing, and which output is taken."""
        return json.dumps({**json.loads(super().preprocessing()), "output": self._output.name}, sort_keys=True)

    def narrow(self, threads: int) -> OnnxBase:
        """The same, each run of which works on ``threads`` threads, in a session of its own."""
        return type(self)(self.path, self.identity, session_of(self.path, threads))

    def run(self) -> Run:
        """From a batch to features [batch, width] float32, without torch."""
        return lambda batch: self._features(self._feeds(batch), batch[1] if len(batch) > 1 else None)

    def _features(self, feeds: dict[str, np.ndarray], mask: np.ndarray | None = None) -> np.ndarray:
        (found,) = run_rows(self._session, feeds, [self._output.name], self._rows)
        if mask is not None and found.ndim == 3:
            found = found[:, : mask.shape[1]]  # a graph of one length gives more
        return pooled(found, mask)

    def untrained(self) -> Network:
        """An ONNX file does not say how its weights began.

        Raises:
            BaseError: always.
        """
        raise BaseError(f"base {self.identity.name!r} is an ONNX file, which cannot be made anew from random weights.")


class OnnxImageBase(OnnxBase):
    """One picture a row."""

    modality = "image"
    spec: ImageSpec

    def _prepare(self) -> None:
        (given,) = self._inputs.values()
        self._given, (_, *axes) = given, sides(given)
        self._last = axes[0] != 3 and axes[2] == 3  # channels
        channels, *side = (axes[2], *axes[:2]) if self._last else axes
        if channels not in (3, None) or len({one for one in side if one}) > 1:
            raise BaseError(
                f"base {self.identity.name!r} takes pictures of {given.shape}; headstart gives square ones of 3 "
                f"channels."
            )
        self.spec, reason = _image_spec(_home(self.path), next((one for one in side if one), None))
        mean, std = ("/".join(f"{value:.3g}" for value in values) for values in (self.spec.mean, self.spec.std))
        value = f"{self.spec.size} pixels, mean {mean}, std {std}"
        self.facts = (Fact("preprocessing of the base", value, reason),)

    def network(self) -> Network:
        """The graph below a torch module's normalisation; see `run` for the way without torch."""
        from headstart.bases.network import ImageNetwork
        from headstart.bases.onnx_network import GraphBody

        return ImageNetwork(GraphBody(lambda x: self._features(self._fed(x.transpose(0, 2, 3, 1)))), self.spec).eval()

    def _feeds(self, batch: Batch) -> dict[str, np.ndarray]:
        mean, std = (np.array(values, dtype=np.float32) * 255 for values in (self.spec.mean, self.spec.std))
        return self._fed((batch[0].astype(np.float32) - mean) / std)

    def _fed(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The graph's input from normalised pictures [batch, height, width, 3]."""
        x = x if self._last else x.transpose(0, 3, 1, 2)
        return {self._given.name: np.ascontiguousarray(x, dtype=_FLOATS[self._given.type])}

    def example(self) -> Batch:
        """Two pictures of noise."""
        shape = (2, self.spec.size, self.spec.size, 3)
        return (np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8),)


class OnnxTextBase(OnnxBase):
    """One text a row, with the tokenizer.json beside the graph."""

    modality = "text"
    spec: TextSpec
    tokenizer_file: Path

    def _prepare(self) -> None:
        home = _home(self.path)
        self.tokenizer_file = home / "tokenizer.json"
        if not self.tokenizer_file.is_file():
            raise BaseError(
                f"base {self.identity.name!r} takes texts and has no tokenizer.json beside it; put it there."
            )
        self._tokens = sides(self._inputs["input_ids"])[1]
        self.most_tokens = self._tokens or token_limit(read_json(home / "config.json") or {}, home)
        self.spec = usual_spec(self.most_tokens, self._tokens)

    def network(self) -> Network:
        """The graph as a torch module; see `run` for the way without torch."""
        from headstart.bases.onnx_network import OnnxNetwork

        return OnnxNetwork(self.run(), self.example()).eval()

    def preprocessing(self) -> str:
        """The tokenizer too."""
        keys = {**json.loads(super().preprocessing()), "tokenizer": hash_files([self.tokenizer_file])}
        return json.dumps(keys, sort_keys=True)

    def _feeds(self, batch: Batch) -> dict[str, np.ndarray]:
        ids, mask = batch
        if self._tokens:  # the graph takes texts of one length only
            room = ((0, 0), (0, self._tokens - ids.shape[1]))
            ids, mask = np.pad(ids, room), np.pad(mask, room)
        made = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return {name: made[name].astype(_WHOLE[one.type], copy=False) for name, one in self._inputs.items()}

    def example(self) -> Batch:
        """Two texts of eight tokens, or fewer."""
        tokens = min(8, self.spec.max_tokens)
        ids = np.arange(tokens, dtype=np.int64) % 4 + 1
        return np.stack([ids, ids[::-1]]), np.ones((2, tokens), dtype=np.int64)


def _image_spec(home: Path, side: int | None) -> tuple[ImageSpec, str]:
    """The preprocessing and where it is from; ``side`` is the graph's own in pixels, None where any will do."""
    processor, config = read_json(home / "preprocessor_config.json"), read_json(home / "config.json") or {}
    with telling_preprocessing(f"the configuration in {home}"):
        if processor:
            spec, reason = processor_spec(processor, side or _SIZE), "as preprocessor_config.json beside the file says"
        elif "pretrained_cfg" in config:
            spec, reason = timm_spec(config["pretrained_cfg"]), "as config.json beside the file says"
        else:
            size = side or _SIZE
            spec = ImageSpec(size, round(size / 0.875))
            reason = "supposed: usual for ImageNet; there is no preprocessor_config.json or config.json beside the file"
    if side and spec.size != side:
        spec = replace(spec, size=side, resize=round(spec.resize * side / spec.size))
        reason += f", but for the {side} pixels that the graph takes"
    return spec, reason


def _told(output: Output) -> Fact:
    """Which output serves."""
    reason = "the first output of one vector a row" if output.rank == 2 else "averaged over positions: none is pooled"
    if output.doubt:
        reason = (
            f"it looks like a classifier's answers ({output.doubt}), so the last layer serves as features; an export "
            f"that ends below it would serve better"
        )
    return Fact("features of the base", f"output {output.name!r}, {output.width:,} numbers", reason)
